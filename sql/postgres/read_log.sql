-- The rows that the change log names since the position, as they are now, in the order of their first
-- entries. Rows that are gone are left out: the log keeps who deleted them.
copy (
    with entries as (
        {{entries}}
    )
    select {{columns}}, {{notes}}
    from entries e
    join {{source}} s on {{key_is_row}}
    where {{only}}
    order by e.xid, e.seq
) to stdout (format binary)
