//! One entry: which version is whose, why, and what differs.

use serde_json::{Value, json};

use super::{document, entries, office, on, shown};

/// Both names of row `key`, as the entry has them.
fn names(shown: &Value) -> [&Value; 2] {
    [&shown["desktop"]["name"], &shown["mobile"]["name"]]
}

const DESKTOP: &str = "update jobs set name = 'desktop', updated_at = now() where id = 1";
const MOBILE: &str = "update jobs set name = 'mobile', updated_at = now() where id = 1";

#[tokio::test(flavor = "multi_thread")]
async fn a_collision_has_both_versions() {
    let office = office().await;
    on(&office.desktop, "insert into jobs values (50, 'desktop', 'D', now(), now())").await;
    on(&office.cloud, "insert into jobs values (50, 'mobile', 'M', now(), now())").await;
    office.forward().await;
    let forward = shown(&office, "50");
    assert_eq!(names(&forward), [&json!("desktop"), &json!("mobile")], "{forward:#}");
    assert_eq!(forward["why"], json!("both sides made a row with this key"));
    assert!(forward["differs"].as_array().unwrap().contains(&json!("source")), "{forward:#}");
    assert_eq!(forward["base"], json!(null), "nobody changed it: {forward:#}");
    office.reverse().await;
    let reverse = entries(&office, &[]).into_iter().find(|line| line.starts_with("dw")).unwrap();
    let reverse = document(&office, &["show", reverse.split(' ').next().unwrap()]);
    assert_eq!(names(&reverse), names(&forward), "whichever way the run went: {reverse:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_lost_to_the_desktop_is_kept_with_its_base() {
    let office = office().await;
    on(&office.cloud, MOBILE).await;
    on(
        &office.desktop,
        "update jobs set name = 'desktop', updated_at = now() + interval '1 minute' \
         where id = 1",
    )
    .await;
    office.forward().await;
    let shown = shown(&office, "1");
    assert_eq!(names(&shown), [&json!("desktop"), &json!("mobile")], "{shown:#}");
    assert_eq!(shown["base"]["name"], json!("old"), "{shown:#}");
    let why = "both sides edited the row, and the desktop's edit is not the earlier one";
    assert_eq!((&shown["kind"], &shown["why"]), (&json!("lost_to_desktop"), &json!(why)));
    assert_eq!(shown["attempts"], json!(null));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_lost_to_the_mobile_side_is_kept() {
    let office = office().await;
    on(&office.desktop, DESKTOP).await;
    on(&office.cloud, MOBILE).await;
    office.reverse().await;
    let shown = shown(&office, "1");
    assert_eq!(names(&shown), [&json!("desktop"), &json!("mobile")], "{shown:#}");
    let why = "both sides edited the row, the mobile user later";
    assert_eq!((&shown["kind"], &shown["why"]), (&json!("lost_to_mobile"), &json!(why)));
    assert_eq!(shown["base"]["name"], json!("old"), "{shown:#}");
}

/// A row of the mobile side's stands by another rule than one of the desktop's.
#[tokio::test(flavor = "multi_thread")]
async fn a_mobile_row_that_stands_says_its_own_rule() {
    let office = office().await;
    on(&office.desktop, &DESKTOP.replace("= 1", "= 100")).await;
    on(&office.cloud, &MOBILE.replace("= 1", "= 100")).await;
    office.reverse().await;
    let shown = shown(&office, "100");
    let why = "the row is the mobile side's, so its version stands, though the desktop changed it as \
               well";
    assert_eq!((&shown["kind"], &shown["why"]), (&json!("lost_to_mobile"), &json!(why)));
    assert_eq!(names(&shown), [&json!("desktop"), &json!("mobile")], "{shown:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_one_side_deleted_has_one_version() {
    let office = office().await;
    on(&office.desktop, &format!("{DESKTOP}; delete from jobs where id = 2")).await;
    on(&office.cloud, &format!("delete from jobs where id = 1; {}", MOBILE.replace("= 1", "= 2")))
        .await;
    office.forward().await;
    let by_mobile = shown(&office, "1");
    assert_eq!(by_mobile["kind"], json!("deleted_by_mobile"), "{by_mobile:#}");
    assert_eq!((&by_mobile["mobile"], &by_mobile["differs"]), (&json!(null), &json!([])));
    assert_eq!(by_mobile["desktop"]["name"], json!("desktop"));
    assert_eq!(by_mobile["base"]["name"], json!("old"), "what was deleted: {by_mobile:#}");
    office.reverse().await;
    let by_desktop = shown(&office, "2");
    assert_eq!(by_desktop["kind"], json!("deleted_by_desktop"), "{by_desktop:#}");
    assert_eq!((&by_desktop["desktop"], &by_desktop["differs"]), (&json!(null), &json!([])));
    assert_eq!(by_desktop["mobile"]["name"], json!("mobile"));
}

/// Moments and names of runs differ from run to run.
fn without_moments(document: &mut Value) {
    match document {
        Value::Object(object) => {
            for (name, value) in object.iter_mut() {
                match name.as_str() {
                    "since" | "last_seen" | "created_at" | "updated_at" if value.is_string() => {
                        *value = json!(format!("[{name}]"));
                    }
                    "runs" => *value = json!(value.as_array().unwrap().len()),
                    _ => without_moments(value),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(without_moments),
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_documents_are_contracts() {
    let office = office().await;
    on(&office.desktop, DESKTOP).await;
    on(&office.cloud, MOBILE).await;
    office.forward().await;
    let mut list = document(&office, &["list"]);
    without_moments(&mut list);
    insta::assert_snapshot!("conflicts_list_json", serde_json::to_string_pretty(&list).unwrap());
    let mut shown = shown(&office, "1");
    without_moments(&mut shown);
    insta::assert_snapshot!("conflicts_show_json", serde_json::to_string_pretty(&shown).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn people_read_what_differs() {
    let office = office().await;
    on(&office.desktop, DESKTOP).await;
    on(&office.cloud, MOBILE).await;
    office.forward().await;
    let ids = entries(&office, &[]);
    let id = ids[0].split(' ').next().unwrap();
    for no_color in ["", "1"] {
        let mut command = office.command(&["conflicts", "show", id]);
        let output = command.env("NO_COLOR", no_color).output().unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        assert!(!printed.contains('\u{1b}'), "no terminal: {printed}");
        let printed =
            printed.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
        for part in [
            "jobs id=1: both edited",
            "why: both sides edited the row, the mobile user later",
            "* name \"desktop\" \"mobile\" \"old\"",
            "source \"D\" \"D\" \"D\"",
            "next: the next reverse run brings the mobile version to the desktop",
            "To have the desktop's version after all",
        ] {
            assert!(printed.contains(part), "{part} in {printed}");
        }
    }
}
