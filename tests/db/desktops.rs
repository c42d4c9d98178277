//! Every kind of desktop is held to the same rules: each case is written once and runs on all of them.
//!
//! A new kind is a file beside these, a line in [`desk::Kind`] and one in [`suite`]. What is called
//! `sqlserver` is the T-SQL server of the tests, `sqlserver_real` the one that `TIDEGATE_TEST_SQLSERVER_URL`
//! names, the URL of a login that may make databases; its cases are ignored unless asked for.
//! `cargo nextest run -E 'test(desktops::)'` prints the table: suite, desktop, case.

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
            $($crate::desktops::real_case!($every::$every_case);)*
            $($crate::desktops::real_case!($sql::$sql_case);)*
        }
    };
}

/// One case on one kind of desktop.
macro_rules! case {
    ($kind:ident, $file:ident::$case:ident) => {
        #[tokio::test(flavor = "multi_thread")]
        async fn $case() {
            Box::pin(super::$file::$case($crate::desktops::desk::Kind::$kind)).await;
        }
    };
}
use case;

/// One case on the server that somebody names.
macro_rules! real_case {
    ($file:ident::$case:ident) => {
        #[tokio::test(flavor = "multi_thread")]
        #[ignore = "asks the SQL Server that TIDEGATE_TEST_SQLSERVER_URL names"]
        async fn $case() {
            Box::pin(super::$file::$case($crate::desktops::desk::Kind::RealServer)).await;
        }
    };
}
use real_case;

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
