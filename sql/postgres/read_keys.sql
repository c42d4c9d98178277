-- Single rows by their keys; those that wait for an owner only once they are the writer's.
copy (
    select {{columns}}, {{notes}}
    from json_to_recordset(current_setting('tidegate.keys')::json) as k (key json, once_owned boolean)
    join {{source}} s on {{key_is_row}}
    where not k.once_owned or {{owned}}
    order by {{stamp}} nulls first, {{key}}
) to stdout (format binary)
