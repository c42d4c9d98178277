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

/// Triggers are made for the desktop's own program, which writes one row at a time.
pub async fn a_trigger_for_one_row(kind: Kind) {
    let office = DeskOffice::filled(kind).await;
    office.desk("create table seen (id int)").await;
    let trigger = "create trigger t on jobs after insert, update as begin set nocount on; \
                   declare @id int; set @id = (select id from inserted); \
                   insert into seen (id) values (@id) end";
    office.desk(trigger).await;
    let work = "insert into jobs values (100, 'a', 'M', {now}, {now}), (101, 'b', 'M', {now}, {now}); \
                update jobs set name = 'edited', updated_at = {now} where id < 4";
    office.mobile(work).await;
    assert_eq!(jobs(&office.reverse().await), [5, 2, 3, 0, 0]);
    let seen = office.at_desk("select id from seen order by id").await;
    assert_eq!(seen, ["1", "2", "3", "100", "101"]);
}

/// The edit is on the list, and the others arrive.
pub async fn a_trigger_that_takes_an_update_back(kind: Kind) {
    let office = DeskOffice::filled(kind).await;
    let trigger = "create trigger t on jobs after update as begin set nocount on; \
                   if trigger_nestlevel() > 1 return; \
                   update j set name = d.name, updated_at = d.updated_at from jobs j \
                   join deleted d on d.id = j.id where j.id = 3 end";
    office.desk(trigger).await;
    office.mobile("update jobs set name = 'edited', updated_at = {now} where id < 5").await;
    assert_eq!(jobs(&office.reverse().await), [4, 0, 3, 0, 1]);
    assert_eq!(office.withheld_at_desk().await, [r#"{"id": "3"} bad_value"#]);
    assert_eq!(office.names_of(3).await, ["desktop", "edited"]);
    assert_eq!(office.names_of(4).await, ["edited"; 2]);
    office.desk("drop trigger t").await;
    office.sync().await;
    office.same(NAMES).await;
}
