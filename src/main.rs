//! The `tidegate` program: all of it is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    // Reads FAILPOINTS.
    #[cfg(feature = "failpoints")]
    let _scenario = fail::FailScenario::setup();
    ExitCode::from(tidegate::cli::main())
}
