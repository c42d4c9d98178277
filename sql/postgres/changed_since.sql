-- Whether any row has changed since the watermark: if not, the table need not be read.
select exists (select from {{source}} s where {{changed_since}})
