//! Rows for people to look at: read in a rehearsal between classification and merge, when both
//! versions are there.

use serde_json::Value;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::error::{Error, Kind, Result};
use crate::model::Verdict;
use crate::model::sample::{Change, Sample};
use crate::sql::table;
use crate::target::samples::why;

use super::{PgTx, render};

impl PgTx<'_> {
    /// Gathers rows of this batch, if somebody wants to see them.
    pub(super) async fn gather_samples(&mut self) -> Result<()> {
        let Some(samples) = self.target.ending.samples() else { return Ok(()) };
        let (room, again) = samples.wanted(&self.plan.label());
        let wanted = i64::try_from(room + again.len()).unwrap_or(i64::MAX);
        if wanted == 0 {
            return Ok(());
        }
        let rows = self.read_samples(wanted, &again).await?;
        self.samples = rows.iter().map(|row| self.sample(row)).collect::<Result<_>>()?;
        Ok(())
    }

    /// Keeps what was gathered of a batch that has come to its end: one that the target refuses is
    /// tried again in another way.
    pub(super) fn keep_samples(&mut self) {
        if let Some(samples) = self.target.ending.samples() {
            let label = self.plan.label();
            self.samples.drain(..).for_each(|row| samples.add(&label, row));
        }
    }

    async fn read_samples(&self, wanted: i64, again: &[String]) -> Result<Vec<Row>> {
        let plan = self.plan;
        let sql = self.target.sql;
        // Values of a row that was set aside may not be of the target's types.
        let (staged, same_row) = match self.set_aside {
            None => (render::staged_json(plan), render::target_is_staged(plan)),
            Some(_) => (render::raw_json(plan), "false".to_owned()),
        };
        let statement = sql.render(
            "postgres/samples.sql",
            &[
                ("key_json", &render::key_json(plan)),
                ("staged_json", &staged),
                ("target_json", &render::target_json(plan)),
                ("target", &table(&plan.target)),
                ("same_row", &same_row),
                ("order", &render::key_numbers(plan, "v")),
            ],
        );
        let doing = || self.doing("looking at rows of");
        let connection = self.connection()?;
        connection.batch(doing(), &sql.render("postgres/present_output.sql", &[])).await?;
        let params = [(&wanted as _, Type::INT8), (&again as _, Type::TEXT_ARRAY)];
        let rows = connection.rows(doing(), &statement, &params).await?;
        self.restore_output().await?;
        Ok(rows)
    }

    fn sample(&self, row: &Row) -> Result<Sample> {
        let plan = self.plan;
        let verdict = Verdict::from_word(row.get("verdict"))
            .ok_or_else(|| Error::new(Kind::Verification, "a row was left without a verdict"))?;
        let (staged, held) = (object(row, "staged"), object(row, "held"));
        let value = |row: &Value, name: &str| row[name].as_str().map(str::to_owned);
        let changes = plan
            .settable()
            .filter(|_| verdict == Verdict::Update)
            .map(|c| (&c.name, value(&held, &c.name), value(&staged, &c.name)))
            .filter(|(_, from, to)| from != to)
            .map(|(name, from, to)| (name.clone(), Change { from, to }))
            .collect();
        let rule = row.get::<_, Option<i32>>("rule").and_then(|n| usize::try_from(n).ok());
        let why = why(verdict, rule.and_then(|number| plan.policy.rule(number)));
        let detail = self.set_aside.as_ref().map(|(_, detail)| detail.clone());
        Ok(Sample { key: object(row, "key"), verdict, why, detail, changes })
    }
}

fn object(row: &Row, name: &str) -> Value {
    let text: Option<&str> = row.get(name);
    text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}
