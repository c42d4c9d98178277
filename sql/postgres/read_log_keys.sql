-- Single rows by their keys, with what the change log says of them since they were withheld.
copy (
    with asked as materialized (
        select k.key::jsonb as key, k.once_owned, k.since
        from json_to_recordset(current_setting('tidegate.keys')::json) as k (key json, once_owned boolean, since json)
    ),
    entries as (
        {{entries}}
    )
    select {{columns}}, {{notes}}
    from asked k
    join {{source}} s on {{asked_is_row}}
    left join entries e on e.key = k.key
    where not k.once_owned or {{owned}}
    order by {{key}}
) to stdout (format binary)
