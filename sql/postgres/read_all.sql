-- The whole table. Rows without a stamp come first, so that a position at a stamp has passed them.
copy (
    select {{columns}}, {{notes}}
    from {{source}} s
    where {{only}}
    order by {{stamp}} nulls first, {{key}}
) to stdout (format binary)
