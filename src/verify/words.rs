//! Differences as people read them.

use super::report::{Difference, Explanation, TableReport, What};

impl TableReport {
    /// A sentence for each difference.
    pub fn sentences(&self) -> Vec<String> {
        self.differences.iter().map(|d| format!("{}{}", self.sentence(d), named(d))).collect()
    }

    fn sentence(&self, d: &Difference) -> String {
        let rows = rows_of(d.rows, "");
        let fell = |of: fn(&super::Counts) -> u64| {
            let [before, now] = [self.recorded, self.cloud].map(|c| c.as_ref().map_or(0, of));
            format!("fell from {before} to {now} since they were last counted")
        };
        let why = why(d, &self.table);
        match d.what {
            What::MissingInCloud => format!("{rows} of the desktop not in the cloud: {why}"),
            What::OnlyInCloud => format!("{rows} only in the cloud, as the desktop's: {why}"),
            What::SameKeyOnDesktop => format!("{rows} on the desktop too many: {why}"),
            What::MobileFell => format!("mobile rows {}: {why}", fell(|c| c.mobile)),
            What::MobileLost => format!("{}: {why}", self.against_log(d, "missing")),
            What::MobileAppeared => format!("{}: {why}", self.against_log(d, "too many")),
            What::DesktopFell => format!("the desktop's rows {}: {why}", fell(|c| c.desktop)),
            What::MobileOnDesktop => {
                format!("{rows} of mobile users more on the desktop than in the cloud: {why}")
            }
            What::NobodysOnDesktop => format!("{rows} of nobody on the desktop: {why}"),
            What::NobodysInCloud => format!("{rows} of nobody in the cloud: {why}"),
        }
    }
}

impl TableReport {
    /// Mobile rows that are `wrong`, with the numbers that say so.
    fn against_log(&self, d: &Difference, wrong: &str) -> String {
        let expected = self.mobile_expected.unwrap_or_default();
        let [before, now] = [self.recorded, self.cloud].map(|c| c.map_or(0, |c| c.mobile));
        format!(
            "{} {wrong} ({before} when last counted, {expected} expected by the change log, {now} \
             there)",
            rows_of(d.rows, "mobile ")
        )
    }
}

fn rows_of(rows: u64, whose: &str) -> String {
    format!("{rows} {whose}row{}", if rows == 1 { "" } else { "s" })
}

fn why(d: &Difference, table: &str) -> String {
    match d.explained_by {
        Explanation::Withheld => {
            let reason = d.reason.as_deref().unwrap_or_default();
            return format!("withheld, {reason} (see _sync_withheld)");
        }
        Explanation::Unexplained if d.what == What::MissingInCloud => {
            return format!(
                "unexplained; look who deleted them. `tidegate forward --full --table {table}` \
                 brings them back"
            );
        }
        Explanation::Unexplained if d.what == What::MobileLost => {
            "unexplained; look who removed them unseen (triggers that were disabled, a restored \
             backup, a dropped partition)"
        }
        Explanation::Unexplained => "unexplained; no run put them there, so look who marked them",
        Explanation::NotYetRead => "not yet read; the next run does",
        Explanation::NoStamp => "without a stamp, so only `tidegate forward --full` finds them",
        Explanation::DeletedOnDesktop => "deleted on the desktop; deletions are not carried",
        Explanation::OtherOwnerOnDesktop => "the desktop has them under another owner",
        Explanation::DuplicateKey => "they share their key with another row",
        Explanation::MobileDeletions => {
            "look for deletions by mobile users; no transaction of tidegate deleted one"
        }
        Explanation::DeletedByMobile if d.what == What::MissingInCloud => {
            "mobile users deleted them; deletions are not carried"
        }
        Explanation::DeletedByMobile => return format!("mobile users deleted {}", d.rows),
        Explanation::OwnerChanged => return format!("{} were marked as others'", d.rows),
        Explanation::NotLogged => {
            "the change log's triggers did not see them; look whether they were disabled"
        }
        Explanation::DeletedAtBothEnds => "the desktop has them neither",
        Explanation::NeverSent => {
            "a mobile user deleted them, or the desktop made them; such rows are not sent"
        }
        Explanation::NoOwner => "they are neither sent nor replaced; mark whose they are",
    }
    .to_owned()
}

fn named(d: &Difference) -> String {
    let keys: Vec<String> = d.keys.iter().map(|key| format!("\n  {key}")).collect();
    keys.concat()
}
