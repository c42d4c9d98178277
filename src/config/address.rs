//! An address on a command line: all users of the machine can read it there, so its password may
//! stand in it by reference only.

use secrecy::SecretString;

use super::ado;
use super::desktop::DesktopKind;
use super::expand::{Env, expand, unexpanded};
use crate::error::{Error, Result};

/// What `text` stands for. No error repeats it.
pub(super) fn read(text: &str, env: Env<'_>) -> Result<SecretString> {
    if has_password(&unexpanded(text)?) {
        return Err(Error::config(
            "it holds a password, which everybody on this machine can read on a command line",
            "Put the address into a variable, a file or a credential, and name that: '${env:NAME}', \
             '${file:/path}' or '${cred:name}'. And change the password.",
        ));
    }
    let address = expand(text, env)?;
    if DesktopKind::of_address(&address).is_some() {
        return Ok(address.into());
    }
    Err(Error::config(
        "it must be an address that begins with postgres://, postgresql:// or sqlserver://, or \
         Server=…;Database=…",
        "Write postgres://user@host:port/database, with a password in a variable: '${env:NAME}'.",
    ))
}

/// Whether there is one, or what may be a part of one.
fn has_password(text: &str) -> bool {
    let after_scheme = text.split_once("://").map_or(text, |(_, rest)| rest);
    let login = after_scheme.rsplit_once('@').map_or("", |(login, _)| login);
    let in_login = login.split_once(':').is_some_and(|(_, password)| !password.is_empty());
    let lower = text.to_lowercase();
    let set = |name: &str| lower.split(name).skip(1).any(is_set);
    // The colon of Server=tcp:host begins no password.
    in_login && !ado::is_ado(text) || set("password") || set("pwd")
}

/// Whether `rest`, which follows a name, sets it to anything.
fn is_set(rest: &str) -> bool {
    let Some(value) = rest.trim_start().strip_prefix('=').map(str::trim_start) else {
        return false;
    };
    let value = ["''", "\"\""].iter().find_map(|none| value.strip_prefix(none)).unwrap_or(value);
    !value.is_empty() && !value.starts_with(['&', ';'])
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn env(name: &str) -> Option<String> {
        match name {
            "URL" => Some("postgres://u:hunter2@h/d".into()),
            "PW" => Some("hunter2".into()),
            "PATH" => Some("/bin".into()),
            _ => None,
        }
    }

    #[test]
    fn a_password_may_stand_there_by_reference_only() {
        for (text, address) in [
            ("${env:URL}", "postgres://u:hunter2@h/d"),
            ("postgres://u@h:5432/d", "postgres://u@h:5432/d"),
            ("postgresql://u:${env:PW}@h/d", "postgresql://u:hunter2@h/d"),
            ("postgres://h/d?password=${env:PW}&port=1", "postgres://h/d?password=hunter2&port=1"),
            ("sqlserver://u:${env:PW}@h/d", "sqlserver://u:hunter2@h/d"),
            ("Server=tcp:h,1;UID=u@x;PWD=${env:PW};", "Server=tcp:h,1;UID=u@x;PWD=hunter2;"),
            ("Server=h;Password='${env:PW}'", "Server=h;Password='hunter2'"),
        ] {
            assert_eq!(read(text, &env).unwrap().expose_secret(), address);
        }
        for text in [
            "postgres://u:canary@h/d",
            "postgres://u:canary${env:PW}@h/d",
            "postgres://u:can/a@ry@h/d",
            "postgres://h/d?user=u&password=canary",
            "postgres://h/d?sslpassword=canary",
            "host=h password = canary",
            "u:canary@h",
            "sqlserver://u:canary@h/d",
            "Server=h;User Id=u;Password=canary",
            "Server=h;User Id=u;PWD = 'can;ary'",
            "Server=h;User Id=u;Password=''canary'",
        ] {
            let error = read(text, &env).unwrap_err();
            assert!(error.to_string().contains("holds a password"), "{text}: {error}");
            assert!(!format!("{error:?} {}", error.remedy()).contains("canary"));
        }
    }

    #[test]
    fn what_is_no_address_is_not_repeated() {
        for text in [
            "canary",
            "${env:PATH}",
            "${env:CANARY",
            "${canary}",
            "mysql://canary/d",
            "x=canary",
            "",
        ] {
            let error = read(text, &env).unwrap_err();
            assert!(!format!("{error:?} {}", error.remedy()).contains("canary"), "{text}");
        }
        let unset = read("${env:UNSET}", &env).unwrap_err();
        assert!(unset.to_string().contains("`UNSET` is not set"), "{unset}");
    }
}
