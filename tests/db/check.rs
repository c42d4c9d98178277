//! `tidegate check`: each fault is planted, found with its level and remedy, and gone when mended.

mod ends;
mod home;
mod log;
mod poolers;
mod roles;
mod tables;
mod tls;
mod triggers;

use std::process::Output;

use serde_json::Value;
use tokio_postgres::Client;

use crate::support::Office;

/// What `check` says of an office.
pub struct Checked {
    pub code: i32,
    pub document: Value,
}

impl Checked {
    fn of(output: &Output) -> Self {
        let document =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {output:?}"));
        Self { code: output.status.code().unwrap(), document }
    }

    pub fn findings(&self) -> &[Value] {
        self.document["findings"].as_array().unwrap()
    }

    /// The findings that are not ok, as `level check end table`, with `-` where there is none.
    pub fn wrong(&self) -> Vec<String> {
        let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        let line =
            |f: &Value| ["level", "check", "end", "table"].map(|name| word(&f[name])).join(" ");
        let wrong = self.findings().iter().filter(|f| f["level"] != "ok");
        wrong.map(line).collect()
    }

    /// The same without what is always so in these tests: the role is the superuser.
    pub fn unusual(&self) -> Vec<String> {
        let mut wrong = self.wrong();
        wrong.retain(|line| !line.starts_with("warning superuser"));
        wrong
    }

    /// Message and remedy of the first finding of `check` that is of `level`.
    pub fn said(&self, level: &str, check: &str) -> String {
        let is = |f: &&Value| f["level"] == level && f["check"] == check;
        let finding = self.findings().iter().find(is);
        let finding = finding.unwrap_or_else(|| panic!("no {level} {check} in {}", self.document));
        format!("{} | {}", finding["message"], finding["remedy"]).replace("\\\"", "\"")
    }
}

/// Runs `check`.
pub fn check(office: &Office, arguments: &[&str]) -> Checked {
    let arguments = [&["check", "--output", "json"], arguments].concat();
    Checked::of(&office.tidegate(&arguments))
}

/// A fault, and what `check` makes of it.
pub struct Fault {
    /// What plants it: on the desktop, in the cloud.
    plant: [&'static str; 2],
    mend: [&'static str; 2],
    /// As `level check end table`.
    finding: &'static str,
    /// Parts of its message and remedy.
    parts: &'static [&'static str],
    code: i32,
}

impl Fault {
    const NONE: Fault = Fault { plant: [""; 2], mend: [""; 2], finding: "", parts: &[], code: 0 };
}

async fn both(office: &Office, sql: &[&str; 2]) {
    for (client, sql) in [&office.desktop, &office.cloud].into_iter().zip(sql) {
        run(client, sql).await;
    }
}

async fn run(client: &Client, sql: &str) {
    client.batch_execute(sql).await.unwrap_or_else(|e| panic!("{sql}: {e:?}"));
}

/// Plants one fault after another; each must be the only finding, and gone once it is mended.
pub async fn each_is_found(office: &Office, faults: &[Fault]) {
    assert_eq!(check(office, &[]).unusual(), [""; 0]);
    for fault in faults {
        both(office, &fault.plant).await;
        let found = check(office, &[]);
        assert_eq!(found.unusual(), [fault.finding], "{:?}: {}", fault.plant, found.document);
        assert_eq!(found.code, fault.code, "{:?}", fault.plant);
        let mut words = fault.finding.split(' ');
        let said = found.said(words.next().unwrap(), words.next().unwrap());
        for part in fault.parts {
            assert!(said.contains(part), "no {part} in {said}");
        }
        both(office, &fault.mend).await;
    }
    assert_eq!(check(office, &[]).unusual(), [""; 0]);
}
