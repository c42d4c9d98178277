-- Whether any row of a table has changed since the watermark: if not, it need not be read.
select {{number}} as number, case when exists (select 1 from {{source}} s where {{changed_since}}) then 1 else 0 end as changed
