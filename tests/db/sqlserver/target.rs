//! What comes home to a SQL Server.

use tidegate::model::{Position, Reason};

use super::home::{Home, counts};
use crate::support::{column, value};

const CLOUD: &str = "
    create table jobs (
        id integer primary key,
        name varchar(40),
        amount numeric(18, 4),
        at timestamp,
        done boolean,
        code char(5),
        ref uuid,
        note text,
        due date,
        share double precision,
        data bytea,
        source text,
        created_at timestamptz,
        updated_at timestamptz
    );";
const DESKTOP: &str = "
    create table dbo.jobs (
        id int not null primary key,
        name nvarchar(40),
        amount decimal(18, 4),
        at datetime2(6),
        done bit,
        code nchar(5),
        ref uniqueidentifier,
        note nvarchar(max),
        due date,
        share float,
        data varbinary(max),
        source nvarchar(10),
        created_at datetimeoffset(6),
        updated_at datetimeoffset(6)
    )";
const FULL: &str = "'Zürich', 12.5000, '2026-03-01 10:11:12.123456', true, 'ab', \
    '6f9619ff-8b86-d011-b42d-00c04fc964ff', 'note', '2026-02-28', 0.1, '\\x00ff', 'D', \
    '2026-03-01 10:00:00+00', '2026-03-01 10:00:00+00'";
const FULL_ON_DESKTOP: &str = "N'Zürich', 12.5, '2026-03-01 10:11:12.123456', 1, N'ab', \
    '6f9619ff-8b86-d011-b42d-00c04fc964ff', N'note', '2026-02-28', 0.1, 0x00ff, N'D', \
    '2026-03-01 10:00:00 +00:00', '2026-03-01 10:00:00 +00:00'";

async fn open() -> Home {
    Home::open(CLOUD, DESKTOP, &["jobs"]).await
}

/// A job of the desktop's that both ends have.
async fn share(home: &Home, id: i32) {
    let cloud = format!("insert into jobs values ({id}, {FULL})");
    home.office.cloud.batch_execute(&cloud).await.unwrap();
    home.tsql(&format!("insert into dbo.jobs values ({id}, {FULL_ON_DESKTOP})")).await;
}

#[tokio::test]
async fn rows_that_both_ends_have_are_left_alone_in_every_type() {
    let home = open().await;
    share(&home, 1).await;
    home.office.cloud.batch_execute("insert into jobs (id, source) values (2, 'D')").await.unwrap();
    home.tsql("insert into dbo.jobs (id, source) values (2, N'D')").await;
    let plan = home.plan("jobs").await;
    let progress = home.reverse(&plan, &Position::default()).await.unwrap();
    assert_eq!(counts(&progress), [0, 0, 2, 0]);
    assert!(progress.at.watermark.is_some());
}

#[tokio::test]
async fn an_edit_of_the_desktops_row_comes_home_and_is_known_by_its_digest() {
    let home = open().await;
    share(&home, 1).await;
    let plan = home.plan("jobs").await;
    let at = home.reverse(&plan, &Position::default()).await.unwrap().at;
    let edit = "update jobs set name = 'edited', updated_at = '2026-03-01 09:00+00' where id = 1";
    home.office.cloud.batch_execute(edit).await.unwrap();
    let progress = home.reverse(&plan, &at).await.unwrap();
    assert_eq!(counts(&progress), [0, 1, 0, 0]);
    assert_eq!(home.rows("select name, source from dbo.jobs").await, ["edited D"]);
    // The desktop held what it was before: nobody lost anything, though its stamp was later.
    assert!(home.rows("select reason from tidegate._sync_trash").await.is_empty());
}

#[tokio::test]
async fn where_both_sides_edited_the_later_one_wins_and_the_other_is_kept() {
    let home = open().await;
    for id in [1, 2] {
        share(&home, id).await;
    }
    let plan = home.plan("jobs").await;
    let at = home.reverse(&plan, &Position::default()).await.unwrap().at;
    home.tsql("update dbo.jobs set name = N'office', updated_at = '2026-03-02 12:00:00 +00:00'")
        .await;
    for (id, stamp) in [(1, "2026-03-02 12:00:01+00"), (2, "2026-03-02 12:00:00+00")] {
        let edit =
            format!("update jobs set name = 'mobile', updated_at = '{stamp}' where id = {id}");
        home.office.cloud.batch_execute(&edit).await.unwrap();
    }
    let progress = home.reverse(&plan, &at).await.unwrap();
    assert_eq!(counts(&progress), [0, 1, 0, 1]);
    assert_eq!(progress.account.tally.withheld[&Reason::Stale], 1);
    let names = home.rows("select id, name from dbo.jobs order by id").await;
    assert_eq!(names, ["1 mobile", "2 office"]);
    let kept = "select [key], reason from tidegate._sync_trash order by [key]";
    assert_eq!(
        home.rows(kept).await,
        ["{\"id\": \"1\"} lost_to_mobile", "{\"id\": \"2\"} lost_to_desktop"]
    );
}

#[tokio::test]
async fn rows_are_written_only_to_their_owners() {
    let home = open().await;
    home.office
        .cloud
        .batch_execute(
            "insert into jobs (id, name, source) values
                (1, 'new', 'M'), (2, 'taken', 'M'), (3, 'nobody', null), (4, 'gone', 'D')",
        )
        .await
        .unwrap();
    home.tsql("insert into dbo.jobs (id, name, source) values (2, N'office', N'D')").await;
    let plan = home.plan("jobs").await;
    let progress = home.reverse(&plan, &Position::default()).await.unwrap();
    assert_eq!(counts(&progress), [1, 0, 0, 3]);
    let names = home.rows("select id, name, source from dbo.jobs order by id").await;
    assert_eq!(names, ["1 new M", "2 office D"]);
    let withheld = "select [key], reason from tidegate._sync_withheld order by [key]";
    assert_eq!(
        home.rows(withheld).await,
        [
            "{\"id\": \"2\"} key_collision",
            "{\"id\": \"3\"} owner",
            "{\"id\": \"4\"} deleted_by_desktop"
        ]
    );
}

#[tokio::test]
async fn a_value_that_the_desktop_can_not_hold_is_withheld_and_the_others_arrive() {
    let home = Home::open(
        "create table jobs (id integer primary key, name text, source text, updated_at timestamptz);",
        "create table dbo.jobs (id int not null primary key, name nvarchar(5), source nvarchar(5), \
         updated_at datetimeoffset(6))",
        &["jobs"],
    )
    .await;
    let rows =
        "insert into jobs select n, case n when 7 then 'much too long' else 'ok' end, 'M', now()
        from generate_series(1, 20) n";
    home.office.cloud.batch_execute(rows).await.unwrap();
    let plan = home.plan("jobs").await;
    let progress = home.reverse(&plan, &Position::default()).await.unwrap();
    assert_eq!(counts(&progress), [19, 0, 0, 1]);
    let withheld = "select reason, detail, [row] from tidegate._sync_withheld";
    let withheld = home.rows(withheld).await;
    assert!(withheld[0].starts_with("bad_value name: the value is too long"), "{withheld:?}");
    assert!(withheld[0].contains("much too long"), "{withheld:?}");
}

#[tokio::test]
async fn the_position_moves_with_the_rows_and_another_run_is_noticed() {
    let home = open().await;
    home.office.cloud.batch_execute("insert into jobs (id, source) values (1, 'M')").await.unwrap();
    let plan = home.plan("jobs").await;
    let at = home.reverse(&plan, &Position::default()).await.unwrap().at;
    assert_eq!(at.generation, 1);
    let kept = "select watermark from tidegate._sync_metadata";
    assert_eq!(home.rows(kept).await, [at.watermark.clone().unwrap()]);
    home.office.cloud.batch_execute("update jobs set name = 'x'").await.unwrap();
    let stale = Position { generation: 0, ..at };
    let refused = home.reverse(&plan, &stale).await.unwrap_err();
    assert!(refused.to_string().contains("moved on"), "{refused}");
    assert_eq!(value(&home.office.cloud, "select count(*)::text from jobs").await, "1");
    assert_eq!(column(&home.office.cloud, "select name from jobs", &[]).await, ["x"]);
}
