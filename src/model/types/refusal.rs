//! Why a value has no place in the other database.

use std::fmt;

use crate::error::{Error, Kind};

/// A reason in words that never quote the value; the rule is `bad_value`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal(&'static str);

impl Refusal {
    /// A refusal for `reason`, which goes on after "the value …".
    pub(crate) const fn new(reason: &'static str) -> Self {
        Self(reason)
    }

    /// The reason, as in "is out of the type's range".
    pub fn reason(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Refusal {}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Error::new(Kind::BadValue, format!("the value {refusal}"))
    }
}

pub(crate) const RANGE: Refusal = Refusal::new("is out of the type's range");
pub(crate) const MISMATCH: Refusal = Refusal::new("is of another kind than the column");
pub(crate) const MALFORMED: Refusal = Refusal::new("is malformed");
pub(crate) const TOO_LONG: Refusal = Refusal::new("is too long for the column");
pub(crate) const DECIMALS: Refusal = Refusal::new("has more decimals than the column keeps");
pub(crate) const NOT_FINITE: Refusal =
    Refusal::new("is NaN or infinite, which SQL Server doesn't know");
pub(crate) const CALENDAR: Refusal =
    Refusal::new("lies outside the years 0001 to 9999 or is infinite");
pub(crate) const HALF_PAIR: Refusal = Refusal::new("has one half of a surrogate pair alone");
