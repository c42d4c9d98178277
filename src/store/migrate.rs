//! Creates and upgrades tidegate's own tables: numbered files, forward only, each in one
//! transaction with its number.

use crate::db::postgres::Connection;
use crate::db::postgres::statement::text;
use crate::error::{End, Error, Kind, Result};

use super::Store;

/// Name of each migration, in order; the number is its place.
pub(super) const MIGRATIONS: &[&str] = &[
    "migrations/001_tables.sql",
    "migrations/002_refused_rows.sql",
    "migrations/003_both_ways.sql",
    "migrations/004_change_log.sql",
];

/// What `migrate` did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migrated {
    /// The version before.
    pub from: i32,
    /// The version now.
    pub to: i32,
}

impl Store<'_> {
    /// The statements that bring an empty database to the present version.
    pub fn migration_sql(&self) -> String {
        let steps = (0..MIGRATIONS.len()).map(|i| self.step(i));
        format!("{}\n{}", self.render("migrations/000_start.sql"), steps.collect::<String>())
    }

    /// Brings the tables to the present version; does nothing where they are.
    ///
    /// # Errors
    /// [`Kind::Config`] when a newer program has been here, [`Kind::Unauthorised`] when the role may
    /// not create them.
    pub async fn migrate(&self, connection: &Connection) -> Result<Migrated> {
        self.steps(connection).await.map_err(|e| match e.kind() {
            Kind::Unauthorised => {
                let variable = match connection.end() {
                    End::Cloud => "CLOUD_URL",
                    End::Desktop => "DESKTOP_URL",
                };
                e.remedied(format!(
                    "Migrate as a role that may create a schema there, as in {variable}=… tidegate \
                     migrate; runs go on as theirs."
                ))
            }
            _ => e,
        })
    }

    async fn steps(&self, connection: &Connection) -> Result<Migrated> {
        let doing = "migrating";
        let version = self.render("migrations/version.sql");
        // Who may only run may still ask whether there is anything to do.
        if self.exists(connection).await?
            && connection.value::<i32>(doing, &version, &[]).await? == super::VERSION
        {
            return Ok(Migrated { from: super::VERSION, to: super::VERSION });
        }
        connection.batch(doing, &self.render("migrations/000_start.sql")).await?;
        let from: i32 = connection.value(doing, &version, &[]).await?;
        self.refuse_newer(from)?;
        let done = usize::try_from(from).unwrap_or_default();
        for i in done..MIGRATIONS.len() {
            let step = format!("begin;\n{}commit;\n", self.step(i));
            if let Err(e) = connection.batch(doing, &step).await {
                connection.batch(doing, "rollback").await?;
                // Two at once: the number is inserted first, so one of them does it.
                let now: i32 = connection.value(doing, &version, &[]).await?;
                if usize::try_from(now).unwrap_or_default() <= i {
                    return Err(e);
                }
            }
        }
        Ok(Migrated { from, to: super::VERSION })
    }

    /// Refuses to work without tables of this program's version.
    ///
    /// # Errors
    /// [`Kind::Config`](crate::error::Kind::Config) when `migrate` has to run first.
    pub async fn require(&self, connection: &Connection) -> Result<()> {
        match self.is_present(connection).await? {
            true => Ok(()),
            false => Err(self.not_migrated("do not exist")),
        }
    }

    /// Whether tidegate's tables are there.
    ///
    /// # Errors
    /// [`Kind::Config`](crate::error::Kind::Config) when they are of another version than this
    /// program's.
    pub async fn is_present(&self, connection: &Connection) -> Result<bool> {
        if !self.exists(connection).await? {
            return Ok(false);
        }
        let version = self.render("migrations/version.sql");
        let doing = "reading the version of tidegate's tables";
        self.check_version(connection.value(doing, &version, &[]).await?)?;
        Ok(true)
    }

    /// Refuses to work with tables of another version than this program's.
    pub(super) fn check_version(&self, found: i32) -> Result<()> {
        self.refuse_newer(found)?;
        match found == super::VERSION {
            true => Ok(()),
            false => Err(self.not_migrated(&format!("are of version {found}"))),
        }
    }

    /// The error that tidegate's tables are missing or old.
    pub(super) fn not_migrated(&self, how: &str) -> Error {
        Error::config(
            format!("tidegate's tables in schema {} of the {} {how}", self.schema, self.end),
            "Run `tidegate migrate` with a role that may create them.",
        )
    }

    fn refuse_newer(&self, found: i32) -> Result<()> {
        match found > super::VERSION {
            false => Ok(()),
            true => Err(Error::config(
                format!(
                    "tidegate's tables in schema {} are of version {found}; this program knows \
                     version {}",
                    self.schema,
                    super::VERSION
                ),
                "Install the newer tidegate that migrated them.",
            )),
        }
    }

    fn step(&self, index: usize) -> String {
        let number = format!(
            "insert into {}._sync_migrations (version) values ({});\n",
            self.quoted,
            index + 1
        );
        format!("{number}{}", self.render(MIGRATIONS[index]))
    }

    /// Whether tidegate's tables are there at all.
    pub async fn exists(&self, connection: &Connection) -> Result<bool> {
        let sql = self.sql.render("migrations/exists.sql", &[]);
        connection.value("looking for tidegate's tables", &sql, &[text(&self.schema)]).await
    }
}
