//! 3 CLASSIFY: decide without locks, pin what is to be written, decide again.

use std::collections::BTreeMap;

use crate::error::{Error, Kind, Result};
use crate::model::plan::Note;
use crate::model::{Reason, Tally, Verdict};
use crate::store::sqlserver::Image;

use super::SqlServerTx;
use super::policy::{self, Meeting};
use super::rows::{Held, Staged, Wanted};
use super::tables::{KEYS, Lookup, Sheet, fill};
use crate::target::outcome::gone;

/// Locks the rows that are read as an update would: nobody changes them before the commit. Those that a
/// user holds are passed by.
const PIN: &str = "with (updlock, rowlock, readpast)";

/// What our own tables know of rows.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// What a withheld row was before the changes that are pending since.
    bases: BTreeMap<String, Vec<String>>,
    /// What triggers made of a row.
    images: BTreeMap<String, Image>,
}

impl SqlServerTx<'_> {
    /// The verdict of every staged row.
    pub(super) async fn decide(&mut self) -> Result<Tally> {
        self.first_look().await?;
        self.second_look().await?;
        if self.rows.iter().any(Staged::is_written) {
            self.withhold_orphans().await?;
        }
        Ok(self.tally())
    }

    async fn first_look(&mut self) -> Result<()> {
        let held = self.meet(&self.numbers(|row| row.wanted.is_ok()), "").await?;
        for (number, held) in held {
            if let Some(row) = self.rows.get_mut(number) {
                row.held = Some(held);
            }
        }
        self.known = self.know().await?;
        for number in 0..self.rows.len() {
            self.judge(number)?;
        }
        Ok(())
    }

    /// The rows to be updated once more, pinned: what the last writers did counts. A row that is gone
    /// by now was not pinned either. Where the desktop's triggers are at work, the rows of other owners
    /// are pinned as well: what changes of them then is their doing.
    async fn second_look(&mut self) -> Result<()> {
        let watches = self.plan.target_remakes && self.rows.iter().any(Staged::is_written);
        let is_pinned = |row: &Staged| {
            row.verdict == Verdict::Update || watches && row.is_held_by_another(&self.layout)
        };
        let wanted = self.numbers(is_pinned);
        let mut pinned: BTreeMap<usize, Held> = match wanted.is_empty() {
            true => BTreeMap::new(),
            false => self.meet(&wanted, PIN).await?.into_iter().collect(),
        };
        for number in wanted {
            let row = &mut self.rows[number];
            match (pinned.remove(&number), row.verdict) {
                (Some(held), _) => {
                    (row.held, row.is_pinned) = (Some(held), true);
                    self.judge(number)?;
                }
                (None, Verdict::Update) => {
                    (row.held, row.verdict) = (None, Verdict::Withheld(Reason::Busy));
                }
                (None, _) => {}
            }
        }
        Ok(())
    }

    /// The numbers of some of the staged rows.
    pub(super) fn numbers(&self, which: impl Fn(&Staged) -> bool) -> Vec<usize> {
        let rows = self.rows.iter().enumerate().filter(|(_, row)| which(row));
        rows.map(|(number, _)| number).collect()
    }

    /// The target's rows that the staged ones of these numbers meet.
    pub(super) async fn meet(
        &mut self,
        numbers: &[usize],
        lock: &'static str,
    ) -> Result<Vec<(usize, Held)>> {
        let mut lines = Vec::new();
        for &number in numbers {
            if let Ok(wanted) = &self.rows[number].wanted {
                lines.push(self.layout.key_line(number, &wanted.key(self.plan))?);
            }
        }
        if lines.is_empty() {
            return Ok(Vec::new());
        }
        let doing = self.doing("looking up");
        let connection = self.connection.as_mut().ok_or_else(gone)?;
        let sheet = Sheet::of_keys(&self.layout);
        fill(connection, self.target.sql, &doing, (&sheet, lines)).await?;
        let lookup = Lookup { stage: KEYS, same_row: &sheet.same_row(), lock };
        self.layout.look_up(connection, self.target.sql, &doing, lookup).await
    }

    /// Asks our own tables about the rows that are not simply the same.
    async fn know(&mut self) -> Result<Known> {
        let differs = |row: &&Staged| match (&row.wanted, &row.held) {
            (Ok(wanted), Some(held)) => !self.layout.same_row(wanted, held),
            _ => false,
        };
        let keys: Vec<&str> =
            self.rows.iter().filter(differs).map(|row| row.key.as_str()).collect();
        if keys.is_empty() {
            return Ok(Known::default());
        }
        let (store, label) = (self.target.store, self.plan.label());
        let direction = self.plan.direction;
        let connection = self.connection.as_mut().ok_or_else(gone)?;
        let bases = match self.has_withheld && self.plan.has_note(Note::Bases) {
            true => store.withheld_bases(connection, &label, direction, &keys).await?,
            false => BTreeMap::new(),
        };
        let images = store.images(connection, &label, &keys).await?;
        Ok(Known { bases, images })
    }

    fn judge(&mut self, number: usize) -> Result<()> {
        let row = &self.rows[number];
        let (verdict, rule) = match (&row.wanted, &row.held) {
            (Err(_), _) => (Verdict::Withheld(Reason::BadValue), None),
            // The desktop takes two keys for one, as of texts in another case.
            (Ok(wanted), Some(held)) if !self.layout.same_key(wanted, held) => {
                (Verdict::Withheld(Reason::Unique), None)
            }
            (Ok(wanted), held) => self.by_policy(row, wanted, held.as_ref())?,
        };
        let row = &mut self.rows[number];
        (row.verdict, row.rule) = (verdict, rule);
        Ok(())
    }

    fn by_policy(
        &self,
        row: &Staged,
        wanted: &Wanted,
        held: Option<&Held>,
    ) -> Result<(Verdict, Option<usize>)> {
        let (plan, layout) = (self.plan, &self.layout);
        let meeting = Meeting {
            incoming: layout.side(wanted.fields()),
            held: held.map(|held| layout.side(held.fields())),
            equal: held.is_some_and(|held| self.is_same_version(row, wanted, held)),
            held_is_later: held.is_some_and(|held| {
                plan.stamps.target.is_empty()
                    || layout.latest(held.fields()) >= layout.latest(wanted.fields())
            }),
            edited: row.notes.edited == Some(true),
            is_base: held.is_some_and(|held| self.is_base(row, held)),
            edited_later: held.is_some_and(|held| is_edited_later(row, held)),
            is_on_record: row.notes.bases.is_some(),
        };
        let rule = policy::decide(plan.policy, plan.evidence, &meeting);
        let verdict = rule.and_then(|number| plan.policy.rule(number)).map(|rule| rule.verdict);
        let verdict = verdict
            .ok_or_else(|| Error::new(Kind::Verification, "a row was left without a verdict"))?;
        Ok((verdict, rule))
    }

    /// Whether both ends have the same version: column by column, or because triggers of one end made
    /// one of the other. Without an edit on record, another stamp alone is none.
    fn is_same_version(&self, row: &Staged, wanted: &Wanted, held: &Held) -> bool {
        let is_image = self.known.images.get(&row.key);
        self.layout.same_row(wanted, held)
            || row.notes.counterpart.as_ref() == Some(&held.digest)
            || is_image.is_some_and(|i| i.sent == row.digest && i.kept == held.digest)
            || self.plan.has_note(Note::Bases)
                && row.notes.bases.is_none()
                && held.digest == row.digest
    }

    /// Whether the desktop holds what the row was before its pending changes.
    fn is_base(&self, row: &Staged, held: &Held) -> bool {
        let image = self.known.images.get(&row.key).filter(|image| image.kept == held.digest);
        let is_held =
            |base: &String| *base == held.digest || image.is_some_and(|image| image.sent == *base);
        let noted = row.notes.bases.iter().flatten();
        let of_withheld = self.known.bases.get(&row.key).into_iter().flatten();
        noted.chain(of_withheld).any(is_held)
    }

    /// The sums.
    pub(super) fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        self.rows.iter().for_each(|row| tally.add(row.verdict, 1));
        tally
    }
}

/// That the mobile version is the later one. Where one of the two says nothing, the owner wins, which is
/// the desktop.
fn is_edited_later(row: &Staged, held: &Held) -> bool {
    match (row.notes.stamp, held.stamp) {
        (Some(mobile), Some(desktop)) => {
            mobile > desktop && mobile.is_finite() && desktop.is_finite()
        }
        _ => false,
    }
}
