//! What the demo compares: whole tables by digests, single rows by every value.

use super::TABLES;
use crate::db::postgres::Connection;
use crate::error::Result;

/// Rows that are alike at both ends in spite of all that happens: those that a user of the desktop
/// made and no mobile user edited.
const COMMON: &str = "source = 'D'";
const COMMON_JOBS: &str = "source = 'D' and job_id not in (300, 99999)";

/// What is asked of each table: an expression over its rows `t`, and which rows.
struct Question<'q> {
    answer: &'q str,
    which: &'q dyn Fn(&str) -> &'static str,
}

/// Number and content of the rows of each table, a line a table.
const CONTENT: &str =
    "count(*)::text || ' rows, ' || coalesce(sum(hashtextextended(t::text, 0)::numeric), 0)::text";
/// Number, place and version of the rows: whatever writes a row changes it.
const VERSIONS: &str = "count(*)::text || ' rows, ' || \
    coalesce(sum(hashtextextended(t.ctid::text || ' ' || t.xmin::text, 0)::numeric), 0)::text";

/// The content of every table.
pub(super) async fn content(end: &Connection) -> Result<Vec<String>> {
    ask(end, Question { answer: CONTENT, which: &|_| "true" }).await
}

/// The content of the desktop's rows, without what the story does to jobs 300 and 99999.
pub(super) async fn common_content(end: &Connection) -> Result<Vec<String>> {
    let which = |table: &str| if table == "jobshead" { COMMON_JOBS } else { COMMON };
    ask(end, Question { answer: CONTENT, which: &which }).await
}

/// The row versions of every table.
pub(super) async fn versions(end: &Connection) -> Result<Vec<String>> {
    ask(end, Question { answer: VERSIONS, which: &|_| "true" }).await
}

/// Mobile rows by table, where there are any.
pub(super) async fn mobile_counts(end: &Connection) -> Result<Vec<(&'static str, i64)>> {
    let mut counts = Vec::new();
    for table in TABLES {
        let sql = format!("select count(*) from public.{table} where source = 'M'");
        let rows: i64 = end.value("counting mobile rows", &sql, &[]).await?;
        if rows > 0 {
            counts.push((table, rows));
        }
    }
    Ok(counts)
}

/// All rows of all tables.
pub(super) async fn count(end: &Connection) -> Result<i64> {
    let tables = TABLES.map(|t| format!("(select count(*) from public.{t})")).join(" + ");
    end.value("counting rows", &format!("select {tables}"), &[]).await
}

/// What a mobile user made or edited: every value of every such row.
pub(super) async fn mobile_work(cloud: &Connection) -> Result<Vec<String>> {
    let made =
        TABLES.map(|t| format!("select '{t} ' || t::text from public.{t} t where source = 'M'"));
    let edited = "select 'edited ' || t::text from public.jobshead t where job_id = 300";
    texts(cloud, &format!("{}\nunion all\n{edited}\norder by 1", made.join("\nunion all\n"))).await
}

/// Every value of some jobs.
pub(super) async fn jobs(end: &Connection, ids: &str) -> Result<Vec<String>> {
    let sql =
        format!("select t::text from public.jobshead t where job_id in ({ids}) order by job_id");
    texts(end, &sql).await
}

/// The only column of a query.
pub(super) async fn texts(end: &Connection, sql: &str) -> Result<Vec<String>> {
    let rows = end.rows("looking", sql, &[]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

async fn ask(end: &Connection, question: Question<'_>) -> Result<Vec<String>> {
    let Question { answer, which } = question;
    let arms =
        TABLES.map(|t| format!("select '{t}: ' || {answer} from public.{t} t where {}", which(t)));
    texts(end, &format!("{}\norder by 1", arms.join("\nunion all\n"))).await
}
