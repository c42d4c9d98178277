-- What the database has come to, by its count of transactions.
select pg_current_snapshot()::text
