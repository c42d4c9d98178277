//! Rows that the target refuses: set aside without looking at their values.

use tokio_postgres::types::Type;

use crate::db::postgres::statement::text;
use crate::error::{Error, Kind, Result};
use crate::model::{Reason, Tally, Verdict};
use crate::sql::{column, literal, table};

use super::{PgTx, render};

impl PgTx<'_> {
    /// Withholds every staged row with `reason`.
    ///
    /// # Errors
    /// [`Kind::Other`] when the table is not the one that was planned: no row is to be blamed.
    pub(super) async fn refuse(&mut self, reason: Reason, detail: &str) -> Result<Tally> {
        self.refuse_altered().await?;
        let key = render::named_key(self.plan, |c| column("s", &c.target));
        let sql = self.target.sql.render("postgres/set_aside.sql", &[("staged_key", &key)]);
        let connection = self.connection()?;
        connection.run(self.doing("withholding"), &sql, &[text(&reason.word())]).await?;
        self.set_aside = Some((reason, detail.to_owned()));
        self.withholds = true;
        let mut tally = Tally::default();
        tally.add(Verdict::Withheld(reason), self.staged);
        Ok(tally)
    }
    async fn refuse_altered(&self) -> Result<()> {
        let plan = self.plan;
        let relation = format!("{}::regclass", literal(&table(&plan.target)));
        let sql = self.target.sql.render("postgres/as_planned.sql", &[("relation", &relation)]);
        let (names, types): (Vec<&str>, Vec<&str>) =
            plan.columns.iter().map(|c| (c.target.as_str(), c.bare_type.as_str())).unzip();
        let params = [(&names as _, Type::TEXT_ARRAY), (&types as _, Type::TEXT_ARRAY)];
        match self.connection()?.value(self.doing("withholding"), &sql, &params).await? {
            true => Ok(()),
            false => {
                let (label, end) = (plan.label(), plan.direction.target());
                let message =
                    format!("the {end}'s {label} was altered after the run had looked at it");
                Err(Error::new(Kind::Other, message).remedied("The next run plans anew."))
            }
        }
    }
}
