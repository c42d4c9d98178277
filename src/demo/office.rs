//! The stage of the demo: a desktop and a cloud, a cluster each, and a configuration for both.

use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde::Serialize;
use tokio::task::{JoinError, spawn_blocking};

use super::{CLOUD, Cluster, OFFICE, SCHEMA, TABLES};
use crate::config::Config;
use crate::db::postgres::{Connection, Database, Purpose};
use crate::error::{End, Error, Kind, Result};

/// Two clusters, a session of a user in each, and the configuration that tidegate runs with.
#[derive(Debug)]
pub(super) struct Office {
    /// A desktop user.
    pub(super) desktop: Connection,
    /// A mobile user.
    pub(super) cloud: Connection,
    pub(super) config: Config,
    clusters: [Cluster; 2],
}

/// What `--keep` leaves behind.
#[derive(Debug, Serialize)]
pub struct Kept {
    /// The desktop's connection string.
    pub desktop_url: String,
    /// The cloud's.
    pub cloud_url: String,
    /// A configuration for both.
    pub config: PathBuf,
    /// A script that stops both servers and removes everything, itself included.
    pub stop: PathBuf,
}

impl Office {
    /// Starts both clusters, and fills the desktop; the cloud has the same tables, empty.
    pub(super) async fn open() -> Result<Self> {
        let (desktop, cloud) = tokio::try_join!(start("desktop"), start("cloud"))?;
        // Goes with the cluster, however that ends.
        let path = desktop.directory().join("tidegate.toml");
        let text = configuration(&desktop.url("desktop"), &cloud.url("cloud"));
        fs::write(&path, &text).map_err(no_file)?;
        let config = Config::parse(&text, &path, &|_| None)?;
        let office = Self {
            desktop: session(&config, End::Desktop).await?,
            cloud: session(&config, End::Cloud).await?,
            config,
            clusters: [desktop, cloud],
        };
        tokio::try_join!(
            office.desktop.batch("making the desktop", SCHEMA),
            office.cloud.batch("making the cloud", SCHEMA)
        )?;
        tokio::try_join!(
            office.desktop.batch("filling the desktop", OFFICE),
            office.cloud.batch("making the cloud", CLOUD)
        )?;
        Ok(office)
    }

    /// The database that is written, for a program beside the users.
    pub(super) fn cloud_database(&self) -> Result<Database> {
        Database::new(&self.config.cloud_url, End::Cloud, Purpose::Writer, 1)
    }

    /// Leaves everything running.
    pub(super) fn keep(self) -> Result<Kept> {
        let [desktop, cloud] = self.clusters;
        let kept = Kept {
            desktop_url: desktop.url("desktop"),
            cloud_url: cloud.url("cloud"),
            config: self.config.path,
            stop: desktop.directory().join("stop"),
        };
        let mut script = String::from("#!/bin/sh\n# Stops and removes what the demo kept.\ncd /\n");
        for cluster in [&desktop, &cloud] {
            let _ = writeln!(script, "{}", cluster.stop_command());
        }
        for cluster in [&desktop, &cloud] {
            let _ = writeln!(script, "rm -rf '{}'", cluster.directory().display());
        }
        fs::write(&kept.stop, script)
            .and_then(|()| fs::set_permissions(&kept.stop, Permissions::from_mode(0o755)))
            .map_err(no_file)?;
        desktop.keep();
        cloud.keep();
        Ok(kept)
    }

    /// Stops both servers in order and removes everything.
    pub(super) fn close(self) -> Result<()> {
        let [desktop, cloud] = self.clusters;
        drop((self.desktop, self.cloud));
        desktop.stop().and(cloud.stop())
    }
}

/// A cluster takes its time: not on the runtime's threads.
async fn start(name: &'static str) -> Result<Cluster> {
    let start = move || {
        let cluster = Cluster::start(name, &[])?;
        cluster.create_database(name, None)?;
        Ok(cluster)
    };
    spawn_blocking(start).await.map_err(|e: JoinError| {
        Error::new(Kind::Other, format!("starting the {name} was cut short")).because(e)
    })?
}

async fn session(config: &Config, end: End) -> Result<Connection> {
    let url = match end {
        End::Desktop => &config.desktop_url,
        End::Cloud => &config.cloud_url,
    };
    Database::new(url, end, Purpose::Writer, 1)?.connection().await
}

/// What a new user would write.
fn configuration(desktop: &str, cloud: &str) -> String {
    let mut text = format!(
        "# Of `tidegate demo`. What is not set here has its default; config.example.toml shows it.\n\n\
         [desktop]\nkind = \"postgres\"\nurl = \"{desktop}\"\n\n\
         [cloud]\nurl = \"{cloud}\"\n\n"
    );
    for table in TABLES {
        let _ = writeln!(text, "[tables.{table}]");
    }
    text
}

fn no_file(e: std::io::Error) -> Error {
    Error::new(Kind::Other, "can't write the demo's files").because(e)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_names_every_table_of_the_schema() {
        let created = SCHEMA.lines().filter_map(|line| line.strip_prefix("create table "));
        let created: Vec<_> = created.map(|line| line.trim_end_matches(" (")).collect();
        assert_eq!(created, TABLES);
        let url = "postgres://localhost/x";
        let config =
            Config::parse(&configuration(url, url), "tidegate.toml".as_ref(), &|_| None).unwrap();
        let configured: Vec<_> = config.tables.iter().map(|t| t.cloud.name.as_str()).collect();
        assert_eq!(configured, TABLES);
    }
}
