-- Goes on strictly after the last row of a run that stopped in the middle of the table.
copy (
    select {{columns}}, {{notes}}
    from {{source}} s
    where ({{changed_since}}) and {{only}}
        and ({{stamp}}, {{key}}) > ({{watermark}}, {{after}})
    order by {{stamp}}, {{key}}
) to stdout (format binary)
