//! The sequences that columns draw from: where they stand, and moving one past values that are taken.

use serde::Deserialize;
use tokio_postgres::types::Type;

use crate::error::{Error, Kind, Result};
use crate::model::{Ownership, TableName};
use crate::sql::{Sql, ident, list, literal, table};

use super::Connection;

/// The types of which a sequence's values can be compared with the keys that are there.
pub const INTEGERS: [&str; 3] = ["smallint", "integer", "bigint"];
/// So many values that a sequence hands out next are to be free: whatever is nearer, it will meet soon.
pub const FREE_AHEAD: i64 = 100_000;
/// The last value of a range below zero.
pub const LAST_BELOW: i64 = -1;
/// Up to so many values are drawn; a longer way is jumped.
const DRAWN_MAX: i64 = 100_000;

/// A sequence that a column draws from.
#[derive(Debug, Clone, Deserialize)]
pub struct Sequence {
    /// The column's table.
    pub table: TableName,
    /// The column.
    pub column: String,
    /// Its type, without modifier; of a domain, what it is made of.
    #[serde(rename = "type")]
    pub column_type: String,
    /// The columns of the table's primary key.
    pub key: Vec<String>,
    /// The sequence's own name.
    pub sequence: TableName,
    /// From one value to the next.
    pub step: i64,
    /// By a default, not an identity: whoever inserts needs a right on it.
    pub by_default: bool,
    /// The last value that sequence and column have room for.
    pub last: i64,
    /// Whether our role may see where it stands.
    pub readable: bool,
    /// Whether our role may move it.
    pub movable: bool,
    /// Whether it is our role's own, or of a role that it is a member of.
    #[serde(default)]
    pub owned: bool,
    /// Our role.
    pub role: String,
    /// What it hands out next; none if our role may not see it.
    #[serde(skip)]
    pub next: Option<i64>,
}

/// Where a sequence goes on, and where it could.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// What it hands out next.
    pub next: i64,
    /// The first value from there on with enough free ones behind it; none if it ends before.
    pub free: Option<i64>,
}

/// The sequences of those of `tables` that exist, and where they stand.
pub async fn read(
    connection: &Connection,
    sql: &Sql,
    tables: &[TableName],
) -> Result<Vec<Sequence>> {
    let schemas: Vec<&str> = tables.iter().map(|t| t.schema.as_str()).collect();
    let names: Vec<&str> = tables.iter().map(|t| t.name.as_str()).collect();
    let params = [(&schemas as _, Type::TEXT_ARRAY), (&names as _, Type::TEXT_ARRAY)];
    let doing = "looking at the sequences";
    let statement = sql.render("postgres/sequences.sql", &[]);
    let mut found: Vec<Sequence> = connection.document(doing, &statement, &params).await?;
    let mut readable: Vec<&mut Sequence> = found.iter_mut().filter(|s| s.readable).collect();
    if !readable.is_empty() {
        let stand = |s: &Sequence| {
            format!("(select json_build_array(last_value, is_called) from {})", table(&s.sequence))
        };
        let stands = list(readable.iter().map(|s| stand(s)), ",\n    ");
        let statement = sql.render("postgres/sequences_stand.sql", &[("stands", &stands)]);
        let stands: Vec<(i64, bool)> = connection.document(doing, &statement, &[]).await?;
        for (sequence, (value, is_called)) in readable.iter_mut().zip(stands) {
            let step = if is_called { sequence.step } else { 0 };
            sequence.next = Some(value.saturating_add(step));
        }
    }
    Ok(found)
}

impl Sequence {
    /// Whether its values are whole keys of the table, or parts of them, that another side's can
    /// meet. Where the owner is a part of the key they can't.
    pub fn fills_key(&self, ownership: &Ownership) -> bool {
        INTEGERS.contains(&self.column_type.as_str())
            && self.key.contains(&self.column)
            && !self.key.contains(&ownership.column)
    }

    /// Whether to begin at `from` it leaves what lies above zero for what lies below. It does so once: from
    /// then on it never goes back there either.
    pub fn goes_below(&self, from: i64) -> bool {
        self.ascends() && from < 0 && self.next.is_some_and(|next| next >= 0)
    }

    /// The least value that the column has room for.
    pub fn least(&self) -> i64 {
        match &*self.column_type {
            "smallint" => i16::MIN.into(),
            "integer" => i32::MIN.into(),
            _ => i64::MIN,
        }
    }

    /// Lets it go on at `from`, below zero, where [`goes_below`](Self::goes_below) says so and nobody else
    /// has done it; it ends before zero then.
    pub async fn go_below(&self, connection: &Connection, sql: &Sql, from: i64) -> Result<()> {
        let name = table(&self.sequence);
        let object = format!("{}::regclass", literal(&name));
        let from = from.to_string();
        let slots = [("sequence", &*name), ("object", &*object), ("from", &*from)];
        let statement = sql.render("postgres/sequence_below.sql", &slots);
        connection.batch(format!("moving {}", self.sequence), &statement).await
    }

    /// Whether it counts up.
    pub fn ascends(&self) -> bool {
        self.step > 0
    }

    /// How many values it has from `next` on.
    pub fn left(&self, next: i64) -> i64 {
        self.last.saturating_sub(next).saturating_add(self.step).max(0) / self.step.max(1)
    }

    /// The rights that moving it takes, if our role lacks one of them.
    pub fn missing_grants(&self) -> Option<String> {
        let role = ident(&self.role);
        let grants = format!(
            "grant usage on schema {} to {role}; grant select, update on sequence {} to {role};",
            ident(&self.sequence.schema),
            table(&self.sequence)
        );
        (!self.readable || !self.movable).then_some(grants)
    }

    /// Where it goes on, and the first place from `from` on that is free of keys.
    ///
    /// What is to be ruled out is that it hands out a key that is taken, so a key matters only when
    /// the sequence is to reach it soon: [`FREE_AHEAD`] values have to be free. A gap of that width
    /// between it and the next key is a range of its own, and a single stray key far above does not
    /// push it out of its range; it is looked at again each time that keys are added. Keys that its
    /// steps pass over don't count: where one side takes the odd numbers, the even ones are the
    /// other's.
    pub async fn look(
        &self,
        connection: &Connection,
        sql: &Sql,
        from: Option<i64>,
    ) -> Result<Place> {
        let below = from.is_some_and(|from| self.goes_below(from));
        let last = if below { LAST_BELOW } else { self.last };
        let slots = [
            ("sequence", &*table(&self.sequence)),
            ("table", &*table(&self.table)),
            ("column", &*ident(&self.column)),
        ];
        let statement = sql.render("postgres/sequence_look.sql", &slots);
        let params = [
            (&from as _, Type::INT8),
            (&FREE_AHEAD as _, Type::INT8),
            (&self.step as _, Type::INT8),
            (&last as _, Type::INT8),
            (&below as _, Type::BOOL),
        ];
        let doing = format!("looking where {} goes on", self.sequence);
        let rows = connection.rows(&doing, &statement, &params).await?;
        let row = rows.first().ok_or_else(|| Error::new(Kind::Other, doing))?;
        Ok(Place { next: row.get("next"), free: row.get("free") })
    }

    /// Moves it from `next` so that it goes on at `to`, or beyond if others draw at the same time.
    ///
    /// It never goes back. PostgreSQL has no way to set a sequence only if nobody has drawn from it,
    /// nor to lock it without owning it; what can only go forward is drawing. So the values before
    /// `to` are drawn, until the last of them has been, by whomever. Where that would be too many, it is set:
    /// for that to be a step back, others had to draw more than [`DRAWN_MAX`] values between two
    /// steps of one statement.
    pub async fn advance(
        &self,
        connection: &Connection,
        sql: &Sql,
        (next, to): (i64, i64),
    ) -> Result<()> {
        let name = table(&self.sequence);
        let object = format!("{}::regclass", literal(&name));
        let statement = match to.saturating_sub(next) / self.step <= DRAWN_MAX {
            true => sql.render("postgres/sequence_draw.sql", &[("object", &object)]),
            false => {
                let slots = [("sequence", &*name), ("object", &*object)];
                sql.render("postgres/sequence_set.sql", &slots)
            }
        };
        let (doing, used) = (format!("moving {}", self.sequence), to - self.step);
        connection.rows(doing, &statement, &[(&used as _, Type::INT8)]).await.map(drop)
    }
}
