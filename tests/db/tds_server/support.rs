//! A PostgreSQL with the server before it, and a client.

use tiberius::{AuthMethod, ColumnData, Config, EncryptionLevel};
use tidegate::demo::Cluster;
use tokio::net::TcpStream;
use tokio_util::compat::{Compat, TokioAsyncWriteCompatExt};

use crate::support::connect;
use crate::tds::Server;

pub type Client = tiberius::Client<Compat<TcpStream>>;

/// Gone when dropped, the server first.
pub struct Desktop {
    pub server: Server,
    pub cluster: Cluster,
}

impl Desktop {
    pub fn open() -> Self {
        let cluster = Cluster::start("tds", &[]).unwrap();
        cluster.create_database("desktop", None).unwrap();
        Self { server: Server::start(&cluster.url("desktop")), cluster }
    }

    pub async fn client(&self) -> Client {
        let config = self.config(EncryptionLevel::NotSupported);
        connect_with(config).await.unwrap()
    }

    pub fn config(&self, encryption: EncryptionLevel) -> Config {
        let mut config = Config::new();
        config.host("127.0.0.1");
        config.port(self.server.port());
        config.database("desktop");
        config.authentication(AuthMethod::sql_server("sa", "Passw0rd!"));
        config.encryption(encryption);
        config.trust_cert();
        config
    }

    /// A session of the PostgreSQL behind the server.
    pub async fn postgres(&self) -> tokio_postgres::Client {
        connect(&self.cluster.url("desktop")).await
    }
}

pub async fn connect_with(config: Config) -> tiberius::Result<Client> {
    let stream = TcpStream::connect(config.get_addr()).await?;
    stream.set_nodelay(true)?;
    Box::pin(Client::connect(config, stream.compat_write())).await
}

/// The number of the error that a batch ends with.
pub async fn error_of(client: &mut Client, batch: &str) -> Option<u32> {
    let outcome = match client.simple_query(batch).await {
        Ok(stream) => stream.into_results().await.map(drop),
        Err(error) => Err(error),
    };
    outcome.err().map(|error| error.code().unwrap_or(0))
}

/// Runs a batch that must succeed.
pub async fn run(client: &mut Client, batch: &str) {
    let stream = client.simple_query(batch).await;
    let outcome = match stream {
        Ok(stream) => stream.into_results().await.map(drop),
        Err(error) => Err(error),
    };
    outcome.unwrap_or_else(|error| panic!("{batch}: {error}"));
}

/// The rows of a batch's last result, values with bars between them.
pub async fn rows(client: &mut Client, batch: &str) -> Vec<String> {
    let outcome = match client.simple_query(batch).await {
        Ok(stream) => stream.into_results().await,
        Err(error) => Err(error),
    };
    let mut results = outcome.unwrap_or_else(|error| panic!("{batch}: {error}"));
    let rows = results.pop().unwrap_or_default();
    rows.iter()
        .map(|row| row.cells().map(|(_, data)| shown(data)).collect::<Vec<_>>().join("|"))
        .collect()
}

fn shown(data: &ColumnData<'static>) -> String {
    let shown: Option<String> = match data {
        ColumnData::Bit(v) => v.map(|v| u8::from(v).to_string()),
        ColumnData::U8(v) => v.map(|v| v.to_string()),
        ColumnData::I16(v) => v.map(|v| v.to_string()),
        ColumnData::I32(v) => v.map(|v| v.to_string()),
        ColumnData::I64(v) => v.map(|v| v.to_string()),
        ColumnData::F32(v) => v.map(|v| v.to_string()),
        ColumnData::F64(v) => v.map(|v| v.to_string()),
        ColumnData::String(v) => v.as_deref().map(str::to_owned),
        ColumnData::Guid(v) => v.map(|v| v.to_string()),
        ColumnData::Numeric(v) => v.map(|v| v.to_string()),
        ColumnData::Binary(v) => v.as_deref().map(|v| format!("{v:02x?}").replace(", ", "")),
        other => Some(format!("{other:?}")),
    };
    shown.unwrap_or_else(|| "null".to_owned())
}
