//! Planted faults: for each safety check a fault that the check, or the accounting, must catch, and
//! beside it the control, where the engine as it is keeps everything.

mod check;
mod cloud;
mod incident;
mod load;
mod parts;
mod position;
mod read_back;
mod single;

pub use check::unguarded;

/// How a fault was caught, or what became of it.
type Caught = Result<String, String>;

#[tokio::test(flavor = "multi_thread")]
async fn planted_faults_are_caught() {
    let mut faults: Vec<(&str, Caught)> = check::all().await;
    faults.extend(Box::pin(position::all()).await);
    faults.push(("no read-back of the run id", read_back::forgotten().await));
    let caught = faults.iter().filter(|(_, caught)| caught.is_ok()).count();
    for (name, caught) in &faults {
        match caught {
            Ok(how) => println!("caught      {name}: {how}"),
            Err(why) => println!("NOT CAUGHT  {name}: {why}"),
        }
    }
    println!("{caught} of {} caught", faults.len());
    assert_eq!(caught, faults.len());
}
