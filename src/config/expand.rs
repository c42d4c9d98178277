//! References in string values: `${env:NAME}`, `${file:/path}`, `${cred:name}`. What they stand
//! for is taken as it is, never expanded again. `$${` is a plain `${`.
//!
//! Errors quote what a reference names only after its form was checked: a stray `${` may stand
//! in the middle of a password.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::error::{Error, Result};

/// Looks up an environment variable.
pub(super) type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

/// A secret is short; more than this is the wrong file.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// The text with every reference replaced by what it stands for.
pub(super) fn expand(text: &str, env: Env<'_>) -> Result<String> {
    replace(text, |reference| look_up(reference, env))
}

/// The text without its references: what stands there itself.
pub(super) fn unexpanded(text: &str) -> Result<String> {
    replace(text, |_| Ok(String::new()))
}

/// The references in a text, as they are written.
pub(super) fn references(text: &str) -> Vec<String> {
    let mut references = Vec::new();
    // Whatever is no reference was refused when the file was checked.
    let _ = replace(text, |reference| {
        references.push(format!("${{{reference}}}"));
        Ok(String::new())
    });
    references
}

fn replace(text: &str, mut what: impl FnMut(&str) -> Result<String>) -> Result<String> {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        if let Some(before) = before.strip_suffix('$') {
            expanded.push_str(before);
            expanded.push_str("${");
            rest = after;
            continue;
        }
        let (reference, after) = after.split_once('}').ok_or_else(|| {
            Error::config("`${` without its `}`", "Close it, or write `$${` for a plain `${`.")
        })?;
        expanded.push_str(before);
        expanded.push_str(&what(reference)?);
        rest = after;
    }
    expanded.push_str(rest);
    Ok(expanded)
}

fn look_up(reference: &str, env: Env<'_>) -> Result<String> {
    match reference.split_once(':') {
        Some(("env", name)) => variable(name, env),
        Some(("file", path)) => file(path),
        Some(("cred", name)) => credential(name, env),
        _ => Err(Error::config(
            "a `${…}` of no known kind",
            "Use ${env:NAME}, ${file:/path} or ${cred:name}, or write `$${` for a plain `${`.",
        )),
    }
}

fn variable(name: &str, env: Env<'_>) -> Result<String> {
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err(Error::config(
            "`${env:…}` names no environment variable",
            "Write it as in ${env:CLOUD_URL}.",
        ));
    }
    env(name).ok_or_else(|| {
        Error::config(
            format!("the environment variable `{name}` is not set"),
            format!(
                "Set `{name}` for tidegate's process; under systemd with Environment= or \
                 EnvironmentFile=."
            ),
        )
    })
}

fn file(path: &str) -> Result<String> {
    if !path.starts_with('/') {
        return Err(Error::config(
            "`${file:…}` names no absolute path",
            "Write it as in ${file:/etc/tidegate/cloud_url}.",
        ));
    }
    read(Path::new(path)).map_err(|e| {
        Error::config(
            format!("the file `{path}` can't be read"),
            format!("Check that `{path}` is there, that tidegate's user may read it, and that it is short text."),
        )
        .because(e)
    })
}

fn credential(name: &str, env: Env<'_>) -> Result<String> {
    if name.is_empty() || name.contains('/') || name == "." || name == ".." {
        return Err(Error::config(
            "`${cred:…}` names no credential",
            "Write it as in ${cred:cloud_url}.",
        ));
    }
    let remedy = format!(
        "Add LoadCredential={name}:/path to the systemd unit; outside systemd use ${{env:NAME}} \
         or ${{file:/path}}."
    );
    let Some(directory) = env("CREDENTIALS_DIRECTORY") else {
        return Err(Error::config(
            format!("there is no credential `{name}`: CREDENTIALS_DIRECTORY is not set"),
            remedy,
        ));
    };
    read(&Path::new(&directory).join(name)).map_err(|e| {
        Error::config(format!("the credential `{name}` can't be read"), remedy).because(e)
    })
}

/// The file's text without its last line ending, which editors add.
fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(FILE_BYTES_MAX + 1).read_to_string(&mut text)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "more than 64 KiB"));
    }
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(name: &str) -> Option<String> {
        match name {
            "PW" => Some("hunter2".into()),
            "NESTED" => Some("${env:PW} $${".into()),
            "EMPTY" => Some(String::new()),
            _ => None,
        }
    }

    #[test]
    fn references_stand_anywhere_in_a_string() {
        for (text, expected) in [
            ("", ""),
            ("plain $ { } $x", "plain $ { } $x"),
            ("${env:PW}", "hunter2"),
            ("postgres://u:${env:PW}@h/${env:PW}", "postgres://u:hunter2@h/hunter2"),
            ("[${env:EMPTY}]", "[]"),
            ("a$${env:PW}b", "a${env:PW}b"),
            ("$${${env:PW}}", "${hunter2}"),
            ("é${env:PW}ü", "éhunter2ü"),
        ] {
            assert_eq!(expand(text, &env).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn what_a_reference_stands_for_is_not_expanded_again() {
        assert_eq!(expand("${env:NESTED}", &env).unwrap(), "${env:PW} $${");
    }

    #[test]
    fn files_and_credentials_lose_one_line_ending() {
        let dir = tempfile::tempdir().unwrap();
        let at = dir.path().to_str().unwrap().to_owned();
        let env = |name: &str| (name == "CREDENTIALS_DIRECTORY").then(|| at.clone());
        for (content, expected) in [
            ("s3cret", "s3cret"),
            ("s3cret\n", "s3cret"),
            ("s3cret\r\n", "s3cret"),
            ("a\n\n", "a\n"),
        ] {
            std::fs::write(dir.path().join("url"), content).unwrap();
            assert_eq!(expand("${cred:url}", &env).unwrap(), expected);
            assert_eq!(
                expand(&format!("<${{file:{at}/url}}>"), &env).unwrap(),
                format!("<{expected}>")
            );
        }
    }

    #[test]
    fn files_that_are_no_secret_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        for (name, content) in [("big", vec![b'x'; 64 * 1024 + 1]), ("binary", vec![0xff, 0xfe])] {
            let path = dir.path().join(name);
            std::fs::write(&path, content).unwrap();
            let error = expand(&format!("${{file:{}}}", path.display()), &env).unwrap_err();
            assert!(error.to_string().contains("can't be read"), "{error}");
        }
    }

    #[test]
    fn bad_references_are_refused_with_a_remedy() {
        for (text, message, remedy) in [
            ("${env:PW", "`${` without its `}`", "`$${`"),
            ("${ENV:PW}", "a `${…}` of no known kind", "${env:NAME}"),
            ("${PW}", "a `${…}` of no known kind", "${env:NAME}"),
            ("${}", "a `${…}` of no known kind", "${env:NAME}"),
            ("${env:}", "names no environment variable", "${env:CLOUD_URL}"),
            ("${env:A B}", "names no environment variable", "${env:CLOUD_URL}"),
            ("${env:NO}", "the environment variable `NO` is not set", "Set `NO`"),
            ("${file:pw}", "names no absolute path", "${file:/"),
            ("${file:/no/such}", "the file `/no/such` can't be read", "may read it"),
            ("${cred:../x}", "names no credential", "${cred:cloud_url}"),
            ("${cred:x}", "CREDENTIALS_DIRECTORY is not set", "LoadCredential=x:/path"),
        ] {
            let error = expand(text, &env).unwrap_err();
            assert!(error.to_string().contains(message), "{text}: {error}");
            assert!(error.remedy().contains(remedy), "{text}: {}", error.remedy());
        }
    }
}
