//! Every kind of desktop is held to the same rules: each case is written once and runs on all of them.
//!
//! A new kind is a file beside these, a line in [`desk::Kind`] and one in [`suite`]. What is called
//! `sqlserver` is the T-SQL server of the tests, `sqlserver_real` the one that `TIDEGATE_TEST_SQLSERVER_URL`
//! names, the URL of a login that may make databases. `cargo nextest run -E 'test(desktops::)'` prints the
//! table: suite, desktop, case.

/// The cases of a suite: those that every desktop has to pass, those of SQL Servers, and those for which the
/// server of the tests must do what a real one does not do when asked.
macro_rules! suite {
    (
        every { $($every:ident::$every_case:ident),* $(,)? }
        sql_servers { $($sql:ident::$sql_case:ident),* $(,)? }
        test_server { $($test:ident::$test_case:ident),* $(,)? }
    ) => {
        mod postgres {
            $($crate::desktops::case!(Postgres, $every::$every_case);)*
        }
        mod sqlserver {
            $($crate::desktops::case!(TestServer, $every::$every_case);)*
            $($crate::desktops::case!(TestServer, $sql::$sql_case);)*
            $($crate::desktops::case!(TestServer, $test::$test_case);)*
        }
        mod sqlserver_real {
            $($crate::desktops::case!(RealServer, $every::$every_case);)*
            $($crate::desktops::case!(RealServer, $sql::$sql_case);)*
        }
    };
}

/// One case on one kind of desktop.
macro_rules! case {
    ($kind:ident, $file:ident::$case:ident) => {
        #[tokio::test(flavor = "multi_thread")]
        async fn $case() {
            let kind = $crate::desktops::desk::Kind::$kind;
            if kind.is_there() {
                Box::pin(super::$file::$case(kind)).await;
            }
        }
    };
}
use case;

mod both;
mod desk;
mod office;
mod postgres;
mod real_server;
mod source;
mod statements;
mod target;
mod test_server;
mod words;

/// Says it where nobody overlooks it; the cases of `sqlserver_real` have tried nothing then.
#[tokio::test(flavor = "multi_thread")]
async fn no_real_sql_server_was_asked() {
    match real_server::url() {
        Some(_) => drop(real_server::RealServer::open().await),
        None => eprintln!("{}", real_server::NOT_ASKED),
    }
}
