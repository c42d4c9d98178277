-- How values are written as text, in positions and for people. Only now: no trigger of the target
-- runs after the check.
set local timezone = 'UTC';
set local datestyle = 'ISO, YMD';
set local intervalstyle = 'postgres';
set local bytea_output = 'hex';
set local extra_float_digits = 1;
