-- Everything is local to the transaction: a pooler may give the next one another session.
begin isolation level read committed;
set local lock_timeout = '500ms';
set local statement_timeout = '5min';
set local idle_in_transaction_session_timeout = '5min';
set local work_mem = '32MB';
-- To compile a statement takes longer than it works on a batch.
set local jit = off;
-- A client that is gone is noticed by a statement that works or waits, too. Not before PostgreSQL 14, nor
-- on Windows.
select set_config('client_connection_check_interval', '1s', true)
where current_setting('client_connection_check_interval', true) is not null
    and current_setting('dynamic_shared_memory_type') <> 'windows';
