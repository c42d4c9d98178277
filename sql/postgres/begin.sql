-- Everything is local to the transaction: a pooler may give the next one another session.
begin isolation level read committed;
set local lock_timeout = '500ms';
set local statement_timeout = '5min';
set local idle_in_transaction_session_timeout = '5min';
set local work_mem = '32MB';
-- A statement of a client that is gone ends soon (PostgreSQL 14 and later).
select set_config(name, '2s', true) from pg_settings where name = 'client_connection_check_interval';
