//! Errors as SQL Server numbers them.

use tokio_postgres::error::SqlState;

/// An error with its number, severity and state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlError {
    pub number: i32,
    pub class: u8,
    pub state: u8,
    pub message: String,
}

impl SqlError {
    /// An error of the user's doing.
    pub fn new(number: i32, message: impl Into<String>) -> Self {
        let class = match number {
            1205 => 13,
            229 | 18456 => 14,
            102 | 105 | 156 | 195 => 15,
            4060 => 11,
            _ => 16,
        };
        Self { number, class, state: 1, message: message.into() }
    }

    /// What this server does not know: it says so, and never passes over it.
    pub fn unknown(what: &str) -> Self {
        Self::new(40000, format!("This test server does not know: {what}"))
    }

    /// A message that makes no sense.
    pub fn protocol(what: &str) -> Self {
        Self::new(4002, format!("The incoming TDS stream is incorrect: {what}."))
    }

    /// The batch ends here, and does not go on with its next statement.
    pub fn ends_batch(&self) -> bool {
        !matches!(self.number, 2627 | 2601 | 547 | 515 | 8115 | 220 | 2628 | 8134 | 1222 | 50000)
    }

    /// The transaction is rolled back, whatever XACT_ABORT says.
    pub fn ends_transaction(&self) -> bool {
        matches!(self.number, 1205 | 3960)
    }
}

impl From<tokio_postgres::Error> for SqlError {
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(known) = error.as_db_error() else {
            return Self { class: 20, ..Self::new(50000, error.to_string()) };
        };
        Self::new(number(known.code(), known.message()), known.message())
    }
}

fn number(code: &SqlState, message: &str) -> i32 {
    match code.code() {
        // "duplicate key value violates unique constraint": an index that is no constraint is 2601,
        // which PostgreSQL does not tell apart.
        "23505" => 2627,
        "23503" | "23514" => 547,
        "23502" => 515,
        "40P01" => 1205,
        "55P03" => 1222,
        "40001" => 3960,
        "428C9" => 544,
        "42P01" => 208,
        "42703" => 207,
        "42702" => 209,
        "42501" => 229,
        "42883" => 195,
        "42P07" => 2714,
        "42601" => 102,
        "22003" => 8115,
        "22001" => 2628,
        "22012" => 8134,
        "22P02" | "22007" | "22008" => 8114,
        "57014" => 3617,
        // Raised by the routines of setup.sql: the number stands before the text.
        "TS000" => {
            let number = message.split(':').next().and_then(|number| number.parse().ok());
            number.unwrap_or(50000)
        }
        _ => 50000,
    }
}
