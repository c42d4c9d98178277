//! INSERT, UPDATE and DELETE, what they say and what they output.

use super::support::{Client, Desktop, rows, run};

async fn table(client: &mut Client) {
    let batch = "CREATE TABLE [dbo].[Job] ([Id] int NOT NULL PRIMARY KEY, [Name] nvarchar(20) NULL, \
                 [Qty] int NULL, [Rv] rowversion); \
                 INSERT INTO [dbo].[Job] ([Id], [Name], [Qty]) VALUES (1, N'a', 10), (2, N'b', 20), \
                 (3, NULL, NULL); \
                 CREATE TABLE #s ([Id] int, [Name] nvarchar(20)); \
                 INSERT INTO #s VALUES (2, N'B'), (3, N'C'), (4, N'D'); \
                 CREATE TABLE #o ([Id] int, [Was] nvarchar(20), [Is] nvarchar(20))";
    run(client, batch).await;
}

async fn affected(client: &mut Client, statement: &str) -> u64 {
    client.execute(statement, &[]).await.unwrap().total()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_insert_outputs_what_it_inserted() {
    let desktop = Desktop::open();
    let mut client = desktop.client().await;
    table(&mut client).await;
    let plain = "INSERT INTO [dbo].[Job] ([Id], [Name]) OUTPUT inserted.[Id], INSERTED.[Qty] AS q \
                 SELECT s.[Id], s.[Name] FROM #s s \
                 WHERE NOT EXISTS (SELECT 1 FROM [dbo].[Job] j WITH (UPDLOCK, HOLDLOCK) \
                 WHERE j.[Id] = s.[Id])";
    assert_eq!(rows(&mut client, plain).await, ["4|null"]);
    let into = "INSERT INTO [dbo].[Job] ([Id], [Name]) OUTPUT inserted.[Id], inserted.[Name] \
                INTO #o ([Id], [Is]) VALUES (5, N'e'), (6, N'f')";
    assert_eq!(affected(&mut client, into).await, 2);
    let output = "SELECT [Id], [Was], [Is] FROM #o ORDER BY [Id]";
    assert_eq!(rows(&mut client, output).await, ["5|null|e", "6|null|f"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_outputs_the_old_and_the_new() {
    let desktop = Desktop::open();
    let mut client = desktop.client().await;
    table(&mut client).await;
    let update = "UPDATE t SET t.[Name] = s.[Name], [Qty] = ISNULL(t.[Qty], 0) + 1 \
                  OUTPUT inserted.[Id], deleted.[Name], inserted.[Name] INTO #o ([Id], [Was], [Is]) \
                  FROM [dbo].[Job] t JOIN #s s ON s.[Id] = t.[Id] \
                  WHERE EXISTS (SELECT t.[Name] EXCEPT SELECT s.[Name])";
    assert_eq!(affected(&mut client, update).await, 2);
    let output = "SELECT [Id], [Was], [Is] FROM #o ORDER BY [Id]";
    assert_eq!(rows(&mut client, output).await, ["2|b|B", "3|null|C"]);
    let all = "SELECT [Id], [Name], [Qty] FROM [dbo].[Job] ORDER BY [Id]";
    assert_eq!(rows(&mut client, all).await, ["1|a|10", "2|B|21", "3|C|1"]);
    let plain = "UPDATE [dbo].[Job] SET [Qty] += 1, [Name] = NULL OUTPUT inserted.[Qty], \
                 deleted.[Qty] WHERE [Id] = 1";
    assert_eq!(rows(&mut client, plain).await, ["11|10"]);
    let top = "UPDATE TOP (1) [dbo].[Job] SET [Qty] = 0 WHERE [Id] > 1";
    assert_eq!(affected(&mut client, top).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delete_outputs_what_was_there() {
    let desktop = Desktop::open();
    let mut client = desktop.client().await;
    table(&mut client).await;
    let joined = "DELETE t OUTPUT deleted.[Id], deleted.[Name] INTO #o ([Id], [Was]) \
                  FROM [dbo].[Job] AS t INNER JOIN #s s ON s.[Id] = t.[Id] WHERE s.[Id] = 2";
    assert_eq!(affected(&mut client, joined).await, 1);
    let plain = "DELETE FROM [dbo].[Job] OUTPUT deleted.[Id] WHERE [Id] = 3";
    assert_eq!(rows(&mut client, plain).await, ["3"]);
    assert_eq!(rows(&mut client, "SELECT [Id], [Was] FROM #o").await, ["2|b"]);
    let common = "WITH d AS (SELECT 1 AS [k]) DELETE j FROM [dbo].[Job] j JOIN d ON d.[k] = j.[Id]; \
                  SELECT @@ROWCOUNT, COUNT(*) FROM [dbo].[Job]";
    assert_eq!(rows(&mut client, common).await, ["1|0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_joined_update_sees_what_it_waited_for() {
    let desktop = Desktop::open();
    let (mut first, mut second) = (desktop.client().await, desktop.client().await);
    table(&mut first).await;
    run(&mut first, "BEGIN TRAN; UPDATE [dbo].[Job] SET [Qty] = 100 WHERE [Id] = 2").await;
    let update = "UPDATE t SET [Qty] = t.[Qty] + 1 FROM [dbo].[Job] t \
                  JOIN (VALUES (2)) s([Id]) ON s.[Id] = t.[Id]";
    let waits = affected(&mut second, update);
    let postgres = desktop.postgres().await;
    let commits = async {
        crate::support::until(&postgres, "exists (select from pg_locks where not granted)").await;
        run(&mut first, "COMMIT").await;
    };
    let (changed, ()) = tokio::join!(waits, commits);
    assert_eq!(changed, 1);
    let query = "SELECT [Qty] FROM [dbo].[Job] WHERE [Id] = 2";
    assert_eq!(rows(&mut second, query).await, ["101"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_is_given_only_if_asked() {
    let desktop = Desktop::open();
    let mut client = desktop.client().await;
    let batch = "CREATE TABLE [dbo].[t] ([id] bigint IDENTITY(10, 5) NOT NULL, [v] int, \
                 CONSTRAINT [PK_t] PRIMARY KEY CLUSTERED ([id] ASC)); \
                 INSERT INTO [dbo].[t] ([v]) VALUES (1), (2)";
    run(&mut client, batch).await;
    let given = "INSERT INTO [dbo].[t] ([id], [v]) VALUES (100, 3)";
    assert_eq!(super::support::error_of(&mut client, given).await, Some(544));
    let on =
        format!("SET IDENTITY_INSERT [dbo].[t] ON; {given}; SET IDENTITY_INSERT [dbo].[t] OFF");
    run(&mut client, &on).await;
    run(&mut client, "INSERT INTO [dbo].[t] ([v]) VALUES (4)").await;
    let all = "SELECT [id] FROM [dbo].[t] ORDER BY [id]";
    assert_eq!(rows(&mut client, all).await, ["10", "15", "100", "105"]);
    assert_eq!(rows(&mut client, "SELECT CAST(SCOPE_IDENTITY() AS bigint)").await, ["105"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rowversion_grows_with_every_change() {
    let desktop = Desktop::open();
    let (mut first, mut second) = (desktop.client().await, desktop.client().await);
    table(&mut first).await;
    let stamp = "SELECT CONVERT(bigint, [Rv]) FROM [dbo].[Job] WHERE [Id] = 1";
    let before: i64 = rows(&mut first, stamp).await[0].parse().unwrap();
    run(&mut first, "UPDATE [dbo].[Job] SET [Name] = [Name] WHERE [Id] = 1").await;
    let after: i64 = rows(&mut first, stamp).await[0].parse().unwrap();
    assert!(after > before);
    assert_eq!(rows(&mut first, "SELECT CONVERT(bigint, @@DBTS)").await, [after.to_string()]);
    let newer = "SELECT [Id] FROM [dbo].[Job] WHERE [Rv] > @P1";
    let key = after.to_be_bytes().to_vec();
    let found =
        first.query(newer, &[&(&key[..])]).await.unwrap().into_first_result().await.unwrap();
    assert!(found.is_empty());
    // The first open transaction bounds what is settled, whatever the second one has committed.
    let active = "SELECT CONVERT(bigint, MIN_ACTIVE_ROWVERSION())";
    assert_eq!(rows(&mut second, active).await, [(after + 1).to_string()]);
    run(&mut first, "BEGIN TRAN; UPDATE [dbo].[Job] SET [Qty] = 1 WHERE [Id] = 1").await;
    run(&mut second, "BEGIN TRAN; UPDATE [dbo].[Job] SET [Qty] = 1 WHERE [Id] = 2").await;
    run(&mut second, "COMMIT; UPDATE [dbo].[Job] SET [Qty] = 2 WHERE [Id] = 2").await;
    assert_eq!(rows(&mut second, active).await, [(after + 1).to_string()]);
    run(&mut first, "ROLLBACK").await;
    assert_eq!(rows(&mut second, active).await, [(after + 4).to_string()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_can_lack_min_active_rowversion() {
    let mut desktop = Desktop::open();
    desktop.server = desktop.server.without_min_active_rowversion();
    let mut client = desktop.client().await;
    let asked = "SELECT MIN_ACTIVE_ROWVERSION()";
    assert_eq!(super::support::error_of(&mut client, asked).await, Some(195));
}
