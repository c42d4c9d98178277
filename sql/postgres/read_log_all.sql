-- The whole table, with what the change log says of its rows. Their places in the log are left out: in
-- this order they say nothing of what has been read.
copy (
    with entries as (
        {{entries}}
    )
    select {{columns}}, {{notes}}
    from {{source}} s
    left join entries e on {{key_is_row}}
    where {{only}}
    order by {{key}}
) to stdout (format binary)
