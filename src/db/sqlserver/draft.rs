//! What an address says, setting by setting, however it is written.

use secrecy::SecretString;

use crate::config::ado::{self, Pair};
use crate::error::{Error, Result};

pub(super) const EXAMPLE: &str = "sqlserver://user:password@host:1433/database";
const CONNECT_TIMEOUT_MAX: u64 = 600;
/// What the protocol allows; TLS carries no more than 16 KiB at once.
const PACKET_SIZES: std::ops::RangeInclusive<u64> = 512..=16 * 1024;

/// What drivers of Microsoft know, and what means nothing here.
const OTHERS: [&str; 15] = [
    "app",
    "applicationname",
    "commandtimeout",
    "connectionlifetime",
    "connectretrycount",
    "connectretryinterval",
    "loadbalancetimeout",
    "maxpoolsize",
    "minpoolsize",
    "multipleactiveresultsets",
    "multisubnetfailover",
    "persistsecurityinfo",
    "pooling",
    "workstationid",
    "wsid",
];

/// What the address says of TLS by itself.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Asks {
    pub(super) encrypt: Option<bool>,
    pub(super) trust: Option<bool>,
}

/// What was read so far.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) host: String,
    pub(super) port: Option<u16>,
    pub(super) instance: Option<String>,
    pub(super) database: String,
    pub(super) user: String,
    pub(super) password: SecretString,
    pub(super) connect_timeout: Option<u64>,
    pub(super) packet_size: Option<u64>,
    pub(super) asks: Asks,
    /// Where nobody quoted the password, the next name may be the rest of it.
    follows_password: bool,
}

impl Draft {
    /// Reads `text`, a URL or pairs. No error repeats a value.
    pub(super) fn of(text: &str) -> Result<Self> {
        let url = ["sqlserver://", "mssql://"].iter().find_map(|scheme| text.strip_prefix(scheme));
        match url {
            Some(rest) => Self::of_url(rest),
            None if ado::is_ado(text) => Self::of_pairs(text),
            None => Err(Error::config(
                "it is no SQL Server address",
                format!("Write it as {EXAMPLE}, or as Server=tcp:host,1433;Database=…;User Id=…."),
            )),
        }
    }

    /// `rest` is what stands after the scheme.
    fn of_url(rest: &str) -> Result<Self> {
        let (before, query) = rest.split_once('?').unwrap_or((rest, ""));
        // With a stray one, a part of the password would be taken for the host, and printed.
        let login = rest.split_once('@').map_or("", |(login, _)| login);
        if rest.matches('@').count() > 1 || login.contains(['/', '?']) || rest.contains(';') {
            return Err(Error::config(
                "it has more than one @, a / or ? before it, or a ;",
                "Where they belong to user, password or another value, write %40 for @, %2F for /, \
                 %3F for ? and %3B for ;. JDBC's form with ; is not read.",
            ));
        }
        let mut draft = Self::default();
        let (login, place) = before.split_once('@').unwrap_or(("", before));
        let (user, password) = login.split_once(':').unwrap_or((login, ""));
        draft.user = decoded(user)?;
        draft.password = decoded(password)?.into();
        let (server, database) = place.split_once('/').unwrap_or((place, ""));
        draft.server_of_url(server)?;
        draft.database = decoded(database.trim_end_matches('/'))?;
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            let (name, value) = parameter.split_once('=').ok_or_else(|| {
                Error::config("a parameter has no value", "Write each as name=value.")
            })?;
            draft.set(&ado::plain_name(name), decoded(value)?)?;
        }
        Ok(draft)
    }

    fn of_pairs(text: &str) -> Result<Self> {
        let mut draft = Self::default();
        for Pair { name, value } in ado::pairs(text)? {
            draft.set(&name, value)?;
            draft.follows_password = name == "password" || name == "pwd";
        }
        Ok(draft)
    }

    fn set(&mut self, name: &str, value: String) -> Result<()> {
        match name {
            "server" | "datasource" | "addr" | "address" | "networkaddress" => {
                self.server_of_pairs(&value)?;
            }
            "instance" => self.instance = Some(value),
            "database" | "initialcatalog" => {
                if !self.database.is_empty() && self.database != value {
                    return Err(Error::config(
                        "it names two databases",
                        format!(
                            "Write the database once, as in {EXAMPLE}, and a named instance as \
                             ?instance=NAME."
                        ),
                    ));
                }
                self.database = value;
            }
            "userid" | "uid" | "user" => self.user = value,
            "password" | "pwd" => self.password = value.into(),
            "connecttimeout" | "connectiontimeout" | "timeout" => {
                let range = 1..=CONNECT_TIMEOUT_MAX;
                self.connect_timeout = Some(number("the connect timeout", &value, range)?);
            }
            "packetsize" => {
                self.packet_size = Some(number("the packet size", &value, PACKET_SIZES)?);
            }
            "encrypt" => self.asks.encrypt = Some(encrypt(&value)?),
            "trustservercertificate" => self.asks.trust = Some(yes(name, &value)?),
            "integratedsecurity" | "trustedconnection" => {
                if value.eq_ignore_ascii_case("sspi") || yes(name, &value)? {
                    return Err(logins_only());
                }
            }
            "authentication" if !value.eq_ignore_ascii_case("sqlpassword") => {
                return Err(logins_only());
            }
            "authentication" => {}
            "applicationintent" if !value.eq_ignore_ascii_case("readwrite") => {
                return Err(Error::config(
                    "it asks for a read-only replica",
                    "Leave ApplicationIntent out: a replica lags behind, and takes no writes.",
                ));
            }
            "applicationintent" => {}
            name if OTHERS.contains(&name) => {}
            _ if self.follows_password => return Err(unknown("a setting")),
            name => return Err(unknown(&named(name))),
        }
        Ok(())
    }

    /// `host:port`, `[address]:port`
    fn server_of_url(&mut self, server: &str) -> Result<()> {
        let unread =
            || Error::config("its host or port can't be read", format!("Write it as {EXAMPLE}."));
        let (host, port) = match server.strip_prefix('[').and_then(|s| s.split_once(']')) {
            Some((host, "")) => (host, None),
            Some((host, port)) => (host, Some(port.strip_prefix(':').ok_or_else(unread)?)),
            None => match server.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (server, None),
            },
        };
        self.port = port.map(|port| port.parse().map_err(|_| unread())).transpose()?;
        self.place(&decoded(host)?)
    }

    /// `tcp:host\instance,port`
    fn server_of_pairs(&mut self, server: &str) -> Result<()> {
        let server = match server.split_once(':') {
            Some((protocol, rest)) if protocol.trim().eq_ignore_ascii_case("tcp") => rest,
            Some((protocol, _)) if ["np", "lpc", "admin"].contains(&protocol.trim()) => {
                return Err(Error::config(
                    "it asks for another protocol than TCP",
                    "Switch TCP/IP on in SQL Server Configuration Manager, and write \
                     Server=tcp:host,1433.",
                ));
            }
            _ => server,
        };
        let (host, port) = match server.rsplit_once(',') {
            Some((host, port)) => (host, Some(port.trim())),
            None => (server, None),
        };
        let unread = |_| {
            Error::config("its host or port can't be read", "Write it as Server=tcp:host,1433.")
        };
        self.port = port.map(|port| port.parse().map_err(unread)).transpose()?;
        self.place(host.trim())
    }

    fn place(&mut self, host: &str) -> Result<()> {
        let (host, instance) = match host.split_once('\\') {
            Some((host, instance)) => (host, Some(instance)),
            None => (host, None),
        };
        if host.eq_ignore_ascii_case("(localdb)") {
            return Err(Error::config(
                "a LocalDB has no network address",
                "Use an instance of SQL Server that listens on TCP.",
            ));
        }
        self.host = match host.to_lowercase().as_str() {
            "." | "(local)" => "localhost".to_owned(),
            _ => host.to_owned(),
        };
        self.instance = instance.map(str::to_owned).or(self.instance.take());
        Ok(())
    }
}

fn logins_only() -> Error {
    Error::config(
        "it asks for a Windows or Entra login, which tidegate can't give",
        "Make a login of SQL Server (create login … with password), let the server take those \
         (mixed mode), and write User Id and Password.",
    )
}

fn unknown(named: &str) -> Error {
    Error::config(
        format!("{named} is unknown to tidegate"),
        "Leave it out: settings of other drivers mean nothing here. If it is part of a value, quote \
         the value.",
    )
}

/// The name for a message, if it is safe to repeat: a word, no piece of a torn password.
fn named(name: &str) -> String {
    let word = name.chars().all(|c| c.is_ascii_alphanumeric());
    match word && (1..=40).contains(&name.len()) {
        true => format!("the setting {name}"),
        false => "a setting".to_owned(),
    }
}

fn number(what: &str, value: &str, range: std::ops::RangeInclusive<u64>) -> Result<u64> {
    value.trim().parse().ok().filter(|number| range.contains(number)).ok_or_else(|| {
        Error::config(
            format!("{what} is no number from {} to {}", range.start(), range.end()),
            "Correct it, or leave it out.",
        )
    })
}

fn yes(name: &str, value: &str) -> Result<bool> {
    match value.to_lowercase().as_str() {
        "true" | "yes" => Ok(true),
        "false" | "no" => Ok(false),
        _ => Err(Error::config(
            format!("the setting {name} is neither true nor false"),
            "Correct it, or leave it out.",
        )),
    }
}

fn encrypt(value: &str) -> Result<bool> {
    match value.to_lowercase().as_str() {
        "mandatory" => Ok(true),
        "optional" => Ok(false),
        "strict" => Err(Error::config(
            "it asks for Encrypt=Strict, which tidegate does not speak",
            "Leave Encrypt out, which encrypts and verifies, and let the server not force it.",
        )),
        value => yes("encrypt", value),
    }
}

/// A part of a URL as it is meant.
fn decoded(text: &str) -> Result<String> {
    let unread = || {
        Error::config(
            "it has a % that stands for nothing",
            "Write %25 for a % in user, password or another value.",
        )
    };
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = after.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        let digits = digits.filter(|two| two.bytes().all(|c| c.is_ascii_hexdigit()));
        let value = digits.and_then(|two| u8::from_str_radix(two, 16).ok());
        bytes.push(value.ok_or_else(unread)?);
        rest = &after[2..];
    }
    String::from_utf8(bytes).map_err(|_| unread())
}
