//! Who comes in, and how.

use tiberius::{AuthMethod, Config, EncryptionLevel};

use super::support::{Desktop, connect_with, error_of, rows};
use crate::tds::TlsMode;

async fn refused(config: Config) -> Option<u32> {
    connect_with(config).await.err().and_then(|error| error.code())
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_right_password_and_database_come_in() {
    let desktop = Desktop::open();
    let mut config = desktop.config(EncryptionLevel::NotSupported);
    config.authentication(AuthMethod::sql_server("sa", "passw0rd!"));
    assert_eq!(refused(config).await, Some(18456));
    let mut config = desktop.config(EncryptionLevel::NotSupported);
    config.database("shop");
    assert_eq!(refused(config).await, Some(4060));
    let mut client = desktop.client().await;
    assert_eq!(rows(&mut client, "SELECT DB_NAME()").await, ["desktop"]);
    assert!(desktop.server.url().starts_with("sqlserver://sa:Passw0rd!@127.0.0.1:"));
    assert!(desktop.server.url().ends_with("/desktop"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_has_the_rights_of_its_role() {
    let mut desktop = Desktop::open();
    let mut client = desktop.client().await;
    let postgres = desktop.postgres().await;
    postgres.batch_execute("create role reader").await.unwrap();
    let tables = "CREATE TABLE [dbo].[seen] ([a] int); CREATE TABLE [dbo].[hidden] ([a] int); \
                  GRANT SELECT ON [dbo].[seen] TO [reader]";
    super::support::run(&mut client, tables).await;
    desktop.server = desktop.server.with_login("reader", "secret", "reader");
    let mut config = desktop.config(EncryptionLevel::NotSupported);
    config.authentication(AuthMethod::sql_server("reader", "secret"));
    let mut reader = connect_with(config).await.unwrap();
    assert_eq!(error_of(&mut reader, "SELECT [a] FROM [dbo].[hidden]").await, Some(229));
    let asked = "SELECT HAS_PERMS_BY_NAME(N'[dbo].[seen]', 'OBJECT', 'SELECT'), \
                 HAS_PERMS_BY_NAME(N'[dbo].[seen]', 'OBJECT', 'INSERT'), IS_SRVROLEMEMBER('sysadmin')";
    assert_eq!(rows(&mut reader, asked).await, ["1|0|0"]);
    assert_eq!(rows(&mut reader, "SELECT [a] FROM [dbo].[seen]").await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_encryption_is_spoken() {
    let mut desktop = Desktop::open();
    for (mode, wanted) in [
        (TlsMode::NotSupported, EncryptionLevel::NotSupported),
        (TlsMode::LoginOnly, EncryptionLevel::NotSupported),
        (TlsMode::LoginOnly, EncryptionLevel::Off),
        (TlsMode::LoginOnly, EncryptionLevel::Required),
        (TlsMode::Required, EncryptionLevel::Required),
        (TlsMode::Strict, EncryptionLevel::Strict),
    ] {
        desktop.server = desktop.server.with_tls(mode);
        let mut client = connect_with(desktop.config(wanted)).await.unwrap();
        let many = "SELECT COUNT_BIG(*) FROM (SELECT TOP 20000 a.[object_id] FROM sys.columns a \
                    CROSS JOIN sys.type_ids b) x";
        assert_eq!(rows(&mut client, many).await.len(), 1, "{mode:?} {wanted:?}");
    }
    desktop.server = desktop.server.with_tls(TlsMode::Required);
    let plain = desktop.config(EncryptionLevel::NotSupported);
    assert!(connect_with(plain).await.is_err());
    desktop.server = desktop.server.with_tls(TlsMode::NotSupported);
    let required = desktop.config(EncryptionLevel::Required);
    assert!(connect_with(required).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_trusted_by_its_authority_only() {
    let mut desktop = Desktop::open();
    desktop.server = desktop.server.with_tls(TlsMode::Required);
    let config = |authority: Option<&str>| {
        let mut config = Config::new();
        config.host("localhost");
        config.port(desktop.server.port());
        config.authentication(AuthMethod::sql_server("sa", "Passw0rd!"));
        config.encryption(EncryptionLevel::Required);
        if let Some(authority) = authority {
            config.trust_cert_ca_bundle(authority.as_bytes().to_vec());
        }
        config
    };
    assert!(connect_with(config(Some(desktop.server.certificate()))).await.is_ok());
    assert!(connect_with(config(None)).await.is_err());
}
