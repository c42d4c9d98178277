//! The server's numbers: what follows from each, and what may be said of it.

use crate::error::Kind;

/// Numbers from here on are what triggers and procedures raise.
pub(super) const RAISED: u32 = 50_000;
/// Below it nobody but the server itself raises a number.
pub(super) const RAISABLE: u32 = 13_000;
/// What Babelfish answers where SQL Server has a number that it doesn't know: no row is to blame.
pub(super) const UNNUMBERED: u32 = 33_557_097;

/// What follows from a server's number.
pub(super) fn kind_of(number: u32) -> Kind {
    match number {
        // Lock request time out
        1222 => Kind::Busy,
        // Deadlock victim; update conflicts of snapshot isolation, and versions that are gone
        1205 | 3958 | 3960 | 3961 | 3966 | 3967 => Kind::Transient,
        // Out of locks, or of memory for a moment; a temporal table was written a moment later
        1204 | 8645 | 8651 | 13_535 => Kind::Transient,
        // Lost on the way, or the server ends or is full of sessions
        64 | 121 | 233 | 596 | 6005 | 10053 | 10054 | 10060 | 17830 => Kind::Transient,
        // The database is restored, recovered, or moves to another replica
        922 | 927 | 952 | 976 | 983 => Kind::Transient,
        // The server starts, is upgraded or paused, or lets in administrators alone
        17142 | 17187 | 18401 | 18451 | 18458..=18461 => Kind::Transient,
        // Azure: moved, throttled, out of workers
        10928 | 10929 | 40143 | 40197 | 40501 | 40540 | 40613 | 49918..=49920 => Kind::Transient,
        // Logins
        916 | 4060 | 18450..=18488 => Kind::Unauthorised,
        number if is_about_rights(number) => Kind::Unauthorised,
        2601 | 2627 => Kind::Taken,
        // Null, constraint, security policy
        515 | 547 | 550 | 33_504 => Kind::BadValue,
        // Conversion, range, length, division by zero
        220 | 232 | 241 | 242 | 244 | 245 | 248 | 295 | 296 | 2628 | 6522 | 8023 | 8114 | 8115
        | 8134 | 8152 | 8169 => Kind::BadValue,
        // Several rows where one is asked for, and more bytes than a row or an index takes
        511 | 512 | 1946 => Kind::BadValue,
        number if is_about_xml(number) => Kind::BadValue,
        UNNUMBERED => Kind::Other,
        // A trigger rolled back or raised
        3609 | 3616 | RAISED.. => Kind::BadValue,
        // Column, object, schema; snapshot isolation is off
        207 | 208 | 2760 | 3952 => Kind::Config,
        _ => Kind::Other,
    }
}

/// Of what the role may not touch, the server may say that it is not there.
pub(super) fn is_about_rights(number: u32) -> bool {
    matches!(number, 229 | 230 | 262 | 297 | 300 | 1088 | 3701 | 4613 | 8197 | 15_151 | 15_247)
}

/// Parsing a text as XML, and judging it by a schema.
fn is_about_xml(number: u32) -> bool {
    matches!(number, 6900..=6999 | 9400..=9499)
}

/// Whether it is about the server's memory and disks, of which nobody speaks because of one row.
pub(super) fn is_about_room(number: u32) -> bool {
    matches!(number, 701 | 802 | 823..=825 | 1101 | 1105 | 9002)
}

/// Whether the server's own message under this number never holds a value.
pub(super) fn speaks_of_objects(number: u32) -> bool {
    is_about_rights(number)
        || matches!(
            number,
            207 | 208
                | 515
                | 547
                | 916
                | 1105
                | 1205
                | 1222
                | 2760
                | 3906
                | 3908
                | 3952
                | 3960
                | 3961
                | 4060
                | 9002
        )
}

/// Words in place of a message that may hold values.
pub(super) fn name_of(number: u32) -> Option<&'static str> {
    Some(match number {
        220 | 232 | 8023 | 8115 => "number out of range",
        241 => "not a date or time",
        242 => "date or time out of range",
        207 => "a column is missing",
        208 | 2760 => "a table or schema is missing",
        number if is_about_rights(number) => "a right is missing",
        number if is_about_xml(number) => "text is no XML that the column takes",
        244 | 245 | 248 | 295 | 296 | 8114 | 8169 => "value not of the column's type",
        511 => "row too long",
        512 => "several rows where one is asked for",
        515 => "null in a column that has to be set",
        547 => "foreign key or check constraint violated",
        550 => "a view's check option violated",
        1205 => "deadlock",
        1222 => "a lock is held by somebody else",
        1946 => "value too long for an index",
        2601 | 2627 => "unique constraint violated",
        2628 | 8152 => "value too long",
        3609 => "a trigger ended the transaction",
        3960 => "another transaction changed the row",
        3961 => "another session altered the table in the meantime",
        8134 => "division by zero",
        33_504 => "a security policy refuses the row",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_become_kinds() {
        let check = |kind, numbers: &[u32]| {
            for number in numbers {
                assert_eq!(kind_of(*number), kind, "{number}");
            }
        };
        check(Kind::Transient, &[1205, 3960, 3961, 40613, 40197, 40501, 49918, 10928, 10929]);
        check(Kind::Transient, &[233, 10053, 10054, 10060, 64, 121]);
        check(Kind::Transient, &[13_535, 8645, 8651, 1204, 3958, 3966, 3967]);
        check(Kind::Transient, &[983, 976, 952, 922, 927]);
        check(Kind::Transient, &[18_401, 17_142, 17_187, 18_451, 18_458, 18_461]);
        check(Kind::Busy, &[1222]);
        check(Kind::Taken, &[2627, 2601]);
        check(Kind::Unauthorised, &[18456, 18452, 18470, 4060, 916, 229, 230, 262, 297, 300]);
        check(Kind::Unauthorised, &[1088, 3701, 4613, 8197, 15_151, 15_247]);
        check(Kind::BadValue, &[547, 515, 2628, 8152, 8115, 8114, 220, 232, 241, 242, 245]);
        check(Kind::BadValue, &[512, 8134, 511, 1946, 8023, 9400, 9455, 6926, 33_504]);
        check(Kind::BadValue, &[3609, 50_000, 50_001, 99_999]);
        check(Kind::Config, &[207, 208, 3952]);
        check(Kind::Other, &[0, 102, 1105, 3902, 3930, 9002]);
    }
}
