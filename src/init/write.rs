//! The file: whole or not at all, and never in place of one that is there unless that is asked for.

use std::fs::Permissions;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::error::{Error, Kind, Result};

/// Its owner writes it, its group reads it: a service's own, as under /etc.
const MODE: u32 = 0o640;

/// What becomes of a file that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// It stays.
    Kept,
    /// The new one takes its place.
    Replaced,
}

/// Refuses what [`write`] would refuse, before any work is done.
///
/// # Errors
/// [`Kind::Config`] where the file is there and is to be kept.
pub fn refuse_existing(path: &Path, existing: Existing) -> Result<()> {
    match existing == Existing::Kept && path.symlink_metadata().is_ok() {
        true => Err(is_there(path)),
        false => Ok(()),
    }
}

/// Writes `text` to `path`.
///
/// # Errors
/// [`Kind::Config`] where the file is there and is to be kept, or can't be written.
pub fn write(path: &Path, text: &str, existing: Existing) -> Result<()> {
    // Where the file is a link, what it leads to is replaced.
    let linked = path.canonicalize();
    let path = linked.as_deref().unwrap_or(path);
    // In the same directory, so that it can be renamed.
    let directory = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let unwritable = |e: io::Error| {
        Error::new(Kind::Config, format!("{}: can't be written", path.display()))
            .remedied("Check that its directory is there and may be written to, or name another file with --config.")
            .because(e)
    };
    let mut file = tempfile::Builder::new()
        .prefix(".tidegate-")
        .permissions(Permissions::from_mode(MODE))
        .tempfile_in(directory)
        .map_err(unwritable)?;
    file.write_all(text.as_bytes()).and_then(|()| file.as_file().sync_all()).map_err(unwritable)?;
    let kept = match existing {
        Existing::Kept => file.persist_noclobber(path),
        Existing::Replaced => file.persist(path),
    };
    match kept {
        Ok(_) => Ok(()),
        Err(e) if e.error.kind() == io::ErrorKind::AlreadyExists => Err(is_there(path)),
        Err(e) => Err(unwritable(e.error)),
    }
}

fn is_there(path: &Path) -> Error {
    Error::config(
        format!("{} is there already", path.display()),
        "Name another file with --config, look with --print, or replace it with --force.",
    )
}
