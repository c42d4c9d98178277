//! Client certificates: the right one logs in, any other says what is wrong with it.

use std::io::{Read, Write};
use std::process::Command;

use rcgen::{PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256};
use tokio_postgres::NoTls;

use super::*;

/// A server that lets [`USER`] in over TLS only, with a certificate of `authority`.
async fn strict_cluster(authority: &Authority) -> Cluster {
    let cluster = cluster(Some(&authority.issue(4000))).await;
    give(&cluster, "client_ca.pem", &authority.issuer.pem());
    let admin = connect(&local(&cluster)).await;
    admin.batch_execute("alter system set ssl_ca_file = 'client_ca.pem'").await.unwrap();
    give(&cluster, "pg_hba.conf", "hostssl all all all cert\n");
    admin.batch_execute("select pg_reload_conf()").await.unwrap();
    while tokio_postgres::connect(&local(&cluster), NoTls).await.is_ok() {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    cluster
}

/// Writes a file that only its owner may read, and gives its path.
fn write(dir: &TempDir, name: &str, content: &str) -> String {
    let path = dir.path().join(name);
    std::fs::write(&path, content).unwrap();
    std::fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    path.display().to_string()
}

/// The key of a PKCS#8 file in the older form of its kind (PKCS#1, SEC1).
fn traditional(key: &str) -> String {
    let out = Command::new("openssl").args(["pkey", "-traditional", "-in", key]).output().unwrap();
    assert!(out.status.success(), "{out:?}");
    String::from_utf8(out.stdout).unwrap()
}

/// A URL of `cluster` with `authority`, and this certificate and key.
fn url(cluster: &Cluster, authority: &Authority, certificate: &str, key: &str) -> String {
    let files = format!("&sslcert={certificate}&sslkey={key}");
    remote(NAME, cluster.port(), &format!("&sslrootcert={}{files}", authority.file()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_certificate_logs_in() {
    let authority = authority();
    let cluster = strict_cluster(&authority).await;
    let dir = tempfile::tempdir().unwrap();
    let sql = "select client_dn from pg_stat_ssl where pid = pg_backend_pid()";
    for (algorithm, older) in [
        (&PKCS_ECDSA_P256_SHA256, "BEGIN EC PRIVATE KEY"),
        (&PKCS_RSA_SHA256, "BEGIN RSA PRIVATE KEY"),
    ] {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let certificate = write(&dir, "client.pem", &authority.certify(USER, &key));
        let pkcs8 = write(&dir, "client.key", &key.serialize_pem());
        let text = traditional(&pkcs8);
        assert!(text.contains(older), "{older}");
        let traditional = write(&dir, "traditional.key", &text);
        for key in [pkcs8, traditional] {
            let url = url(&cluster, &authority, &certificate, &key);
            assert_eq!(one(&url, sql).await, format!("/CN={USER}"), "{key}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_right_client_certificate_the_login_is_refused() {
    let (authority, stranger) = (authority(), authority());
    let cluster = strict_cluster(&authority).await;
    let dir = tempfile::tempdir().unwrap();
    let key = KeyPair::generate().unwrap();
    let key_file = write(&dir, "client.key", &key.serialize_pem());
    let remedy = "sslcert=/path/to/it and sslkey=";

    let none = remote(NAME, cluster.port(), &format!("&sslrootcert={}", authority.file()));
    refused(&none, Kind::Unauthorised, &["client certificate", remedy]).await;

    let somebody = write(&dir, "somebody.pem", &authority.certify("somebody", &key));
    let somebody = url(&cluster, &authority, &somebody, &key_file);
    refused(&somebody, Kind::Unauthorised, &["client certificate of the user", remedy]).await;

    let unknown = write(&dir, "unknown.pem", &stranger.certify(USER, &key));
    let unknown = url(&cluster, &authority, &unknown, &key_file);
    refused(&unknown, Kind::Unauthorised, &["refused tidegate's certificate", remedy]).await;
}

/// Neon and others tell their databases from each other by it.
#[tokio::test(flavor = "multi_thread")]
async fn the_name_of_the_host_is_sent() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    let hello = std::thread::spawn(move || {
        let (mut client, _) = server.accept().unwrap();
        client.read_exact(&mut [0; 8]).unwrap();
        client.write_all(b"S").unwrap();
        let mut hello = vec![0; 4096];
        let length = client.read(&mut hello).unwrap();
        hello.truncate(length);
        hello
    });
    refused(&remote(NAME, port, ""), UNREACHABLE, &[]).await;
    let hello = hello.join().unwrap();
    assert!(hello.windows(NAME.len()).any(|part| part == NAME.as_bytes()));
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_a_client_certificate_have_to_fit() {
    let authority = authority();
    let dir = tempfile::tempdir().unwrap();
    let (key, other) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let certificate = write(&dir, "client.pem", &authority.certify(USER, &key));
    let right = write(&dir, "client.key", &key.serialize_pem());
    let other = write(&dir, "other.key", &other.serialize_pem());
    let encrypted = key.serialize_pem().replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    let encrypted = write(&dir, "encrypted.key", &encrypted);
    let old = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES\n\nAAAA\n\
               -----END RSA PRIVATE KEY-----\n";
    let old = write(&dir, "old.key", old);
    let torn = write(&dir, "torn.key", "-----BEGIN PRIVATE KEY-----\ncanary\n");
    let empty = write(&dir, "empty.pem", "nothing");
    let check = async |certificate: &str, key: &str, parts: &[&str]| {
        let more = format!("&sslrootcert={}&sslcert={certificate}&sslkey={key}", authority.file());
        refused(&remote(NAME, 1, &more), Kind::Config, parts).await;
    };
    check("/no/client.pem", &right, &["[cloud] url: sslcert /no/client.pem", "No such file"]).await;
    check(&certificate, "/no/client.key", &["sslkey /no/client.key", "No such file"]).await;
    check(&certificate, "/tmp", &["sslkey /tmp: not a file"]).await;
    check(&certificate, &other, &["not the key of the certificate", "made for each other"]).await;
    check(&certificate, &encrypted, &["it is encrypted", "openssl pkey"]).await;
    check(&certificate, &old, &["it is encrypted", "openssl pkey"]).await;
    check(&certificate, &torn, &[&torn, "no PEM file"]).await;
    check(&certificate, &empty, &["no private key in it"]).await;
    check(&empty, &right, &["no certificate in it"]).await;
    check(&certificate, &certificate, &["no private key in it"]).await;
    // Root's own may be read by a group.
    for mode in [0o604, 0o620, 0o644, 0o777] {
        std::fs::set_permissions(&right, Permissions::from_mode(mode)).unwrap();
        check(&certificate, &right, &["others than its owner", "chmod 600"]).await;
    }
}
