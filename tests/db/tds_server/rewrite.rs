//! What T-SQL becomes.

use crate::tds::rewrite;

#[test]
fn statements_become_those_of_postgresql() {
    for (batch, wanted) in [
        (
            "SELECT TOP (5) [a]]b] FROM [dbo].[T] WITH (NOLOCK) OPTION (RECOMPILE)",
            r#"SELECT "a]b" FROM "dbo"."T" LIMIT 5"#,
        ),
        (
            "SELECT Id FROM [db]..[T] t ORDER BY Id OFFSET 1 ROWS FETCH NEXT 2 ROWS ONLY",
            r#"SELECT "Id" FROM "dbo"."T" AS "t" ORDER BY "Id" OFFSET (1) ROWS FETCH NEXT (2) ROWS ONLY"#,
        ),
        (
            "SELECT t.[x] FROM #t t WITH (UPDLOCK, ROWLOCK) WHERE t.[x] <> N'it''s'",
            r##"SELECT "t"."x" FROM "#t" AS "t" WHERE "t"."x" <> 'it''s' FOR UPDATE OF "t""##,
        ),
        (
            "SELECT COUNT(*) c, ISNULL(a, 0x0A), b + N',' + c FROM t",
            r#"SELECT count(*)::int4 "c", coalesce("a", '\x0A'::bytea), "b" || ',' || "c" FROM "t""#,
        ),
        (
            "SELECT CAST(a AS datetime2(3)), CONVERT(nvarchar(9), b, 121) FROM t",
            r#"SELECT ("a")::tsql.datetime2(4), tsql.str("b", 121)::varchar(9) FROM "t""#,
        ),
        (
            "SELECT 1 UNION ALL SELECT TOP 1 2 ORDER BY 1",
            "(SELECT 1) UNION ALL SELECT 2 ORDER BY 1 LIMIT 1",
        ),
        (
            "SELECT a FROM t ORDER BY a COLLATE Latin1_General_BIN2",
            r#"SELECT "a" FROM "t" ORDER BY "a" COLLATE "C""#,
        ),
        (
            "SELECT x.y FROM t OUTER APPLY (SELECT TOP 1 y FROM u WHERE u.a = t.a) x",
            r#"SELECT "x"."y" FROM "t" LEFT JOIN LATERAL (SELECT "y" FROM "u" WHERE "u"."a" = "t"."a" LIMIT 1) AS "x" ON true"#,
        ),
        (
            "DELETE FROM [s].[t] WHERE [a] >= '2026-01-01'",
            r#"DELETE FROM "s"."t" WHERE "a" >= '2026-01-01'::text"#,
        ),
        (
            "INSERT INTO t (a) OUTPUT inserted.a INTO #o (x) VALUES (1)",
            r##"WITH "_changed" AS (INSERT INTO "t" AS "inserted" ("a") VALUES (1) RETURNING "inserted"."a") INSERT INTO "#o" ("x") SELECT * FROM "_changed""##,
        ),
        (
            "CREATE TABLE #t ([a] nvarchar(5) NOT NULL PRIMARY KEY NONCLUSTERED)",
            r##"CREATE TEMP TABLE "#t" ("a" varchar(5) NOT NULL PRIMARY KEY)"##,
        ),
    ] {
        assert_eq!(rewrite(batch).unwrap(), wanted, "{batch}");
    }
}

#[test]
fn what_is_not_known_is_said() {
    for (batch, number) in [
        ("MERGE INTO t USING s", 40000),
        ("BACKUP DATABASE x", 40000),
        ("SELECT SOUNDEX('a')", 195),
        ("SELECT a FROM t FOR XML PATH", 40000),
        ("CREATE SEQUENCE s", 40000),
        ("SELECT @@NESTLEVEL", 40000),
        ("SELECT @x", 137),
    ] {
        assert_eq!(rewrite(batch).unwrap_err().number, number, "{batch}");
    }
}
