-- What changed since the watermark: closed, because rows at it may have been committed since. No
-- upper bound: what the snapshot shows above the horizon arrives now and is read again next time.
copy (
    select {{columns}}, {{notes}}
    from {{source}} s
    where ({{changed_since}}) and {{only}}
    order by {{stamp}}, {{key}}
) to stdout (format binary)
