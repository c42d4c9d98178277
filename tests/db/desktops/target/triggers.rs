//! What the desktop's own triggers make of a row is no edit: both ends come to rest.

use crate::desktops::desk::Kind;
use crate::desktops::office::{DeskOffice, NAMES, jobs};

/// A trigger that does `change` to rows that were written, in the words of the kind.
fn trigger(kind: Kind, [postgres, sql_server]: [&str; 2]) -> String {
    match kind {
        Kind::Postgres => format!(
            "create function t() returns trigger language plpgsql as \
             $$ begin {postgres} return new; end $$; \
             create trigger t before insert or update on jobs for each row execute function t()"
        ),
        Kind::TestServer | Kind::RealServer => format!(
            "create trigger t on jobs after insert, update as begin set nocount on; \
             if trigger_nestlevel() > 1 return; \
             update j set {sql_server} from jobs j join inserted i on i.id = j.id end"
        ),
    }
}

async fn settles(kind: Kind, change: [&str; 2]) {
    let office = DeskOffice::filled(kind).await;
    office.desk(&trigger(kind, change)).await;
    let work = "insert into jobs values (100, 'Mobile', 'M', {now}, {now}); \
                update jobs set name = 'Edited', updated_at = {now} where id = 3";
    office.mobile(work).await;
    let report = office.reverse().await;
    assert_eq!(jobs(&report), [2, 1, 1, 0, 0], "{report:?}");
    for round in 0..4 {
        let report = office.sync().await;
        let writes = report.written();
        assert!(round == 0 || writes == 0, "{round}: {report:?}");
    }
    office.mobile("update jobs set name = 'Again', updated_at = {now} where id = 3").await;
    office.sync().await;
    let name = office.at_desk("select lower(name) from jobs where id = 3").await;
    assert_eq!(name, ["again"]);
}

/// m18
pub async fn a_trigger_that_stamps(kind: Kind) {
    let change = ["new.updated_at := clock_timestamp();", "updated_at = sysutcdatetime()"];
    settles(kind, change).await;
}

/// m19
pub async fn a_trigger_that_rewrites(kind: Kind) {
    settles(kind, ["new.name := upper(new.name);", "name = upper(i.name)"]).await;
}

/// A trigger that refuses a row: it is withheld, and the others arrive.
pub async fn a_trigger_that_refuses(kind: Kind) {
    let office = DeskOffice::filled(kind).await;
    let refusing = match kind {
        Kind::Postgres => {
            trigger(kind, ["if new.name = 'bad' then raise exception 'no bad ones'; end if;", ""])
        }
        Kind::TestServer | Kind::RealServer => {
            "create trigger t on jobs after insert, update as begin set nocount on; \
             if exists (select 1 from inserted where name = 'bad') \
             begin throw 51000, 'no bad ones', 1 end end"
                .to_owned()
        }
    };
    office.desk(&refusing).await;
    let work = "insert into jobs values (100, 'bad', 'M', {now}, {now}), \
                (101, 'good', 'M', {now}, {now})";
    office.mobile(work).await;
    let report = office.reverse().await;
    assert_eq!(jobs(&report), [2, 1, 0, 0, 1], "{report:?}");
    assert_eq!(office.withheld_at_desk().await, [r#"{"id": "100"} bad_value"#]);
    office.mobile("update jobs set name = 'mended', updated_at = {now} where id = 100").await;
    office.sync().await;
    office.same(NAMES).await;
    assert_eq!(office.withheld_at_desk().await, [""; 0]);
}
