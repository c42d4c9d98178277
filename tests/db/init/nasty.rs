//! An office in which little can be decided without a person.

use super::{Premises, decided, said};

/// All that makes a table hard to propose, at the desktop …
const NASTY_DESKTOP: &str = r##"
    create schema office; create schema audit; create schema archive; create schema "a.b";
    create table plain (id int primary key, name text, created_at timestamptz, updated_at timestamptz);
    create table "JobTasks" (id int primary key, "JobNo" int, extra text, source text,
        "CreatedAt" timestamptz, "ModifiedAt" timestamptz);
    create table office.jobs (id int primary key, name text, updated_at timestamptz);
    create table audit.visits (id int primary key, created_at timestamptz, updated_at timestamptz);
    create table "select" (id int primary key, "from" text, updated_at timestamptz);
    create table "Ünï ""q"" #1 ${env:HOME}" (id int primary key, updated_at timestamptz);
    create table no_key (id int, updated_at timestamptz);
    create table no_owner (id int primary key, updated_at timestamptz);
    create table no_stamp (id int primary key, made date);
    create table only_created (id int primary key, created_at timestamptz);
    create table two_stamps (id int primary key, modified_at timestamptz, changed_on timestamptz,
        created_at timestamptz);
    create table zoneless (id int primary key, due timestamp, updated_at timestamp);
    create table key_renamed ("JobNo" int primary key, updated_at timestamptz);
    create table children (id int primary key, region int, no_key int, updated_at timestamptz);
    create table events (id int, month int, updated_at timestamptz, primary key (id, month))
        partition by list (month);
    create table events_1 partition of events for values in (1);
    create table "Notes" (id int primary key, updated_at timestamptz);
    create table archive.notes (id int primary key, updated_at timestamptz);
    create table "a.b".dotted (id int primary key, updated_at timestamptz);
    create table "line
[tables.evil]" (id int primary key, updated_at timestamptz);
    create table desktop_only (id int primary key);
    create table extended (id int primary key, updated_at timestamptz);
    alter extension plpgsql add table extended;
    create view jobs_view as select * from office.jobs;
    insert into "JobTasks" values (1, 1, 'x', 'desktop', now(), now());
    alter database desktop set timezone = 'Europe/Berlin';
"##;

/// … and in the cloud.
const NASTY_CLOUD: &str = r##"
    create schema audit; create schema "a.b";
    create table plain (id int primary key, name text, source text, created_at timestamptz, updated_at timestamptz);
    create table jobtasks (id int primary key, job_no int, source text, updated_at timestamptz);
    create table jobs (id int primary key, name text, source text, updated_at timestamptz);
    create table audit.visits (id int primary key, source text, created_at timestamptz, updated_at timestamptz);
    create table audit.job_log (id int, at timestamptz);
    create table "select" (id int primary key, "from" text, source text, updated_at timestamptz);
    create table "Ünï ""q"" #1 ${env:HOME}" (id int primary key, source text, updated_at timestamptz);
    create table no_key (id int unique, source text, updated_at timestamptz);
    create table no_owner (id int primary key, updated_at timestamptz);
    create table no_stamp (id int primary key, made date, source text);
    create table only_created (id int primary key, source text, created_at timestamptz);
    create table two_stamps (id int primary key, source text, modified_at timestamptz);
    create table zoneless (id int primary key, due timestamptz, source text, updated_at timestamptz);
    create table key_renamed (job_no int primary key, source text, updated_at timestamptz);
    create table regions (id int primary key);
    create table children (id int primary key, region int references regions,
        no_key int references no_key (id), source text, updated_at timestamptz);
    create table events (id int, month int, source text, updated_at timestamptz, primary key (id, month))
        partition by list (month);
    create table events_1 partition of events for values in (1);
    create table notes (id int primary key, source text, updated_at timestamptz);
    create table "a.b".dotted (id int primary key, source text, updated_at timestamptz);
    create table "line
[tables.evil]" (id int primary key, source text, updated_at timestamptz);
    create table extended (id int primary key, source text, updated_at timestamptz);
    alter extension plpgsql add table extended;
    create view jobs_view as select * from jobs;
    create function log_it() returns trigger language plpgsql as
        $$ begin insert into audit.job_log values (new.id, now()); return null; end $$;
    create trigger log_it after insert or update on jobs for each row execute function log_it();
    insert into plain (id, source) values (100, 'mobile'), (101, 'desktop');
"##;

#[tokio::test(flavor = "multi_thread")]
async fn what_cant_be_decided_is_said_where_it_belongs() {
    let office = Premises::open(NASTY_DESKTOP, NASTY_CLOUD).await;
    let first = office.says(&["init"], 0, &[]);
    insta::assert_snapshot!("init_nasty", decided(&office.text()));
    insta::assert_snapshot!("init_nasty_said", said(&first));
    let again = office.says(&["init", "--print"], 0, &[]);
    assert_eq!(said(&again), office.text());
    office.says(&["migrate"], 0, &[]);
    // No enabled table is refused.
    office.says(&["forward"], 0, &["done: nothing to write"]);
    let zone = ["init", "--force", "--assume-timezone", "Europe/London"];
    let zoned = said(&office.says(&zone, 0, &["syncs 8 tables of the 15"]));
    assert!(!zoned.contains("in which zone"), "{zoned}");
    office.says(&["forward"], 0, &["zoneless "]);
    // An abbreviation has one offset all the year.
    let parts = ["assume_timezone", "the full name of a time zone"];
    office.says(&["init", "--force", "--assume-timezone", "BST"], 10, &parts);
}
