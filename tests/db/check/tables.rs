//! Faults of tables: keys, columns, rows, indexes, sequences.

use super::{Fault, check, each_is_found};
use crate::support::{JOBS, Office};

const OLD: &str = "now() - interval '1 day', now() - interval '1 day'";

async fn office() -> Office {
    let office = Office::open(JOBS, &["jobs"]).await;
    let fill = format!("insert into jobs select i, 'job', 'D', {OLD} from generate_series(1, 3) i");
    office.desktop.batch_execute(&fill).await.unwrap();
    office.forward().await;
    office
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_is_not_there_is_a_failure() {
    let rename = "alter table jobs rename to gone";
    let back = "alter table gone rename to jobs";
    each_is_found(
        &office().await,
        &[
            Fault {
                plant: [rename, ""],
                mend: [back, ""],
                finding: "failure table desktop jobs",
                parts: &["the desktop has no table jobs", "desktop = "],
                code: 10,
            },
            Fault {
                plant: ["", rename],
                mend: ["", back],
                finding: "failure table cloud jobs",
                parts: &["the cloud has no table jobs"],
                code: 10,
            },
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn m31_no_pk() {
    let fault = Fault {
        plant: ["", "alter table jobs drop constraint jobs_pkey"],
        mend: ["", "alter table jobs add primary key (id)"],
        finding: "failure key cloud jobs",
        parts: &["has no primary key", "Add one"],
        code: 10,
    };
    each_is_found(&office().await, &[fault]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn m30_deferrable_pk() {
    let drop = "alter table jobs drop constraint jobs_pkey; ";
    let (deferrable, plain) = (
        "alter table jobs add primary key (id) deferrable",
        "alter table jobs add primary key (id)",
    );
    let fault = Fault {
        plant: ["", Box::leak(format!("{drop}{deferrable}").into_boxed_str())],
        mend: ["", Box::leak(format!("{drop}{plain}").into_boxed_str())],
        finding: "failure key cloud jobs",
        parts: &["DEFERRABLE", "NOT DEFERRABLE"],
        code: 10,
    };
    each_is_found(&office().await, &[fault]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_that_do_not_fit_are_found() {
    let faults = [
        Fault {
            plant: ["alter table jobs add extra text, add more text", ""],
            mend: ["alter table jobs drop extra, drop more", ""],
            finding: "warning drift - jobs",
            parts: &["the cloud lacks extra, more", "--full"],
            ..Fault::NONE
        },
        Fault {
            plant: ["", "alter table jobs alter name type varchar(10)"],
            mend: ["", "alter table jobs alter name type text"],
            finding: "warning columns_narrow - jobs",
            parts: &["name text → character varying(10)"],
            ..Fault::NONE
        },
        Fault {
            plant: ["alter table jobs add fee numeric", "alter table jobs add fee numeric(8, 2)"],
            mend: ["alter table jobs drop fee", "alter table jobs drop fee"],
            finding: "warning columns_lossy - jobs",
            parts: &["values may change", "fee numeric → numeric(8,2)"],
            ..Fault::NONE
        },
        Fault {
            plant: ["alter table jobs alter updated_at type timestamp", ""],
            mend: ["alter table jobs alter updated_at type timestamptz", ""],
            finding: "failure plan - jobs",
            parts: &["timestamp without a zone", "assume_timezone"],
            code: 10,
        },
        Fault {
            plant: [
                "",
                "alter table jobs add vat text not null default 'x'; alter table jobs alter vat drop default",
            ],
            mend: ["", "alter table jobs drop vat"],
            finding: "failure plan - jobs",
            parts: &["vat is NOT NULL"],
            code: 10,
        },
    ];
    let office = office().await;
    each_is_found(&office, &faults).await;
    // What is no fault is told.
    let more = "alter table jobs alter id type bigint, add seen boolean";
    office.cloud.batch_execute(more).await.unwrap();
    let said = check(&office, &[]).said("ok", "columns");
    for part in
        ["4 as they are, 1 cast without loss (id integer → bigint)", "the cloud alone has seen"]
    {
        assert!(said.contains(part), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_nobody_and_rows_without_a_stamp_are_counted() {
    let faults = [
        Fault {
            plant: ["update jobs set source = case id when 1 then 'd' end where id < 3", ""],
            mend: ["update jobs set source = 'D'", ""],
            finding: "warning owner_values desktop jobs",
            parts: &["2 of 3 rows have neither 'D' nor 'M' in source", "withheld"],
            ..Fault::NONE
        },
        Fault {
            plant: ["", "update jobs set source = null where id = 1"],
            mend: ["", "update jobs set source = 'D'"],
            finding: "warning owner_values cloud jobs",
            parts: &["1 of 3 rows", "Set source to 'M' where a mobile user made the row"],
            ..Fault::NONE
        },
        Fault {
            plant: [
                "update jobs set updated_at = null; update jobs set created_at = null where id < 3",
                "",
            ],
            mend: ["update jobs set updated_at = now() - interval '1 day'", ""],
            finding: "warning stamps desktop jobs",
            parts: &["2 of 3 rows have nothing in updated_at and created_at", "--full"],
            ..Fault::NONE
        },
    ];
    each_is_found(&office().await, &faults).await;
}

/// What takes too long is not counted.
#[tokio::test(flavor = "multi_thread")]
async fn a_count_that_takes_too_long_is_given_up() {
    let office = office().await;
    let sql = tidegate::sql::Sql::default().planted(
        "postgres/check_begin.sql",
        "{{seconds}}s",
        "{{seconds}}ms",
    );
    let sql = sql.planted("postgres/check_counts.sql", "count(*),", "count(pg_sleep(1)),");
    let config = tidegate::config::Config::load(Some(&office.config_path())).unwrap();
    let report =
        tidegate::check::check(&config, tidegate::run::Way::Both, &[], &sql).await.unwrap();
    let counts: Vec<_> = report.findings.iter().filter(|f| f.check == "counts").collect();
    assert_eq!(counts.len(), 2, "{report:?}");
    assert!(counts[0].message.contains("not counted within"), "{counts:?}");
    assert_eq!(report.exit_code(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn indexes_are_missed_on_large_tables_only() {
    let grow = "set allow_system_table_mods = on; \
                update pg_class set reltuples = 200000 where relname = 'jobs'; ";
    let shrink = "update pg_class set reltuples = 3 where relname = 'jobs'; \
                  drop index if exists u, c, s";
    let indexed = "create index u on jobs (updated_at); ";
    let leak = |text: String| -> &'static str { Box::leak(text.into_boxed_str()) };
    let partial = "create index c on jobs (created_at) where id > 1; ";
    let faults = [
        Fault {
            plant: [leak(format!("{indexed}{partial}{grow}")), ""],
            mend: [shrink, ""],
            finding: "warning index desktop jobs",
            parts: &[
                "no index on created_at, with about 200000 rows",
                r#"create index concurrently on "public"."jobs" ("created_at");"#,
            ],
            ..Fault::NONE
        },
        Fault {
            plant: ["", grow],
            mend: ["", shrink],
            finding: "warning index cloud jobs",
            parts: &[r#"create index concurrently on "public"."jobs" ("source");"#],
            ..Fault::NONE
        },
    ];
    each_is_found(&office().await, &faults).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn m24_sequence_behind() {
    let faults = [
        Fault {
            plant: ["", "alter table jobs alter id add generated by default as identity"],
            mend: ["", "alter table jobs alter id drop identity"],
            finding: "warning sequence cloud jobs",
            parts: &[
                "jobs_id_seq goes on at 1, which is taken: a mobile user's next row fails",
                "tidegate migrate --mobile-keys-from 1000000000 gives mobile users a range",
            ],
            ..Fault::NONE
        },
        Fault {
            plant: [
                "",
                "create sequence mobile start 100; alter table jobs alter id set default nextval('mobile')",
            ],
            mend: ["", "alter table jobs alter id drop default; drop sequence mobile"],
            finding: "warning sequence cloud jobs",
            parts: &["mobile goes on at 100, and the desktop's keys at 4: they will meet"],
            ..Fault::NONE
        },
    ];
    let office = office().await;
    each_is_found(&office, &faults).await;
    let apart = "create sequence mobile; select setval('mobile', 1000000000); \
                 alter table jobs alter id set default nextval('mobile')";
    office.cloud.batch_execute(apart).await.unwrap();
    let said = check(&office, &[]).said("ok", "sequence");
    assert!(
        said.contains(
            "mobile goes on at 1000000001, far from the desktop's keys, which go on at 4"
        ),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_only_one_end_takes_for_equal_are_found() {
    let schema = JOBS.replace("id integer", "id text");
    let office = Office::open(&schema, &["jobs"]).await;
    let folding = "create collation folding \
                   (provider = icu, locale = 'und-u-ks-level2', deterministic = false)";
    for client in [&office.desktop, &office.cloud] {
        client.batch_execute(folding).await.unwrap();
    }
    let fold = "alter table jobs alter id type text collate folding";
    let back = "alter table jobs alter id type text collate \"default\"";
    let faults = [
        Fault {
            plant: ["", fold],
            mend: ["", back],
            finding: "failure key_collation - jobs",
            parts: &["rows of the desktop would replace each other", r#"type text collate "C";"#],
            code: 10,
        },
        Fault {
            plant: [fold, ""],
            mend: [back, ""],
            finding: "warning key_collation - jobs",
            parts: &["becomes a second row"],
            ..Fault::NONE
        },
    ];
    each_is_found(&office, &faults).await;
    let sorted = "alter table jobs alter id type text collate \"POSIX\"";
    office.cloud.batch_execute(sorted).await.unwrap();
    let said = check(&office, &[]).said("ok", "key_collation");
    assert!(said.contains("sorted by C.UTF-8 on the desktop and by POSIX in the cloud"), "{said}");
}
