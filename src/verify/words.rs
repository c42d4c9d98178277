//! Differences as people read them.

use super::report::{Difference, Explanation, TableReport, What};

impl TableReport {
    /// A sentence for each difference.
    pub fn sentences(&self) -> Vec<String> {
        self.differences.iter().map(|d| format!("{}{}", self.sentence(d), named(d))).collect()
    }

    fn sentence(&self, d: &Difference) -> String {
        let rows = match d.rows {
            1 => "1 row".to_owned(),
            n => format!("{n} rows"),
        };
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
            What::DesktopFell => format!("the desktop's rows {}: {why}", fell(|c| c.desktop)),
            What::MobileOnDesktop => format!("{rows} of mobile users on the desktop: {why}"),
            What::NobodysOnDesktop => format!("{rows} of nobody on the desktop: {why}"),
            What::NobodysInCloud => format!("{rows} of nobody in the cloud: {why}"),
        }
    }
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
        Explanation::Unexplained => "unexplained; no run put them there, so look who marked them",
        Explanation::NotYetRead => "not yet read; the next run does",
        Explanation::NoStamp => "without a stamp, so only `tidegate forward --full` finds them",
        Explanation::DeletedOnDesktop => "deleted on the desktop; deletions are not carried",
        Explanation::OtherOwnerOnDesktop => "the desktop has them under another owner",
        Explanation::DuplicateKey => "they share their key with another row",
        Explanation::MobileDeletions => {
            "look for deletions by mobile users; no transaction of tidegate deleted one"
        }
        Explanation::DeletedAtBothEnds => "the desktop has them neither",
        Explanation::NeverSent => "such rows are not sent",
        Explanation::NoOwner => "they are neither sent nor replaced; mark whose they are",
    }
    .to_owned()
}

fn named(d: &Difference) -> String {
    let keys: Vec<String> = d.keys.iter().map(|key| format!("\n  {key}")).collect();
    keys.concat()
}
