//! The PostgreSQL server's programs on this machine, and the account that they run under.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::{Error, Kind, Result};

const PROGRAMS: [&str; 4] = ["initdb", "pg_ctl", "postgres", "createdb"];

/// Where packages put one directory a version: the parent, and what stands before the version.
const VERSIONED: [(&str, &str); 3] =
    [("/usr/lib/postgresql", ""), ("/usr", "pgsql-"), ("/opt/homebrew/opt", "postgresql@")];

const UNVERSIONED: [&str; 3] = ["/usr/local/pgsql/bin", "/usr/local/bin", "/usr/bin"];

/// The server refuses to run as root; the first of these that exists stands in.
const ACCOUNTS: [&str; 2] = ["postgres", "nobody"];

/// A user, and its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Account {
    name: &'static str,
    pub(super) uid: u32,
    pub(super) gid: u32,
}

impl Account {
    /// The account that the server runs under when tidegate runs as root.
    pub(super) fn unprivileged() -> Result<Self> {
        let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
        ACCOUNTS.iter().find_map(|name| account_in(&passwd, name)).ok_or_else(|| {
            Error::config(
                "PostgreSQL's server refuses to run as root, and there is no user postgres or nobody",
                "run as an ordinary user",
            )
        })
    }
}

fn account_in(passwd: &str, name: &'static str) -> Option<Account> {
    let mut fields = passwd
        .lines()
        .map(|line| line.split(':'))
        .find_map(|mut fields| (fields.next() == Some(name)).then_some(fields))?;
    let uid = fields.nth(1)?.parse().ok()?;
    let gid = fields.next()?.parse().ok()?;
    Some(Account { name, uid, gid })
}

/// The programs of one PostgreSQL version.
#[derive(Debug, Clone)]
pub(super) struct Server {
    programs: PathBuf,
    account: Option<Account>,
}

impl Server {
    /// The newest version found; `account` is who runs it, if that is not the caller.
    pub(super) fn find(account: Option<Account>) -> Result<Self> {
        let programs = VERSIONED
            .iter()
            .flat_map(|(parent, prefix)| versions(Path::new(parent), prefix))
            .chain(UNVERSIONED.iter().map(PathBuf::from))
            .chain(std::iter::once_with(configured).flatten())
            .find(|dir| PROGRAMS.iter().all(|program| dir.join(program).is_file()))
            .ok_or_else(|| {
                Error::config(
                    "no PostgreSQL server found on this machine",
                    "install PostgreSQL's server: apt-get install postgresql",
                )
            })?;
        Ok(Self { programs, account })
    }

    /// The path of `program`.
    pub(super) fn path(&self, program: &str) -> PathBuf {
        self.programs.join(program)
    }

    /// A command under the server's account, in `dir`, with nothing of the caller's environment:
    /// a `PGOPTIONS` or `PGSERVICE` there would reach the throwaway server.
    pub(super) fn command(&self, program: impl AsRef<OsStr>, dir: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(dir).stdin(Stdio::null()).env_clear();
        command.env("PATH", "/usr/bin:/bin").env("LC_ALL", "C");
        if let Some(Account { uid, gid, .. }) = self.account {
            command.uid(uid).gid(gid);
        }
        command
    }

    /// The same for a person's shell; neither path nor `args` may hold a double quote.
    pub(super) fn shell_line(&self, program: &str, args: &str) -> String {
        let line = format!("'{}' {args}", self.path(program).display());
        match self.account {
            // The account may have no shell of its own.
            Some(Account { name, .. }) => format!("su -s /bin/sh {name} -c \"{line}\""),
            None => line,
        }
    }

    /// Runs one of the server's programs to its end.
    pub(super) fn run<I, A>(&self, program: &str, dir: &Path, args: I) -> Result<()>
    where
        I: IntoIterator<Item = A>,
        A: AsRef<OsStr>,
    {
        let output = self
            .command(self.path(program), dir)
            .args(args)
            .output()
            .map_err(|e| Error::new(Kind::Other, format!("can't run {program}")).because(e))?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(Error::new(Kind::Other, format!("{program} failed: {}", output.status)).because(said))
    }
}

/// The `bin` directories of all versions under `parent`, the highest first.
fn versions(parent: &Path, prefix: &str) -> Vec<PathBuf> {
    let mut found: Vec<(Vec<u32>, PathBuf)> = fs::read_dir(parent)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name();
            let version = name.to_str()?.strip_prefix(prefix)?;
            let version = version.split('.').map(str::parse).collect::<Result<_, _>>().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .collect();
    found.sort_by(|a, b| b.cmp(a));
    found.into_iter().map(|(_, dir)| dir).collect()
}

/// What `pg_config` of the caller's PATH says.
fn configured() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").output().ok()?;
    let dir = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| PathBuf::from(dir.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_version_comes_first() {
        let parent = tempfile::tempdir().unwrap();
        for name in ["pgsql-9.6", "pgsql-15", "pgsql-16", "pgsql-new", "other"] {
            fs::create_dir(parent.path().join(name)).unwrap();
        }
        let expected = ["pgsql-16", "pgsql-15", "pgsql-9.6"];
        let expected: Vec<_> = expected.map(|name| parent.path().join(name).join("bin")).into();
        assert_eq!(versions(parent.path(), "pgsql-"), expected);
        assert!(versions(Path::new("/does/not/exist"), "").is_empty());
    }

    #[test]
    fn accounts_are_read_from_passwd() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65533:nobody:/:/bin/false\n";
        let nobody = Account { name: "nobody", uid: 65534, gid: 65533 };
        assert_eq!(account_in(passwd, "nobody"), Some(nobody));
        assert_eq!(account_in(passwd, "postgres"), None);
    }
}
