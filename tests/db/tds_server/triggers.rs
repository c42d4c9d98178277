//! AFTER triggers.

use super::support::{Client, Desktop, error_of, rows, run};

const TABLES: &str = "CREATE TABLE [dbo].[t] ([id] int NOT NULL PRIMARY KEY, [v] nvarchar(20)); \
                      CREATE TABLE [dbo].[log] ([id] int, [was] nvarchar(20), [is] nvarchar(20), \
                      [who] nvarchar(20))";

const TRIGGER: &str = "CREATE OR ALTER TRIGGER [dbo].[t_log] ON [dbo].[t] WITH EXECUTE AS OWNER \
                       AFTER INSERT, UPDATE, DELETE AS BEGIN \
                       SET NOCOUNT ON; IF @@ROWCOUNT = 0 RETURN; \
                       IF CONTEXT_INFO() = 0x7469646567617465 RETURN; \
                       DECLARE @who nvarchar(20) = CONVERT(nvarchar(20), SESSION_CONTEXT(N'who')); \
                       INSERT INTO [dbo].[log] ([id], [was], [is], [who]) \
                       SELECT COALESCE(i.[id], d.[id]), d.[v], i.[v], @who FROM inserted i \
                       FULL OUTER JOIN deleted d ON d.[id] = i.[id]; \
                       IF EXISTS (SELECT 1 FROM inserted WHERE [v] = N'bad') \
                       BEGIN THROW 51000, 'no bad ones', 1 END END";

async fn log(client: &mut Client) -> Vec<String> {
    rows(client, "SELECT [id], [was], [is], [who] FROM [dbo].[log] ORDER BY [id], [was]").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trigger_sees_what_was_inserted_and_deleted() {
    let desktop = Desktop::open();
    let mut client = desktop.client().await;
    run(&mut client, TABLES).await;
    run(&mut client, TRIGGER).await;
    run(&mut client, TRIGGER).await;
    run(&mut client, "INSERT INTO [dbo].[t] VALUES (1, N'a'), (2, N'b')").await;
    run(&mut client, "EXEC sp_set_session_context @key = N'who', @value = N'me'").await;
    run(&mut client, "UPDATE [dbo].[t] SET [v] = N'c' WHERE [id] = 1").await;
    run(&mut client, "DELETE FROM [dbo].[t] WHERE [id] = 2").await;
    run(&mut client, "DELETE FROM [dbo].[t] WHERE [id] = 9").await;
    let wanted = ["1|a|c|me", "1|null|a|null", "2|b|null|me", "2|null|b|null"];
    assert_eq!(log(&mut client).await, wanted);
    let bad = "INSERT INTO [dbo].[t] VALUES (3, N'bad')";
    assert_eq!(error_of(&mut client, bad).await, Some(51000));
    run(&mut client, "SET CONTEXT_INFO 0x7469646567617465; UPDATE [dbo].[t] SET [v] = N'd'").await;
    assert_eq!(log(&mut client).await, wanted);
}

#[tokio::test(flavor = "multi_thread")]
async fn triggers_are_switched_and_dropped() {
    let desktop = Desktop::open();
    let mut client = desktop.client().await;
    run(&mut client, TABLES).await;
    run(&mut client, TRIGGER).await;
    let known = "SELECT [name], is_disabled, OBJECT_NAME(parent_id) FROM sys.triggers";
    assert_eq!(rows(&mut client, known).await, ["t_log|0|t"]);
    let there = "IF OBJECT_ID(N'[dbo].[t_log]', 'TR') IS NOT NULL SELECT 1 ELSE SELECT 0";
    assert_eq!(rows(&mut client, there).await, ["1"]);
    run(&mut client, "DISABLE TRIGGER [dbo].[t_log] ON [dbo].[t]").await;
    assert_eq!(rows(&mut client, known).await, ["t_log|1|t"]);
    run(&mut client, "INSERT INTO [dbo].[t] VALUES (1, N'a')").await;
    assert!(log(&mut client).await.is_empty());
    run(&mut client, "ALTER TABLE [dbo].[t] ENABLE TRIGGER ALL").await;
    run(&mut client, "INSERT INTO [dbo].[t] VALUES (2, N'a')").await;
    assert_eq!(log(&mut client).await, ["2|null|a|null"]);
    run(&mut client, "DROP TRIGGER [dbo].[t_log]").await;
    assert_eq!(rows(&mut client, known).await, [""; 0]);
    assert_eq!(rows(&mut client, there).await, ["0"]);
    run(&mut client, "DROP TRIGGER IF EXISTS [dbo].[t_log]").await;
    assert_eq!(error_of(&mut client, "DROP TRIGGER [dbo].[t_log]").await, Some(3701));
}
