//! Creates and upgrades tidegate's own tables: numbered files, forward only, all of them in one
//! transaction.

use crate::db::sqlserver::Connection;
use crate::db::sqlserver::sets::get;
use crate::error::{End, Error, Kind, Result};
use crate::store::Migrated;

use super::reading::flag;
use super::{SqlServerStore, VERSION};

/// Name of each migration, in order; the number is its place.
pub(super) const MIGRATIONS: &[&str] =
    &["sqlserver/migrations/001_tables.sql", "sqlserver/migrations/002_change_log.sql"];

/// One at a time: two that create the schema at once would fail one of them.
const TURN: &str = "tidegate migrate";
const PATIENCE_MS: i32 = 30_000;
/// An error may have ended the transaction already.
pub(super) const UNDO: &str = "if @@trancount > 0 rollback";
const MIGRATING: &str = "migrating";

/// What of tidegate is there.
struct Found {
    schema: bool,
    tables: bool,
}

impl SqlServerStore<'_> {
    /// The statements that bring an empty database to the present version, as `sqlcmd` reads them.
    pub fn migration_sql(&self) -> String {
        let steps = (0..MIGRATIONS.len()).map(|i| self.step(i) + "go\n");
        let schema = self.render("sqlserver/migrations/create_schema.sql");
        let start = self.render("sqlserver/migrations/000_start.sql");
        format!("{schema}go\n{start}go\n{}", steps.collect::<String>())
    }

    /// Brings the tables to the present version; does nothing where they are.
    ///
    /// # Errors
    /// [`Kind::Config`] when a newer program has been here, [`Kind::Unauthorised`] when the role may
    /// not create them.
    pub async fn migrate(&self, connection: &mut Connection) -> Result<Migrated> {
        // Who may only run may still ask whether there is anything to do.
        if self.exists(connection).await? && self.version(connection).await? == VERSION {
            return Ok(Migrated { from: VERSION, to: VERSION });
        }
        let begin = self.sql.render("sqlserver/migrations/begin.sql", &[]);
        connection.begin_with(MIGRATING, &begin).await?;
        match self.steps(connection).await {
            Ok(from) => {
                connection.end_with(MIGRATING, "commit").await?;
                Ok(Migrated { from, to: VERSION })
            }
            Err(e) => {
                connection.end_with(MIGRATING, UNDO).await?;
                Err(match e.kind() {
                    Kind::Unauthorised => e.remedied(
                        "Migrate as a role that may create a schema and tables there, as in \
                         DESKTOP_URL=… tidegate migrate; runs go on as theirs.",
                    ),
                    _ => e,
                })
            }
        }
    }

    async fn steps(&self, connection: &mut Connection) -> Result<i32> {
        if !self.take_turn(connection, MIGRATING, (TURN, PATIENCE_MS)).await? {
            return Err(Error::new(Kind::Held, "somebody else is migrating the desktop"));
        }
        let found = self.look(connection).await?;
        if !found.schema {
            let schema = self.render("sqlserver/migrations/create_schema.sql");
            connection.batch(MIGRATING, &schema).await?;
        }
        if !found.tables {
            let start = self.render("sqlserver/migrations/000_start.sql");
            connection.batch(MIGRATING, &start).await?;
        }
        let from = self.version(connection).await?;
        self.refuse_newer(from)?;
        for i in usize::try_from(from).unwrap_or_default()..MIGRATIONS.len() {
            connection.batch(MIGRATING, &self.step(i)).await?;
        }
        Ok(from)
    }

    /// Refuses to work without tables of this program's version.
    ///
    /// # Errors
    /// [`Kind::Config`] when `migrate` has to run first.
    pub async fn require(&self, connection: &mut Connection) -> Result<()> {
        match self.is_present(connection).await? {
            true => Ok(()),
            false => Err(self.not_migrated("do not exist")),
        }
    }

    /// Whether tidegate's tables are there.
    ///
    /// # Errors
    /// [`Kind::Config`] when they are of another version than this program's.
    pub async fn is_present(&self, connection: &mut Connection) -> Result<bool> {
        if !self.exists(connection).await? {
            return Ok(false);
        }
        self.check_version(self.version(connection).await?)?;
        Ok(true)
    }

    /// Whether tidegate's tables are there at all.
    pub async fn exists(&self, connection: &mut Connection) -> Result<bool> {
        Ok(self.look(connection).await?.tables)
    }

    /// Refuses to work with tables of another version than this program's.
    pub(super) fn check_version(&self, found: i32) -> Result<()> {
        self.refuse_newer(found)?;
        match found == VERSION {
            true => Ok(()),
            false => Err(self.not_migrated(&format!("are of version {found}"))),
        }
    }

    /// The error that tidegate's tables are missing or old.
    pub(super) fn not_migrated(&self, how: &str) -> Error {
        Error::config(
            format!("tidegate's tables in schema {} of the {} {how}", self.schema, End::Desktop),
            "Run `tidegate migrate` with a role that may create them.",
        )
    }

    fn refuse_newer(&self, found: i32) -> Result<()> {
        match found > VERSION {
            false => Ok(()),
            true => Err(Error::config(
                format!(
                    "tidegate's tables in schema {} are of version {found}; this program knows \
                     version {VERSION}",
                    self.schema,
                ),
                "Install the newer tidegate that migrated them.",
            )),
        }
    }

    async fn look(&self, connection: &mut Connection) -> Result<Found> {
        let sql = self.sql.render("sqlserver/migrations/exists.sql", &[]);
        let doing = "looking for tidegate's tables";
        let rows = connection.rows(doing, &sql, &[&self.schema]).await?;
        match rows.first() {
            Some(row) => Ok(Found { schema: flag(row, "schemas")?, tables: flag(row, "tables")? }),
            None => Ok(Found { schema: false, tables: false }),
        }
    }

    async fn version(&self, connection: &mut Connection) -> Result<i32> {
        let sql = self.render("sqlserver/migrations/version.sql");
        let doing = "reading the version of tidegate's tables";
        connection.value(doing, &sql, &[]).await
    }

    fn step(&self, index: usize) -> String {
        let number = index + 1;
        let insert =
            format!("insert into {}._sync_migrations (version) values ({number});", self.quoted);
        format!("{insert}\n{}", self.render(MIGRATIONS[index]))
    }

    /// Waits for a turn with `what`, which lasts to the end of the transaction; whether it came within
    /// so many milliseconds.
    pub(super) async fn take_turn(
        &self,
        connection: &mut Connection,
        doing: &str,
        (what, millis): (&str, i32),
    ) -> Result<bool> {
        let sql = self.sql.render("sqlserver/take_turn.sql", &[]);
        let rows = connection.rows(doing, &sql, &[&what, &millis]).await?;
        match rows.first() {
            Some(row) => Ok(get::<i32>(row, "turn")? >= 0),
            None => Ok(false),
        }
    }
}
