begin isolation level repeatable read, read only;
{{snapshot}}
-- A horizon leaves these transactions out. The name of the session would not do: a pooler hands it on
-- to clients without one, who may write.
set local application_name = 'tidegate snapshot';
-- A COPY lasts as long as the merge of what it reads.
set local statement_timeout = 0;
set local idle_in_transaction_session_timeout = 0;
set local datestyle = 'ISO, YMD';
set local intervalstyle = 'postgres';
set local timezone = 'UTC';
set local bytea_output = 'hex';
set local extra_float_digits = 1;
-- Such a database doesn't know what its bytes stand for; the target judges them row by row.
select set_config('client_encoding', 'SQL_ASCII', true) where current_setting('server_encoding') = 'SQL_ASCII';
-- A client that is gone is noticed by a statement that works or waits, too. Not before PostgreSQL 14, nor
-- on Windows.
select set_config('client_connection_check_interval', '1s', true)
where current_setting('client_connection_check_interval', true) is not null
    and current_setting('dynamic_shared_memory_type') <> 'windows';
