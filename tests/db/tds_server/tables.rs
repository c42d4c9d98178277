//! Tables and what the catalogue says of them.

use super::support::{Desktop, error_of, rows, run};
use crate::tds;

#[tokio::test(flavor = "multi_thread")]
async fn the_catalogue_describes_columns_as_sql_server_does() {
    let desktop = Desktop::open();
    let mut client = desktop.client().await;
    let table = "CREATE SCHEMA [s]; CREATE TABLE [s].[It's] ([a] int IDENTITY(1,1) NOT NULL, \
                 [n] nvarchar(20) COLLATE Latin1_General_BIN2 NOT NULL, [m] nvarchar(max) NULL, \
                 [d] decimal(19,4) NULL DEFAULT ((0)), [v] varbinary(8), [t] datetime2(3), \
                 [o] datetimeoffset(0), [r] rowversion, [u] uniqueidentifier DEFAULT (NEWID()), \
                 [b] bit NOT NULL CONSTRAINT [DF_b] DEFAULT ((1)), [y] money, \
                 [c] AS ([a] + 1) PERSISTED)";
    run(&mut client, table).await;
    let query = "SELECT c.[name], t.[name], c.max_length, c.[precision], c.scale, c.is_nullable, \
                 c.is_identity, c.is_computed, c.collation_name \
                 FROM sys.columns c JOIN sys.types t ON t.user_type_id = c.user_type_id \
                 WHERE c.[object_id] = OBJECT_ID(N'[s].[It''s]') ORDER BY c.column_id";
    let insensitive = "SQL_Latin1_General_CP1_CI_AS";
    let wanted = [
        "a|int|4|10|0|0|1|0|null".to_owned(),
        "n|nvarchar|40|0|0|0|0|0|Latin1_General_BIN2".to_owned(),
        format!("m|nvarchar|-1|0|0|1|0|0|{insensitive}"),
        "d|decimal|9|19|4|1|0|0|null".to_owned(),
        "v|varbinary|8|0|0|1|0|0|null".to_owned(),
        "t|datetime2|7|23|3|1|0|0|null".to_owned(),
        "o|datetimeoffset|8|26|0|1|0|0|null".to_owned(),
        "r|timestamp|8|0|0|1|0|0|null".to_owned(),
        "u|uniqueidentifier|16|0|0|1|0|0|null".to_owned(),
        "b|bit|1|1|0|0|0|0|null".to_owned(),
        "y|money|8|19|4|1|0|0|null".to_owned(),
        "c|int|4|10|0|1|0|1|null".to_owned(),
    ];
    assert_eq!(rows(&mut client, query).await, wanted);
    let names = "SELECT s.[name], t.[name] FROM sys.tables t \
                 JOIN sys.schemas s ON s.schema_id = t.schema_id";
    assert_eq!(rows(&mut client, names).await, ["s|It's"]);
    let columns = "SELECT COUNT(*) FROM INFORMATION_SCHEMA.COLUMNS WHERE TABLE_SCHEMA = 's'";
    assert_eq!(rows(&mut client, columns).await, ["12"]);
    let defaults = "SELECT COUNT(*) FROM sys.default_constraints d \
                    WHERE d.parent_object_id = OBJECT_ID('s.It''s')";
    assert_eq!(rows(&mut client, defaults).await, ["3"]);
    let seeds = "SELECT [name], seed_value, increment_value FROM sys.identity_columns";
    assert_eq!(rows(&mut client, seeds).await, ["a|1|1"]);
    assert_eq!(rows(&mut client, "SELECT [name] FROM sys.computed_columns").await, ["c"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_catalogue_describes_keys_and_indexes() {
    let desktop = Desktop::open();
    let mut client = desktop.client().await;
    let tables = "CREATE TABLE [dbo].[p] ([a] int NOT NULL, [b] int NOT NULL, [c] int, \
                  CONSTRAINT [PK_p] PRIMARY KEY CLUSTERED ([b] ASC, [a] DESC) \
                  WITH (PAD_INDEX = OFF) ON [PRIMARY]); \
                  CREATE UNIQUE NONCLUSTERED INDEX [ux] ON [dbo].[p] ([c] DESC) INCLUDE ([a]) \
                  WHERE [c] IS NOT NULL WITH (ONLINE = OFF); \
                  CREATE TABLE [dbo].[k] ([a] int, [b] int); \
                  ALTER TABLE [dbo].[k] WITH CHECK ADD CONSTRAINT [FK_k] \
                  FOREIGN KEY ([b], [a]) REFERENCES [dbo].[p] ([b], [a]) ON DELETE CASCADE; \
                  ALTER TABLE [dbo].[k] ADD CONSTRAINT [CK_k] CHECK ([a] > 0), [d] date NULL; \
                  ALTER TABLE [dbo].[k] ALTER COLUMN [d] datetime2(3) NOT NULL";
    run(&mut client, tables).await;
    let indexes = "SELECT i.[name], i.type_desc, i.is_unique, i.is_primary_key, i.has_filter, \
                   c.[name], ic.key_ordinal, ic.is_descending_key, ic.is_included_column \
                   FROM sys.indexes i JOIN sys.index_columns ic ON ic.[object_id] = i.[object_id] \
                   AND ic.index_id = i.index_id JOIN sys.columns c ON c.[object_id] = i.[object_id] \
                   AND c.column_id = ic.column_id WHERE i.[object_id] = OBJECT_ID('dbo.p', 'U') \
                   ORDER BY i.index_id, ic.index_column_id";
    let wanted = [
        "PK_p|CLUSTERED|1|1|0|b|1|0|0",
        "PK_p|CLUSTERED|1|1|0|a|2|0|0",
        "ux|NONCLUSTERED|1|0|1|c|1|1|0",
        "ux|NONCLUSTERED|1|0|1|a|0|0|1",
    ];
    assert_eq!(rows(&mut client, indexes).await, wanted);
    let keys = "SELECT f.[name], OBJECT_NAME(f.referenced_object_id), \
                f.delete_referential_action_desc, c.parent_column_id, c.referenced_column_id \
                FROM sys.foreign_keys f JOIN sys.foreign_key_columns c \
                ON c.constraint_object_id = f.[object_id] ORDER BY c.constraint_column_id";
    assert_eq!(rows(&mut client, keys).await, ["FK_k|p|CASCADE|2|2", "FK_k|p|CASCADE|1|1"]);
    assert_eq!(rows(&mut client, "SELECT [name] FROM sys.check_constraints").await, ["CK_k"]);
    let primary = "SELECT [name], type FROM sys.key_constraints";
    assert_eq!(rows(&mut client, primary).await, ["PK_p|PK"]);
    run(&mut client, "DROP TABLE IF EXISTS [dbo].[nope], [dbo].[k]; TRUNCATE TABLE [dbo].[p]")
        .await;
    run(&mut client, "DROP INDEX [ux] ON [dbo].[p]; DROP TABLE [dbo].[p]").await;
    assert_eq!(error_of(&mut client, "DROP TABLE [dbo].[p]").await, Some(208));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_and_the_database_describe_themselves() {
    let desktop = Desktop::open();
    let mut client = desktop.client().await;
    let database = "SELECT [name], snapshot_isolation_state, is_read_committed_snapshot_on, \
                    compatibility_level FROM sys.databases WHERE database_id = DB_ID()";
    assert_eq!(rows(&mut client, database).await, ["desktop|1|0|160"]);
    run(&mut client, "ALTER DATABASE [desktop] SET ALLOW_SNAPSHOT_ISOLATION OFF").await;
    assert_eq!(rows(&mut client, database).await, ["desktop|0|0|160"]);
    let server = "SELECT CAST(SERVERPROPERTY('ProductMajorVersion') AS int), SCHEMA_NAME(), \
                  IS_SRVROLEMEMBER('sysadmin'), LEN(N'ab  '), DATALENGTH(N'é😀'), \
                  IIF(1 = 1, N'y', N'n'), HASHBYTES('SHA2_256', 0x00), ISNULL(NULL, 3)";
    let hash = "[6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d]";
    let wanted = format!("16|dbo|1|2|6|y|{hash}|3");
    assert_eq!(rows(&mut client, server).await, [wanted]);
    let clock = "SELECT DATEDIFF_BIG(second, DATEADD(day, -1, SYSUTCDATETIME()), SYSUTCDATETIME())";
    let seconds: i64 = rows(&mut client, clock).await[0].parse().unwrap();
    assert!((86_400..86_405).contains(&seconds));
    assert_eq!(
        rows(
            &mut client,
            "SELECT 1 WHERE @@SPID IN (SELECT session_id FROM \
                                  sys.dm_exec_sessions)"
        )
        .await,
        ["1"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_sets_up_tables_without_a_connection_to_the_server() {
    let desktop = Desktop::open();
    let postgres = desktop.postgres().await;
    let batch = "CREATE TABLE [dbo].[t] ([a] int); INSERT INTO [dbo].[t] VALUES (4)";
    tds::execute(&postgres, batch).await.unwrap();
    let mut client = desktop.client().await;
    assert_eq!(rows(&mut client, "SELECT [a] FROM [dbo].[t]").await, ["4"]);
}
