//! Rows that the target refuses: set aside without looking at their values.

use crate::db::postgres::statement::text;
use crate::error::Result;
use crate::model::{Reason, Tally, Verdict};
use crate::sql::column;

use super::{PgTx, render};

impl PgTx<'_> {
    /// Withholds every staged row with `reason`.
    pub(super) async fn refuse(&mut self, reason: Reason, detail: &str) -> Result<Tally> {
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
}
