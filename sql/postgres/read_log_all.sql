-- The whole table, with what the change log says of its rows; but of the desktop's rows only those that a
-- mobile user edited, or may have edited before there was a log. The places in the log are left out: in this
-- order they say nothing of what has been read.
copy (
    with entries as (
        {{entries}}
    )
    select {{columns}}, {{notes}}
    from {{source}} s
    left join entries e on {{key_is_row}}
    where e.key is not null or {{may_be_edited}} or ({{others}}) is not true
    order by {{key}}
) to stdout (format binary)
