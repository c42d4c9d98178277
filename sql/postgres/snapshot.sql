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
