-- What turns into what, and how dates are read and written. Fits: a scale is kept as scale + 1 + 4.

create function tsql.rounded(ticks bigint, size integer) returns bigint
    language sql immutable strict as $$
    select case when size not between 5 and 11 then ticks
        else (round(ticks::numeric / power(10::numeric, 12 - size)) * power(10::numeric, 12 - size))
            ::bigint end
$$;
create function tsql.time_fit(tsql.time, integer, boolean) returns tsql.time
    language sql immutable strict as
    'select (tsql.rounded($1::bigint, $2) % 864000000000)::tsql.time';
create cast (tsql.time as tsql.time)
    with function tsql.time_fit(tsql.time, integer, boolean) as implicit;
create function tsql.datetime2_fit(tsql.datetime2, integer, boolean) returns tsql.datetime2
    language sql immutable strict as 'select tsql.rounded($1::bigint, $2)::tsql.datetime2';
create cast (tsql.datetime2 as tsql.datetime2)
    with function tsql.datetime2_fit(tsql.datetime2, integer, boolean) as implicit;
create function tsql.datetimeoffset_fit(tsql.datetimeoffset, integer, boolean)
    returns tsql.datetimeoffset language sql immutable strict as
    'select tsql.at_offset(tsql.rounded(tsql.instant($1), $2), tsql.minutes($1))';
create cast (tsql.datetimeoffset as tsql.datetimeoffset)
    with function tsql.datetimeoffset_fit(tsql.datetimeoffset, integer, boolean) as implicit;

create domain tsql.datetime as tsql.datetime2(4);
create domain tsql.smalldatetime as tsql.datetime2(1);

-- Reading.
create function tsql.ticks_of_day(clock text) returns bigint language sql immutable strict as $$
    select split_part(clock, ':', 1)::bigint * 36000000000
        + split_part(clock, ':', 2)::bigint * 600000000
        + (coalesce(nullif(split_part(clock, ':', 3), ''), '0')::numeric * 10000000)::bigint
$$;
create function tsql.read_time(text) returns tsql.time language sql immutable strict as
    'select tsql.ticks_of_day($1)::tsql.time';
create cast (text as tsql.time) with function tsql.read_time(text) as implicit;
create function tsql.read_datetime2(stamp text) returns tsql.datetime2
    language sql immutable strict as $$
    select ((left(stamp, 10)::date - date '0001-01-01')::bigint * 864000000000
        + tsql.ticks_of_day(coalesce(substring(stamp from '^.{10}[T ]([0-9:.]+)'), '0:0')))
        ::tsql.datetime2
$$;
create cast (text as tsql.datetime2) with function tsql.read_datetime2(text) as implicit;
create function tsql.offset_of(stamp text) returns integer language sql immutable strict as $$
    select coalesce((extract(epoch from substring(stamp from '[+-]\d\d:\d\d$')::interval) / 60)
        ::integer, 0)
$$;
create function tsql.read_datetimeoffset(stamp text) returns tsql.datetimeoffset
    language sql immutable strict as $$
    select tsql.at_offset(tsql.read_datetime2(stamp)::bigint
        - tsql.offset_of(substr(stamp, 11))::bigint * 600000000, tsql.offset_of(substr(stamp, 11)))
$$;
create cast (text as tsql.datetimeoffset) with function tsql.read_datetimeoffset(text) as implicit;
create cast (text as date) with inout as implicit;
create cast (text as uuid) with inout as implicit;

-- What is given as a text is taken for a number where it is stored.
create cast (text as integer) with inout as assignment;
create cast (text as bigint) with inout as assignment;
create cast (text as smallint) with inout as assignment;
create cast (text as numeric) with inout as assignment;
create cast (text as double precision) with inout as assignment;
create cast (text as boolean) with inout as assignment;

-- From one to the other.
create function tsql.midnight(date) returns tsql.datetime2 language sql immutable strict as
    $$ select (($1 - date '0001-01-01')::bigint * 864000000000)::tsql.datetime2 $$;
create cast (date as tsql.datetime2) with function tsql.midnight(date) as implicit;
create function tsql.day(tsql.datetime2) returns date language sql immutable strict as
    $$ select date '0001-01-01' + ($1::bigint / 864000000000)::integer $$;
create cast (tsql.datetime2 as date) with function tsql.day(tsql.datetime2) as assignment;
create function tsql.clock(tsql.datetime2) returns tsql.time language sql immutable strict as
    'select ($1::bigint % 864000000000)::tsql.time';
create cast (tsql.datetime2 as tsql.time) with function tsql.clock(tsql.datetime2) as assignment;
create function tsql.zulu(tsql.datetime2) returns tsql.datetimeoffset
    language sql immutable strict as 'select tsql.at_offset($1::bigint, 0)';
create cast (tsql.datetime2 as tsql.datetimeoffset)
    with function tsql.zulu(tsql.datetime2) as implicit;
create function tsql.local(tsql.datetimeoffset) returns tsql.datetime2
    language sql immutable strict as
    'select (tsql.instant($1) + tsql.minutes($1) * 600000000::bigint)::tsql.datetime2';
create cast (tsql.datetimeoffset as tsql.datetime2)
    with function tsql.local(tsql.datetimeoffset) as assignment;
create function tsql.stamp(timestamp) returns tsql.datetime2 language sql immutable strict as
    $$ select ((extract(epoch from $1) * 10000000)::bigint + 621355968000000000)::tsql.datetime2 $$;
create cast (timestamp as tsql.datetime2) with function tsql.stamp(timestamp) as assignment;
create function tsql.stamp(timestamptz) returns tsql.datetimeoffset
    language sql immutable strict as
    $$ select tsql.at_offset((extract(epoch from $1) * 10000000)::bigint + 621355968000000000, 0) $$;
create cast (timestamptz as tsql.datetimeoffset)
    with function tsql.stamp(timestamptz) as assignment;

-- Writing: style 121, and 126 with a T; always all seven digits.
create function tsql.str(value tsql.time, style integer default 121) returns text
    language sql immutable strict as $$
    select to_char(value::bigint / 36000000000, 'FM00')
        || to_char(value::bigint / 600000000 % 60, '":"FM00')
        || to_char(value::bigint / 10000000 % 60, '":"FM00')
        || to_char(value::bigint % 10000000, '"."FM0000000')
$$;
create function tsql.str(value tsql.datetime2, style integer default 121) returns text
    language sql immutable strict as $$
    select value::date::text || case when style in (126, 127) then 'T' else ' ' end
        || tsql.str(value::tsql.time, style)
$$;
create function tsql.str(value tsql.datetimeoffset, style integer default 121) returns text
    language sql immutable strict as $$
    select case when style = 127
        then tsql.str(tsql.instant(value)::tsql.datetime2, style) || 'Z'
        else tsql.str(value::tsql.datetime2, style) || case when style = 126 then '' else ' ' end
            || case when tsql.minutes(value) < 0 then '-' else '+' end
            || to_char(abs(tsql.minutes(value)) / 60, 'FM00')
            || to_char(abs(tsql.minutes(value)) % 60, '":"FM00') end
$$;
create function tsql.str(value date, style integer default 23) returns text
    language sql immutable strict as $$
    select to_char(value, case style when 112 then 'YYYYMMDD' else 'YYYY-MM-DD' end)
$$;
create function tsql.str(value boolean, style integer default 0) returns text
    language sql immutable strict as 'select value::integer::text';
create function tsql.str(value uuid, style integer default 0) returns text
    language sql immutable strict as 'select upper(value::text)';
create function tsql.str(value text, style integer default 0) returns text
    language sql immutable strict as 'select value';
create function tsql.str(value bytea, style integer default 0) returns text
    language sql immutable strict as $$
    select case style when 1 then '0x' || upper(encode(value, 'hex'))
        when 2 then upper(encode(value, 'hex')) else convert_from(value, 'utf8') end
$$;
create function tsql.str(value anynonarray, style integer default 0) returns text
    language sql immutable strict as 'select value::text';

-- A bit is a boolean, which T-SQL compares with and sets from numbers.
create function tsql.bit_eq(boolean, integer) returns boolean
    language sql immutable strict as 'select $1::integer = $2';
create function tsql.bit_ne(boolean, integer) returns boolean
    language sql immutable strict as 'select $1::integer <> $2';
create operator tsql.= (leftarg = boolean, rightarg = integer, function = tsql.bit_eq);
create operator tsql.<> (leftarg = boolean, rightarg = integer, function = tsql.bit_ne);
update pg_cast set castcontext = 'a'
where castsource = 'integer'::regtype and casttarget = 'boolean'::regtype;
