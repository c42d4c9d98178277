//! Withheld rows: which of them are worth another try, and which are gone.

use tokio_postgres::Row;
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::db::postgres::Connection;
use crate::db::postgres::statement::text;
use crate::error::{Kind, Result};
use crate::model::plan::{ColumnPlan, Evidence, Parent, Unique};
use crate::model::{Awaited, InRing, Reason, TablePlan};
use crate::sql::{column, list, literal, log, table};

use super::Store;

impl Store<'_> {
    /// The query for one table's withheld rows that are worth another try in the next run; `only`
    /// may choose among them.
    ///
    /// `$3` has, for each label, how far the other direction had come: `watermark`, `after`, and
    /// `held_back`, the keys that it could not write yet.
    pub(super) fn due(&self, plan: &TablePlan, only: &str) -> String {
        // CASE: a key that was refused may not be of the target's type.
        let same = |c: &ColumnPlan| {
            let key = stored("key", c);
            format!("{} = case when w.reason <> 'bad_value' then {key} end", column("t", &c.target))
        };
        let label = literal(&plan.label());
        let carried = |field: &str| format!("($3::json -> {label} ->> '{field}')");
        let (pending, settled) = match plan.evidence {
            Evidence::Log => (
                log::beyond("c", &carried("watermark"), &carried("after")),
                format!("{} is not null", carried("watermark")),
            ),
            Evidence::Stamps => ("false".to_owned(), "false".to_owned()),
        };
        self.sql.render(
            "postgres/due.sql",
            &[
                ("pending", &pending),
                ("settled", &settled),
                ("store", &self.quoted),
                ("target", &table(&plan.target)),
                ("key_is_row", &list(plan.key_columns().map(same), " and ")),
                ("label", &label),
                ("parents_present", &parents_present(plan)),
                ("owner", &literal(&plan.owner_column().name)),
                ("unique_free", &unique_free(plan)),
                ("definition", &self.definition(plan)),
                ("only", only),
            ],
        )
    }

    /// The keys of all withheld rows of a table.
    pub(super) async fn withheld_keys(
        &self,
        connection: &Connection,
        label: &str,
        direction: &str,
    ) -> Result<Vec<String>> {
        let sql = self.render("postgres/withheld_keys.sql");
        let params = [text(&label), text(&direction)];
        let doing = format!("looking for withheld rows of {label}");
        let rows = connection.rows(doing, &sql, &params).await?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    /// Whether a row of the table, as it is now, can have this key.
    pub(super) async fn is_key(
        &self,
        connection: &Connection,
        plan: &TablePlan,
        key: &str,
    ) -> Result<bool> {
        let values = list(plan.key_columns().map(|c| stored("key", c)), ", ");
        let sql = self.sql.render("postgres/is_key.sql", &[("key", &values)]);
        match connection.rows("looking at a key", &sql, &[text(&key)]).await {
            Ok(_) => Ok(true),
            Err(e) if e.kind() == Kind::BadValue => Ok(false),
            Err(e) => Err(e),
        }
    }

    /// The mark of everything by which the target's table may refuse a row; asked for once a
    /// statement, and only where a row needs it.
    pub fn definition(&self, plan: &TablePlan) -> String {
        let relation = literal(&table(&plan.target));
        format!("(select {}._sync_definition({relation}::regclass))", self.quoted)
    }

    /// The rows of `plan` that the run `run_id` had to leave for later, each with the reason, and
    /// those of earlier runs that may arrive by now.
    pub async fn left_for_later(
        &self,
        connection: &Connection,
        plan: &TablePlan,
        run_id: Uuid,
    ) -> Result<Vec<(Awaited, Option<Reason>)>> {
        let (parents, values) = (parents_present(plan), unique_free(plan));
        let slots =
            [("store", &*self.quoted), ("parents_present", &parents), ("unique_free", &values)];
        let sql = self.sql.render("postgres/retry_keys.sql", &slots);
        let (label, direction) = (plan.label(), plan.direction.word());
        let params = [text(&label), text(&direction), (&run_id as _, Type::UUID)];
        let doing = format!("looking for withheld rows of {label}");
        let rows = connection.rows(doing, &sql, &params).await?;
        let awaited =
            |row: &Row| Awaited { key: row.get(0), once_owned: false, since: row.get("since") };
        let reason = |row: &Row| Reason::from_word(row.get::<_, Option<&str>>(1)?);
        Ok(rows.iter().map(|row| (awaited(row), reason(row))).collect())
    }

    /// The rows that the run `run_id` left because they wait for each other in a ring of foreign
    /// keys, and for nothing else.
    pub async fn rings(
        &self,
        connection: &Connection,
        plans: &[&TablePlan],
        run_id: Uuid,
    ) -> Result<Vec<InRing>> {
        let Some(first) = plans.first() else { return Ok(Vec::new()) };
        let edges = plans.iter().flat_map(|plan| {
            let parents = plan.parents.iter();
            parents.filter_map(|p| {
                let is_it = |other: &&&TablePlan| other.target == p.table;
                Some(self.edge(plan, p, &plans.iter().find(is_it)?.label()))
            })
        });
        let edges = list(edges, "\nunion all\n");
        let sql = self.sql.render("postgres/rings.sql", &[("edges", &edges)]);
        let direction = first.direction.word();
        let params = [(&run_id as _, Type::UUID), text(&direction)];
        let rows = connection.rows("looking for rings of withheld rows", &sql, &params).await?;
        Ok(rows.iter().map(|row| InRing { table: row.get(0), key: row.get(1) }).collect())
    }

    /// The query for the waiting rows of `plan` that lack this parent, each with its key.
    fn edge(&self, plan: &TablePlan, parent: &Parent, parent_label: &str) -> String {
        let pair = |(from, to): &(usize, String)| {
            format!("{}, w.row ->> {}", literal(to), literal(&plan.columns[*from].name))
        };
        self.sql.render(
            "postgres/ring_edge.sql",
            &[
                ("store", &self.quoted),
                ("label", &literal(&plan.label())),
                ("parent_label", &literal(parent_label)),
                ("parent_key", &list(parent.columns.iter().map(pair), ", ")),
                ("parent_present", &parent_present(plan, parent)),
            ],
        )
    }

    /// Takes rows off the list that were asked for again and that the source has no more.
    pub async fn forget_gone(
        &self,
        connection: &Connection,
        plan: &TablePlan,
        run_id: Uuid,
        asked: &[Awaited],
    ) -> Result<u64> {
        let keys: Vec<&str> =
            asked.iter().filter(|a| !a.once_owned).map(|a| a.key.as_str()).collect();
        if keys.is_empty() {
            return Ok(0);
        }
        let mut names: Vec<&str> = plan.key_columns().map(|c| c.name.as_str()).collect();
        names.sort_unstable();
        let sql = self.render("postgres/forget_gone.sql");
        let (label, direction) = (plan.label(), plan.direction.word());
        let params = [
            text(&label),
            text(&direction),
            (&run_id as _, Type::UUID),
            (&keys as _, Type::TEXT_ARRAY),
            (&names as _, Type::TEXT_ARRAY),
        ];
        connection.run(format!("clearing withheld rows of {label}"), &sql, &params).await
    }
}

/// A column of the stored copy of a row or key, in the target's type.
fn stored(json: &str, c: &ColumnPlan) -> String {
    format!("(w.{json} ->> {})::{}", literal(&c.name), c.target_type)
}

/// That no other row of the target has a unique value of the withheld row.
fn unique_free(plan: &TablePlan) -> String {
    let same = |c: &ColumnPlan| format!("{} = {}", column("u", &c.target), stored("row", c));
    let is_row = list(plan.key_columns().map(same), " and ");
    let free = |unique: &Unique| {
        let has_it = list(unique.columns.iter().map(|&i| same(&plan.columns[i])), " and ");
        let target = table(&plan.target);
        format!("not exists (select from {target} u where {has_it} and not ({is_row}))")
    };
    match plan.uniques.is_empty() {
        true => "true".to_owned(),
        false => list(plan.uniques.iter().map(free), " and "),
    }
}

/// That every parent of a withheld row is there.
fn parents_present(plan: &TablePlan) -> String {
    match plan.parents.is_empty() {
        true => "true".to_owned(),
        false => list(plan.parents.iter().map(|p| parent_present(plan, p)), " and "),
    }
}

fn parent_present(plan: &TablePlan, parent: &Parent) -> String {
    let value = |i: usize| stored("row", &plan.columns[i]);
    let unset = parent.columns.iter().map(|(from, _)| format!("{} is null", value(*from)));
    let same =
        parent.columns.iter().map(|(from, to)| format!("{} = {}", column("p", to), value(*from)));
    format!(
        "({} or exists (select from {} p where {}))",
        list(unset, " or "),
        table(&parent.table),
        list(same, " and ")
    )
}
