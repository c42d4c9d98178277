begin isolation level read committed, read only;
-- A count is not worth more of the server's time.
set local statement_timeout = '{{seconds}}s';
