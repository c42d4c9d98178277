//! An error of the server: what follows from it, what to do about it, and what may be said of it.

use tiberius::error::TokenError;

use super::numbers::{
    RAISABLE, RAISED, UNNUMBERED, is_about_rights, is_about_room, kind_of, name_of,
    speaks_of_objects,
};
use crate::error::{End, Kind};

/// What the driver calls for us.
const CALLED: [&str; 6] = [
    "sp_executesql",
    "sp_prepare",
    "sp_prepexec",
    "sp_execute",
    "sp_getapplock",
    "sp_set_session_context",
];

/// The parts of a server's error that can be said.
pub(super) struct Refusal<'a> {
    number: u32,
    message: &'a str,
    /// The trigger or procedure that it happened in, which may have made a statement, and the name
    /// that it did not find, out of a value.
    procedure: &'a str,
}

impl<'a> From<&'a TokenError> for Refusal<'a> {
    fn from(e: &'a TokenError) -> Self {
        let procedure = e.procedure();
        let procedure = if CALLED.contains(&procedure) { "" } else { procedure };
        Self { number: e.code(), message: e.message(), procedure }
    }
}

impl<'a> Refusal<'a> {
    /// What follows from it. What goes wrong in a trigger goes wrong because of the row, whatever the
    /// number, unless it passes.
    pub(super) fn kind(&self) -> Kind {
        let kind = kind_of(self.number);
        if self.procedure.is_empty() || self.number == UNNUMBERED || is_about_room(self.number) {
            return kind;
        }
        match kind {
            // A trigger can say so, and does again.
            Kind::Transient if self.number >= RAISABLE => Kind::Busy,
            Kind::Other | Kind::Unauthorised | Kind::Config => Kind::BadValue,
            kind => kind,
        }
    }

    /// What to do about an error of the server itself, which comes again until somebody does it.
    pub(super) fn remedy(&self) -> Option<&'static str> {
        Some(match self.number {
            // Whoever is asked for something has logged in.
            number if is_about_rights(number) && self.procedure.is_empty() => {
                "`tidegate check` names the rights that the login lacks, with the statements."
            }
            1105 => "The database's file group is full: make room there, then run again.",
            9002 => "The database's log is full: back it up or let it grow, then run again.",
            701 | 802 => "The server is out of memory: give it more, or set a smaller batch_rows.",
            3906 | 3908 => "The database takes no writes at this moment: is it a replica?",
            3952 => "As the database's owner: alter database … set allow_snapshot_isolation on.",
            1222 => "Look for a transaction there that stays open; the next run tries again.",
            _ => return None,
        })
    }

    /// Without values.
    pub(super) fn said(&self, end: End) -> String {
        let mut text = format!("the {end} answered {}", self.number);
        let within = self.procedure;
        if self.number >= RAISED && self.number != UNNUMBERED {
            return match within.is_empty() {
                true => format!("{text}, raised by a trigger or procedure"),
                false => format!("{text}, raised by {within}"),
            };
        }
        if speaks_of_objects(self.number) && within.is_empty() {
            text = format!("{text}, {}", self.message.trim_end_matches('.'));
        } else if let Some(name) = name_of(self.number) {
            text = format!("{text}, {name}");
            if let Some((constraint, table)) = self.key() {
                text = format!("{text}, table {table}, constraint {constraint}");
            }
        }
        match within.is_empty() {
            true => text,
            false => format!("{text}, within {within}"),
        }
    }

    /// Constraint or index, and table, of a violated key. After them the message holds the key.
    fn key(&self) -> Option<(&'a str, &'a str)> {
        let quoted = |after: &str| {
            let (_, rest) = self.message.split_once(after)?;
            rest.split_once('\'').map(|(name, _)| name)
        };
        match self.number {
            2627 => Some((
                quoted(" KEY constraint '")?,
                quoted("'. Cannot insert duplicate key in object '")?,
            )),
            2601 => Some((
                quoted("' with unique index '")?,
                quoted("Cannot insert duplicate key row in object '")?,
            )),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(number: u32, message: &str) -> Refusal<'_> {
        Refusal { number, message, procedure: "" }
    }

    #[test]
    fn values_of_rows_are_never_said() {
        for number in [
            220, 232, 241, 242, 245, 2601, 2627, 2628, 3609, 3902, 8114, 8115, 8152, 50_000,
            50_001, 102,
        ] {
            let text = refusal(number, "canary 'canary' (canary)").said(End::Desktop);
            assert!(text.contains(&number.to_string()) && !text.contains("canary"), "{text}");
        }
        for number in [207, 208, 229, 515, 547, 1205] {
            let within = Refusal { procedure: "t_jobs", ..refusal(number, "canary") };
            let text = within.said(End::Desktop);
            assert!(text.ends_with(", within t_jobs") && !text.contains("canary"), "{text}");
        }
        let raised = Refusal { procedure: "t_jobs", ..refusal(50_000, "canary") };
        assert_eq!(raised.said(End::Desktop), "the desktop answered 50000, raised by t_jobs");
    }

    #[test]
    fn objects_are_named() {
        let primary = "Violation of PRIMARY KEY constraint 'PK_jobs'. Cannot insert duplicate key in \
                       object 'dbo.jobs'. The duplicate key value is (canary).";
        assert_eq!(
            refusal(2627, primary).said(End::Desktop),
            "the desktop answered 2627, unique constraint violated, table dbo.jobs, constraint PK_jobs"
        );
        let index = "Cannot insert duplicate key row in object 'dbo.jobs' with unique index 'IX_no'. The \
                     duplicate key value is (canary).";
        assert_eq!(
            refusal(2601, index).said(End::Desktop),
            "the desktop answered 2601, unique constraint violated, table dbo.jobs, constraint IX_no"
        );
        assert_eq!(
            refusal(208, "Invalid object name 'dbo.jobs'.").said(End::Desktop),
            "the desktop answered 208, Invalid object name 'dbo.jobs'"
        );
    }

    #[test]
    fn a_message_in_another_language_names_nothing() {
        let german = "Verletzung der PRIMARY KEY-Einschränkung \"PK_jobs\". Der doppelte Schlüsselwert ist \
                      ('canary').";
        assert_eq!(
            refusal(2627, german).said(End::Desktop),
            "the desktop answered 2627, unique constraint violated"
        );
    }

    #[test]
    fn what_goes_wrong_in_a_trigger_is_the_rows_fault_unless_it_passes() {
        for (number, kind) in [
            (208, Kind::BadValue),
            (229, Kind::BadValue),
            (512, Kind::BadValue),
            (8134, Kind::BadValue),
            (3930, Kind::BadValue),
            (50_000, Kind::BadValue),
            (2627, Kind::Taken),
            (1222, Kind::Busy),
            (40_613, Kind::Busy),
            (1205, Kind::Transient),
            (9002, Kind::Other),
            (UNNUMBERED, Kind::Other),
        ] {
            let within = Refusal { procedure: "t_jobs", ..refusal(number, "") };
            assert_eq!(within.kind(), kind, "{number}");
        }
        assert_eq!(refusal(208, "").kind(), Kind::Config);
    }
}
