-- The types of SQL Server that PostgreSQL lacks, in the schema `tsql`. Types whose length, scale or
-- name must survive an expression are base types over PostgreSQL's own routines; the others are
-- domains, known on the wire where a result's column is a table's column.

create schema tsql;
create schema dbo;
do $$
begin
    execute format('alter database %I set search_path = dbo, tsql, public', current_database());
end
$$;
set search_path = dbo, tsql, public;

create domain tsql.tinyint as smallint check (value between 0 and 255);
create domain tsql.money as numeric(19, 4);
create domain tsql.smallmoney as numeric(10, 4);
create domain tsql.xml as text;
create domain tsql.rowversion as bytea check (octet_length(value) = 8);

-- Lengths and scales; a scale n is kept as the length n + 1.
create function tsql.length_in(cstring[]) returns integer
    language internal immutable strict as 'bpchartypmodin';
create function tsql.length_out(integer) returns cstring
    language internal immutable strict as 'bpchartypmodout';

create type tsql.varchar;
create function tsql.varchar_in(cstring, oid, integer) returns tsql.varchar
    language internal immutable strict as 'varcharin';
create function tsql.varchar_out(tsql.varchar) returns cstring
    language internal immutable strict as 'varcharout';
create function tsql.varchar_recv(internal, oid, integer) returns tsql.varchar
    language internal immutable strict as 'varcharrecv';
create function tsql.varchar_send(tsql.varchar) returns bytea
    language internal immutable strict as 'varcharsend';
create type tsql.varchar (
    input = tsql.varchar_in, output = tsql.varchar_out, receive = tsql.varchar_recv, send = tsql.varchar_send,
    typmod_in = tsql.length_in, typmod_out = tsql.length_out, like = varchar, category = 'S', collatable = true
);

create function tsql.varchar_fit(tsql.varchar, integer, boolean) returns tsql.varchar
    language internal immutable strict as 'varchar';
create cast (tsql.varchar as tsql.varchar)
    with function tsql.varchar_fit(tsql.varchar, integer, boolean) as implicit;
create cast (tsql.varchar as text) without function as implicit;

create type tsql.char;
create function tsql.char_in(cstring, oid, integer) returns tsql.char
    language internal immutable strict as 'bpcharin';
create function tsql.char_out(tsql.char) returns cstring
    language internal immutable strict as 'bpcharout';
create function tsql.char_recv(internal, oid, integer) returns tsql.char
    language internal immutable strict as 'bpcharrecv';
create function tsql.char_send(tsql.char) returns bytea
    language internal immutable strict as 'bpcharsend';
create type tsql.char (
    input = tsql.char_in, output = tsql.char_out, receive = tsql.char_recv, send = tsql.char_send,
    typmod_in = tsql.length_in, typmod_out = tsql.length_out, like = bpchar, category = 'S', collatable = true
);

create function tsql.char_fit(tsql.char, integer, boolean) returns tsql.char
    language internal immutable strict as 'bpchar';
create cast (tsql.char as tsql.char)
    with function tsql.char_fit(tsql.char, integer, boolean) as implicit;
create cast (tsql.char as bpchar) without function as implicit;

create cast (tsql.varchar as varchar) without function as assignment;
create cast (text as tsql.varchar) without function as assignment;
create cast (varchar as tsql.varchar) without function as assignment;
create cast (bpchar as tsql.char) without function as assignment;
create cast (text as tsql.char) without function as assignment;
create cast (varchar as tsql.char) without function as assignment;
create cast (tsql.char as text) with inout as assignment;

create type tsql.varbinary;
create function tsql.varbinary_in(cstring) returns tsql.varbinary
    language internal immutable strict as 'byteain';
create function tsql.varbinary_out(tsql.varbinary) returns cstring
    language internal immutable strict as 'byteaout';
create function tsql.varbinary_recv(internal) returns tsql.varbinary
    language internal immutable strict as 'bytearecv';
create function tsql.varbinary_send(tsql.varbinary) returns bytea
    language internal immutable strict as 'byteasend';
create type tsql.varbinary (
    input = tsql.varbinary_in, output = tsql.varbinary_out, receive = tsql.varbinary_recv, send = tsql.varbinary_send,
    typmod_in = tsql.length_in, typmod_out = tsql.length_out, like = bytea
);

create cast (bytea as tsql.varbinary) without function as assignment;
create cast (tsql.varbinary as bytea) without function as implicit;
create function tsql.varbinary_fit(data tsql.varbinary, size integer, cut boolean) returns tsql.varbinary
    language plpgsql immutable strict as $$
begin
    if size < 5 or octet_length(data::bytea) <= size - 4 then
        return data;
    elsif cut then
        return substring(data::bytea from 1 for size - 4)::tsql.varbinary;
    end if;
    raise string_data_right_truncation;
end
$$;
create cast (tsql.varbinary as tsql.varbinary)
    with function tsql.varbinary_fit(tsql.varbinary, integer, boolean) as implicit;

create type tsql.binary;
create function tsql.binary_in(cstring) returns tsql.binary
    language internal immutable strict as 'byteain';
create function tsql.binary_out(tsql.binary) returns cstring
    language internal immutable strict as 'byteaout';
create function tsql.binary_recv(internal) returns tsql.binary
    language internal immutable strict as 'bytearecv';
create function tsql.binary_send(tsql.binary) returns bytea
    language internal immutable strict as 'byteasend';
create type tsql.binary (
    input = tsql.binary_in, output = tsql.binary_out, receive = tsql.binary_recv, send = tsql.binary_send,
    typmod_in = tsql.length_in, typmod_out = tsql.length_out, like = bytea
);

create cast (bytea as tsql.binary) without function as assignment;
create cast (tsql.binary as bytea) without function as implicit;
create function tsql.binary_fit(data tsql.binary, size integer, cut boolean) returns tsql.binary
    language plpgsql immutable strict as $$
begin
    if size >= 5 and octet_length(data::bytea) > size - 4 and not cut then
        raise string_data_right_truncation;
    end if;
    return substring(data::bytea || decode(repeat('00', size - 4), 'hex') from 1 for size - 4)
        ::tsql.binary;
end
$$;
create cast (tsql.binary as tsql.binary)
    with function tsql.binary_fit(tsql.binary, integer, boolean) as implicit;
create cast (tsql.varbinary as tsql.binary) without function as assignment;
create cast (tsql.binary as tsql.varbinary) without function as assignment;

-- Ticks of 100 ns since midnight, and since the first day of year 1.

create type tsql.time;
create function tsql.time_in(cstring) returns tsql.time
    language internal immutable strict as 'int8in';
create function tsql.time_out(tsql.time) returns cstring
    language internal immutable strict as 'int8out';
create function tsql.time_recv(internal) returns tsql.time
    language internal immutable strict as 'int8recv';
create function tsql.time_send(tsql.time) returns bytea
    language internal immutable strict as 'int8send';
create type tsql.time (
    input = tsql.time_in, output = tsql.time_out, receive = tsql.time_recv, send = tsql.time_send,
    typmod_in = tsql.length_in, typmod_out = tsql.length_out, like = int8
);

create type tsql.datetime2;
create function tsql.datetime2_in(cstring) returns tsql.datetime2
    language internal immutable strict as 'int8in';
create function tsql.datetime2_out(tsql.datetime2) returns cstring
    language internal immutable strict as 'int8out';
create function tsql.datetime2_recv(internal) returns tsql.datetime2
    language internal immutable strict as 'int8recv';
create function tsql.datetime2_send(tsql.datetime2) returns bytea
    language internal immutable strict as 'int8send';
create type tsql.datetime2 (
    input = tsql.datetime2_in, output = tsql.datetime2_out, receive = tsql.datetime2_recv, send = tsql.datetime2_send,
    typmod_in = tsql.length_in, typmod_out = tsql.length_out, like = int8
);

-- The ticks in UTC as 8 bytes, the highest first, the offset in minutes as 2, and 6 of nothing.

create type tsql.datetimeoffset;
create function tsql.datetimeoffset_in(cstring) returns tsql.datetimeoffset
    language internal immutable strict as 'uuid_in';
create function tsql.datetimeoffset_out(tsql.datetimeoffset) returns cstring
    language internal immutable strict as 'uuid_out';
create function tsql.datetimeoffset_recv(internal) returns tsql.datetimeoffset
    language internal immutable strict as 'uuid_recv';
create function tsql.datetimeoffset_send(tsql.datetimeoffset) returns bytea
    language internal immutable strict as 'uuid_send';
create type tsql.datetimeoffset (
    input = tsql.datetimeoffset_in, output = tsql.datetimeoffset_out, receive = tsql.datetimeoffset_recv, send = tsql.datetimeoffset_send,
    typmod_in = tsql.length_in, typmod_out = tsql.length_out, like = uuid
);

create cast (bigint as tsql.time) without function;
create cast (tsql.time as bigint) without function;
create cast (bigint as tsql.datetime2) without function;
create cast (tsql.datetime2 as bigint) without function;
create cast (uuid as tsql.datetimeoffset) without function;
create cast (tsql.datetimeoffset as uuid) without function;
create function tsql.instant(tsql.datetimeoffset) returns bigint language sql immutable strict as
    $$ select ('x' || left(replace($1::uuid::text, '-', ''), 16))::bit(64)::bigint $$;
create function tsql.minutes(tsql.datetimeoffset) returns integer language sql immutable strict as
    $$ select ('x' || substring(replace($1::uuid::text, '-', '') from 17 for 4))::bit(16)::integer
        - 840 $$;
create function tsql.at_offset(ticks bigint, minutes integer) returns tsql.datetimeoffset
    language sql immutable strict as $$
    select (lpad(to_hex(ticks), 16, '0') || lpad(to_hex(minutes + 840), 4, '0') || repeat('0', 12))
        ::uuid::tsql.datetimeoffset
$$;

-- How tsql.time compares.

create function tsql.time_lt(tsql.time, tsql.time) returns boolean
    language internal immutable strict as 'int8lt';
create operator tsql.< (
    leftarg = tsql.time, rightarg = tsql.time, function = tsql.time_lt,
    commutator = operator(tsql.>), negator = operator(tsql.>=), restrict = scalarltsel
);
create function tsql.time_le(tsql.time, tsql.time) returns boolean
    language internal immutable strict as 'int8le';
create operator tsql.<= (
    leftarg = tsql.time, rightarg = tsql.time, function = tsql.time_le,
    commutator = operator(tsql.>=), negator = operator(tsql.>), restrict = scalarlesel
);
create function tsql.time_eq(tsql.time, tsql.time) returns boolean
    language internal immutable strict as 'int8eq';
create operator tsql.= (
    leftarg = tsql.time, rightarg = tsql.time, function = tsql.time_eq,
    commutator = operator(tsql.=), negator = operator(tsql.<>), restrict = eqsel, hashes, merges
);
create function tsql.time_ne(tsql.time, tsql.time) returns boolean
    language internal immutable strict as 'int8ne';
create operator tsql.<> (
    leftarg = tsql.time, rightarg = tsql.time, function = tsql.time_ne,
    commutator = operator(tsql.<>), negator = operator(tsql.=), restrict = neqsel
);
create function tsql.time_ge(tsql.time, tsql.time) returns boolean
    language internal immutable strict as 'int8ge';
create operator tsql.>= (
    leftarg = tsql.time, rightarg = tsql.time, function = tsql.time_ge,
    commutator = operator(tsql.<=), negator = operator(tsql.<), restrict = scalargesel
);
create function tsql.time_gt(tsql.time, tsql.time) returns boolean
    language internal immutable strict as 'int8gt';
create operator tsql.> (
    leftarg = tsql.time, rightarg = tsql.time, function = tsql.time_gt,
    commutator = operator(tsql.<), negator = operator(tsql.<=), restrict = scalargtsel
);
create function tsql.time_cmp(tsql.time, tsql.time) returns integer
    language internal immutable strict as 'btint8cmp';
create function tsql.time_hash(tsql.time) returns integer
    language internal immutable strict as 'hashint8';
create operator class tsql.time_hashes default for type tsql.time using hash as
    operator 1 tsql.=, function 1 tsql.time_hash(tsql.time);
create operator class tsql.time_order default for type tsql.time using btree as
    operator 1 tsql.<, operator 2 tsql.<=, operator 3 tsql.=, operator 4 tsql.>=, operator 5 tsql.>,
    function 1 tsql.time_cmp(tsql.time, tsql.time);
create function tsql.time_larger(tsql.time, tsql.time) returns tsql.time
    language sql immutable strict as 'select case when $1 > $2 then $1 else $2 end';
create function tsql.time_smaller(tsql.time, tsql.time) returns tsql.time
    language sql immutable strict as 'select case when $1 < $2 then $1 else $2 end';
create aggregate tsql.max(tsql.time) (
    sfunc = tsql.time_larger, stype = tsql.time, sortop = operator(tsql.>)
);
create aggregate tsql.min(tsql.time) (
    sfunc = tsql.time_smaller, stype = tsql.time, sortop = operator(tsql.<)
);

-- How tsql.datetime2 compares.

create function tsql.datetime2_lt(tsql.datetime2, tsql.datetime2) returns boolean
    language internal immutable strict as 'int8lt';
create operator tsql.< (
    leftarg = tsql.datetime2, rightarg = tsql.datetime2, function = tsql.datetime2_lt,
    commutator = operator(tsql.>), negator = operator(tsql.>=), restrict = scalarltsel
);
create function tsql.datetime2_le(tsql.datetime2, tsql.datetime2) returns boolean
    language internal immutable strict as 'int8le';
create operator tsql.<= (
    leftarg = tsql.datetime2, rightarg = tsql.datetime2, function = tsql.datetime2_le,
    commutator = operator(tsql.>=), negator = operator(tsql.>), restrict = scalarlesel
);
create function tsql.datetime2_eq(tsql.datetime2, tsql.datetime2) returns boolean
    language internal immutable strict as 'int8eq';
create operator tsql.= (
    leftarg = tsql.datetime2, rightarg = tsql.datetime2, function = tsql.datetime2_eq,
    commutator = operator(tsql.=), negator = operator(tsql.<>), restrict = eqsel, hashes, merges
);
create function tsql.datetime2_ne(tsql.datetime2, tsql.datetime2) returns boolean
    language internal immutable strict as 'int8ne';
create operator tsql.<> (
    leftarg = tsql.datetime2, rightarg = tsql.datetime2, function = tsql.datetime2_ne,
    commutator = operator(tsql.<>), negator = operator(tsql.=), restrict = neqsel
);
create function tsql.datetime2_ge(tsql.datetime2, tsql.datetime2) returns boolean
    language internal immutable strict as 'int8ge';
create operator tsql.>= (
    leftarg = tsql.datetime2, rightarg = tsql.datetime2, function = tsql.datetime2_ge,
    commutator = operator(tsql.<=), negator = operator(tsql.<), restrict = scalargesel
);
create function tsql.datetime2_gt(tsql.datetime2, tsql.datetime2) returns boolean
    language internal immutable strict as 'int8gt';
create operator tsql.> (
    leftarg = tsql.datetime2, rightarg = tsql.datetime2, function = tsql.datetime2_gt,
    commutator = operator(tsql.<), negator = operator(tsql.<=), restrict = scalargtsel
);
create function tsql.datetime2_cmp(tsql.datetime2, tsql.datetime2) returns integer
    language internal immutable strict as 'btint8cmp';
create function tsql.datetime2_hash(tsql.datetime2) returns integer
    language internal immutable strict as 'hashint8';
create operator class tsql.datetime2_hashes default for type tsql.datetime2 using hash as
    operator 1 tsql.=, function 1 tsql.datetime2_hash(tsql.datetime2);
create operator class tsql.datetime2_order default for type tsql.datetime2 using btree as
    operator 1 tsql.<, operator 2 tsql.<=, operator 3 tsql.=, operator 4 tsql.>=, operator 5 tsql.>,
    function 1 tsql.datetime2_cmp(tsql.datetime2, tsql.datetime2);
create function tsql.datetime2_larger(tsql.datetime2, tsql.datetime2) returns tsql.datetime2
    language sql immutable strict as 'select case when $1 > $2 then $1 else $2 end';
create function tsql.datetime2_smaller(tsql.datetime2, tsql.datetime2) returns tsql.datetime2
    language sql immutable strict as 'select case when $1 < $2 then $1 else $2 end';
create aggregate tsql.max(tsql.datetime2) (
    sfunc = tsql.datetime2_larger, stype = tsql.datetime2, sortop = operator(tsql.>)
);
create aggregate tsql.min(tsql.datetime2) (
    sfunc = tsql.datetime2_smaller, stype = tsql.datetime2, sortop = operator(tsql.<)
);

-- How tsql.datetimeoffset compares.

create function tsql.datetimeoffset_lt(tsql.datetimeoffset, tsql.datetimeoffset) returns boolean
    language sql immutable strict as 'select tsql.instant($1) < tsql.instant($2)';
create operator tsql.< (
    leftarg = tsql.datetimeoffset, rightarg = tsql.datetimeoffset, function = tsql.datetimeoffset_lt,
    commutator = operator(tsql.>), negator = operator(tsql.>=), restrict = scalarltsel
);
create function tsql.datetimeoffset_le(tsql.datetimeoffset, tsql.datetimeoffset) returns boolean
    language sql immutable strict as 'select tsql.instant($1) <= tsql.instant($2)';
create operator tsql.<= (
    leftarg = tsql.datetimeoffset, rightarg = tsql.datetimeoffset, function = tsql.datetimeoffset_le,
    commutator = operator(tsql.>=), negator = operator(tsql.>), restrict = scalarlesel
);
create function tsql.datetimeoffset_eq(tsql.datetimeoffset, tsql.datetimeoffset) returns boolean
    language sql immutable strict as 'select tsql.instant($1) = tsql.instant($2)';
create operator tsql.= (
    leftarg = tsql.datetimeoffset, rightarg = tsql.datetimeoffset, function = tsql.datetimeoffset_eq,
    commutator = operator(tsql.=), negator = operator(tsql.<>), restrict = eqsel, merges
);
create function tsql.datetimeoffset_ne(tsql.datetimeoffset, tsql.datetimeoffset) returns boolean
    language sql immutable strict as 'select tsql.instant($1) <> tsql.instant($2)';
create operator tsql.<> (
    leftarg = tsql.datetimeoffset, rightarg = tsql.datetimeoffset, function = tsql.datetimeoffset_ne,
    commutator = operator(tsql.<>), negator = operator(tsql.=), restrict = neqsel
);
create function tsql.datetimeoffset_ge(tsql.datetimeoffset, tsql.datetimeoffset) returns boolean
    language sql immutable strict as 'select tsql.instant($1) >= tsql.instant($2)';
create operator tsql.>= (
    leftarg = tsql.datetimeoffset, rightarg = tsql.datetimeoffset, function = tsql.datetimeoffset_ge,
    commutator = operator(tsql.<=), negator = operator(tsql.<), restrict = scalargesel
);
create function tsql.datetimeoffset_gt(tsql.datetimeoffset, tsql.datetimeoffset) returns boolean
    language sql immutable strict as 'select tsql.instant($1) > tsql.instant($2)';
create operator tsql.> (
    leftarg = tsql.datetimeoffset, rightarg = tsql.datetimeoffset, function = tsql.datetimeoffset_gt,
    commutator = operator(tsql.<), negator = operator(tsql.<=), restrict = scalargtsel
);
create function tsql.datetimeoffset_cmp(tsql.datetimeoffset, tsql.datetimeoffset) returns integer
    language sql immutable strict as 'select btint8cmp(tsql.instant($1), tsql.instant($2))';
create operator class tsql.datetimeoffset_order default for type tsql.datetimeoffset using btree as
    operator 1 tsql.<, operator 2 tsql.<=, operator 3 tsql.=, operator 4 tsql.>=, operator 5 tsql.>,
    function 1 tsql.datetimeoffset_cmp(tsql.datetimeoffset, tsql.datetimeoffset);
create function tsql.datetimeoffset_larger(tsql.datetimeoffset, tsql.datetimeoffset) returns tsql.datetimeoffset
    language sql immutable strict as 'select case when $1 > $2 then $1 else $2 end';
create function tsql.datetimeoffset_smaller(tsql.datetimeoffset, tsql.datetimeoffset) returns tsql.datetimeoffset
    language sql immutable strict as 'select case when $1 < $2 then $1 else $2 end';
create aggregate tsql.max(tsql.datetimeoffset) (
    sfunc = tsql.datetimeoffset_larger, stype = tsql.datetimeoffset, sortop = operator(tsql.>)
);
create aggregate tsql.min(tsql.datetimeoffset) (
    sfunc = tsql.datetimeoffset_smaller, stype = tsql.datetimeoffset, sortop = operator(tsql.<)
);
