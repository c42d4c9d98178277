//! Batches, transactions, errors and cancellation.

use std::time::Duration;

use futures_util::TryStreamExt;

use super::support::{Desktop, error_of, rows, run};
use crate::support::until;

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_gives_several_results() {
    let desktop = Desktop::open();
    let mut client = desktop.client().await;
    let batch = "SELECT TOP (1) [a] AS x FROM (VALUES (1), (2)) v([a]) ORDER BY [a] DESC \
                 SELECT N'it''s ✓' AS t; SELECT @@TRANCOUNT";
    let results = client.simple_query(batch).await.unwrap().into_results().await.unwrap();
    assert_eq!(results.len(), 3);
    assert_eq!(results[0][0].get::<i32, _>("x"), Some(2));
    assert_eq!(results[1][0].get::<&str, _>(0), Some("it's ✓"));
    assert_eq!(error_of(&mut client, "SELECT 1 FROM [dbo].[nope]").await, Some(208));
    assert_eq!(error_of(&mut client, "MERGE x").await, Some(40000));
    assert_eq!(desktop.server.statements().last().unwrap(), "MERGE x");
}

#[tokio::test(flavor = "multi_thread")]
async fn variables_and_conditions_are_followed() {
    let desktop = Desktop::open();
    let mut client = desktop.client().await;
    let batch = "DECLARE @a int = 2, @b nvarchar(20), @r int; \
                 SET @b = N'x' + CONVERT(nvarchar(10), @a); \
                 SELECT TOP 1 @a = v.[n] FROM (VALUES (7)) v([n]); \
                 EXEC @r = sp_getapplock @Resource = N'k', @LockMode = 'Exclusive', \
                 @LockOwner = 'Session', @LockTimeout = 0; \
                 IF @a > 5 AND NOT EXISTS (SELECT 1 WHERE 1 = 0) BEGIN SELECT @a, @b, @r END \
                 ELSE SELECT 0";
    assert_eq!(rows(&mut client, batch).await, ["7|x2|0"]);
    let other = "DECLARE @r int; EXEC @r = sp_getapplock @Resource = N'k', \
                 @LockOwner = 'Session', @LockTimeout = 0; SELECT @r";
    let mut second = desktop.client().await;
    assert_eq!(rows(&mut second, other).await, ["-1"]);
    let nested = "EXEC sp_executesql N'SELECT @x + 1', N'@x int', @x = 4";
    assert_eq!(rows(&mut client, nested).await, ["5"]);
    let tried = "BEGIN TRY SELECT 1 / 0 END TRY BEGIN CATCH SELECT ERROR_NUMBER() END CATCH";
    assert_eq!(rows(&mut client, tried).await, ["8134"]);
    assert_eq!(error_of(&mut client, "THROW 51234, 'no', 1").await, Some(51234));
    assert_eq!(error_of(&mut client, "SELECT @z").await, Some(137));
}

#[tokio::test(flavor = "multi_thread")]
async fn transactions_commit_and_roll_back() {
    let desktop = Desktop::open();
    let mut client = desktop.client().await;
    run(&mut client, "CREATE TABLE [dbo].[t] ([a] int NOT NULL CONSTRAINT [pk] PRIMARY KEY)").await;
    let count = "SELECT COUNT_BIG(*), @@TRANCOUNT FROM [dbo].[t]";
    client.begin_transaction().await.unwrap();
    run(&mut client, "INSERT INTO [dbo].[t] VALUES (1)").await;
    client.rollback_transaction().await.unwrap();
    assert_eq!(rows(&mut client, count).await, ["0|0"]);
    run(&mut client, "BEGIN TRAN; BEGIN TRANSACTION; INSERT [dbo].[t] VALUES (1); COMMIT").await;
    assert_eq!(rows(&mut client, count).await, ["1|1"]);
    run(&mut client, "IF @@TRANCOUNT > 0 COMMIT TRANSACTION").await;
    assert_eq!(rows(&mut client, count).await, ["1|0"]);
    assert_eq!(error_of(&mut client, "COMMIT").await, Some(3902));
    // Without XACT_ABORT a statement that fails leaves the transaction, and the batch goes on.
    let batch = "BEGIN TRAN INSERT [dbo].[t] VALUES (1); INSERT [dbo].[t] VALUES (2); COMMIT";
    assert_eq!(error_of(&mut client, batch).await, Some(2627));
    assert_eq!(rows(&mut client, count).await, ["2|0"]);
    let batch = "SET XACT_ABORT ON BEGIN TRAN INSERT [dbo].[t] VALUES (3); \
                 INSERT [dbo].[t] VALUES (1); COMMIT";
    assert_eq!(error_of(&mut client, batch).await, Some(2627));
    assert_eq!(rows(&mut client, count).await, ["2|0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_have_the_numbers_of_sql_server() {
    let desktop = Desktop::open();
    let mut client = desktop.client().await;
    let tables = "CREATE TABLE [dbo].[p] ([a] int NOT NULL PRIMARY KEY, [s] nvarchar(3) NULL, \
                  [n] tinyint CHECK ([n] < 9)); \
                  CREATE TABLE [dbo].[c] ([a] int REFERENCES [dbo].[p] ([a])); \
                  INSERT INTO [dbo].[p] VALUES (1, N'x', 1)";
    run(&mut client, tables).await;
    for (batch, number) in [
        ("INSERT INTO [dbo].[p] ([a]) VALUES (1)", 2627),
        ("INSERT INTO [dbo].[p] ([a]) VALUES (NULL)", 515),
        ("INSERT INTO [dbo].[p] ([a], [n]) VALUES (2, 9)", 547),
        ("INSERT INTO [dbo].[c] VALUES (5)", 547),
        ("UPDATE [dbo].[p] SET [s] = N'long'", 2628),
        ("SELECT CAST(3000000000 AS int)", 8115),
        ("SELECT [b] FROM [dbo].[p]", 207),
        ("SELECT NO_SUCH(1)", 195),
        ("CREATE TABLE [dbo].[p] ([a] int)", 2714),
        ("SELECT 1 FROM", 40000),
    ] {
        assert_eq!(error_of(&mut client, batch).await, Some(number), "{batch}");
    }
    desktop.server.fail_next("[dbo].[p]", 1205);
    run(&mut client, "BEGIN TRAN").await;
    assert_eq!(error_of(&mut client, "SELECT [a] FROM [dbo].[p]").await, Some(1205));
    assert_eq!(rows(&mut client, "SELECT @@TRANCOUNT").await, ["0"]);
    assert_eq!(rows(&mut client, "SELECT [a] FROM [dbo].[p]").await, ["1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_is_waited_for_as_long_as_was_said() {
    let desktop = Desktop::open();
    let (mut first, mut second) = (desktop.client().await, desktop.client().await);
    run(&mut first, "CREATE TABLE [dbo].[t] ([a] int); INSERT [dbo].[t] VALUES (1)").await;
    let locked = "BEGIN TRAN SELECT [a] FROM [dbo].[t] WITH (UPDLOCK, HOLDLOCK) WHERE [a] = 1";
    assert_eq!(rows(&mut first, locked).await, ["1"]);
    let change = "SET LOCK_TIMEOUT 20; UPDATE [dbo].[t] SET [a] = 2";
    assert_eq!(error_of(&mut second, change).await, Some(1222));
    run(&mut first, "ROLLBACK").await;
    run(&mut second, change).await;
    let snapshot = "SET TRANSACTION ISOLATION LEVEL SNAPSHOT BEGIN TRAN SELECT [a] FROM [dbo].[t]";
    assert_eq!(rows(&mut first, snapshot).await, ["2"]);
    run(&mut second, "UPDATE [dbo].[t] SET [a] = 3").await;
    assert_eq!(rows(&mut first, "SELECT [a] FROM [dbo].[t]").await, ["2"]);
    run(&mut second, "ALTER DATABASE [desktop] SET ALLOW_SNAPSHOT_ISOLATION OFF").await;
    let refused = "SET TRANSACTION ISOLATION LEVEL SNAPSHOT; BEGIN TRAN";
    assert_eq!(error_of(&mut second, refused).await, Some(3952));
    let conflict = "UPDATE [dbo].[t] SET [a] = 4";
    assert_eq!(error_of(&mut first, conflict).await, Some(3960));
    assert_eq!(rows(&mut first, "SELECT @@TRANCOUNT").await, ["0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn attention_cancels_and_the_connection_stays() {
    let desktop = Desktop::open();
    let mut client = desktop.client().await;
    let patience = Duration::from_millis(100);
    let waits = client.simple_query("WAITFOR DELAY '00:01:00'");
    assert!(tokio::time::timeout(patience, waits).await.is_err());
    client.cancel_query().await.unwrap();
    assert_eq!(rows(&mut client, "SELECT 9").await, ["9"]);
    let many = "SELECT a.[name] FROM sys.types a CROSS JOIN sys.types b CROSS JOIN sys.types c \
                CROSS JOIN sys.types d CROSS JOIN sys.types e";
    {
        let mut stream = client.simple_query(many).await.unwrap();
        assert!(stream.try_next().await.unwrap().is_some());
        assert!(stream.try_next().await.unwrap().is_some());
    }
    client.cancel_query().await.unwrap();
    assert_eq!(rows(&mut client, "SELECT 8").await, ["8"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_is_gone_leaves_nothing_behind() {
    let desktop = Desktop::open();
    let mut client = desktop.client().await;
    run(&mut client, "CREATE TABLE [dbo].[t] ([a] int)").await;
    run(&mut client, "BEGIN TRAN; INSERT [dbo].[t] VALUES (1)").await;
    drop(client);
    let postgres = desktop.postgres().await;
    let alone = "not exists (select from pg_stat_activity where pid <> pg_backend_pid() \
                 and datname = 'desktop')";
    until(&postgres, alone).await;
    let mut client = desktop.client().await;
    assert_eq!(rows(&mut client, "SELECT COUNT(*) FROM [dbo].[t]").await, ["0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_temporary_table_lives_as_long_as_what_made_it() {
    let desktop = Desktop::open();
    let mut client = desktop.client().await;
    run(&mut client, "CREATE TABLE #a ([x] int); SELECT 5 AS [y] INTO #b").await;
    run(&mut client, "INSERT INTO #a SELECT [y] FROM #b").await;
    assert_eq!(rows(&mut client, "SELECT [x] FROM #a").await, ["5"]);
    assert_eq!(rows(&mut client, "SELECT OBJECT_ID('tempdb..#nope')").await, ["null"]);
    assert_eq!(rows(&mut client, "IF OBJECT_ID('tempdb..#a') IS NOT NULL SELECT 1").await, ["1"]);
    client.execute("CREATE TABLE #c ([x] int)", &[]).await.unwrap();
    assert_eq!(error_of(&mut client, "SELECT [x] FROM #c").await, Some(208));
    let mut other = desktop.client().await;
    assert_eq!(error_of(&mut other, "SELECT [x] FROM #a").await, Some(208));
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_of_many_kinds_are_understood() {
    let desktop = Desktop::open();
    let mut client = desktop.client().await;
    let loops = "SET NOCOUNT ON; DECLARE @i int = 0; WHILE @i < 3 BEGIN SET @i += 1 END; SELECT @i";
    assert_eq!(rows(&mut client, loops).await, ["3"]);
    let dynamic = "IF SCHEMA_ID(N'q') IS NULL EXEC(N'CREATE SCHEMA [q]'); \
                   IF OBJECT_ID(N'[q].[t]', N'U') IS NULL CREATE TABLE [q].[t] ([a] int NOT NULL, \
                   [b] datetime2(3) NOT NULL CONSTRAINT [df] DEFAULT SYSUTCDATETIME()); \
                   INSERT [q].[t] ([a]) VALUES (1), (2), (3); \
                   ALTER TABLE [q].[t] ADD [c] rowversion NOT NULL, \
                   [e] nvarchar(9) NULL CONSTRAINT [dfe] DEFAULT (N'x') WITH VALUES";
    run(&mut client, dynamic).await;
    let page = "WITH p ([k], [n]) AS (SELECT [a], ROW_NUMBER() OVER (ORDER BY [a] DESC) FROM [q].[t]) \
                SELECT [k] FROM p ORDER BY [n] OFFSET @P1 ROWS FETCH NEXT @P2 ROWS ONLY";
    let found = client.query(page, &[&1i64, &1i32]).await.unwrap().into_row().await.unwrap();
    assert_eq!(found.unwrap().get::<i32, _>(0), Some(2));
    let list = "SELECT STRING_AGG([e], N',') WITHIN GROUP (ORDER BY [a] DESC), COUNT(DISTINCT [c]) \
                FROM [q].[t]";
    assert_eq!(rows(&mut client, list).await, ["x,x,x|3"]);
    let joined = "SELECT COUNT(*) FROM [q].[t] t LEFT JOIN [q].[t] u \
                  ON LEFT(t.[e], 1) = LEFT(u.[e], 1) AND u.[a] = t.[a] WHERE u.[a] IS NOT NULL";
    assert_eq!(rows(&mut client, joined).await, ["3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_killed_ends_its_connection() {
    let desktop = Desktop::open();
    let mut client = desktop.client().await;
    assert_eq!(rows(&mut client, "SELECT 1").await, ["1"]);
    let postgres = desktop.postgres().await;
    let kill = "select pg_terminate_backend(pid) from pg_stat_activity \
                where pid <> pg_backend_pid() and datname = 'desktop'";
    postgres.batch_execute(kill).await.unwrap();
    assert!(client.simple_query("SELECT 1").await.is_err());
    assert!(client.simple_query("SELECT 1").await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_caught() {
    let desktop = Desktop::open();
    let mut client = desktop.client().await;
    run(&mut client, "CREATE TABLE [dbo].[t] ([a] int NOT NULL PRIMARY KEY)").await;
    let batch = |catch: &str| {
        format!(
            "SET XACT_ABORT ON; BEGIN TRY BEGIN TRAN; INSERT [dbo].[t] VALUES (1); \
             IF 1 = 1 BEGIN INSERT [dbo].[t] VALUES (1) END; COMMIT END TRY \
             BEGIN CATCH {catch} END CATCH; SELECT @@TRANCOUNT"
        )
    };
    let thrown = batch("IF @@TRANCOUNT > 0 ROLLBACK; THROW");
    assert_eq!(error_of(&mut client, &thrown).await, Some(2627));
    let passed = batch("IF XACT_STATE() = -1 ROLLBACK");
    assert_eq!(rows(&mut client, &passed).await, ["0"]);
    assert_eq!(error_of(&mut client, &batch("COMMIT")).await, Some(3930));
    run(&mut client, "IF @@TRANCOUNT > 0 ROLLBACK").await;
    assert_eq!(rows(&mut client, "SELECT COUNT(*) FROM [dbo].[t]").await, ["0"]);
}
