-- Two versions of one key in a batch: the later one stays. Rows stand in the order of their arrival.
with numbered as (
    select ctid as place, row_number() over (partition by {{key}} order by ctid desc) as age
    from pg_temp.tidegate_stage
)
delete from pg_temp.tidegate_stage s
where s.ctid = any (array(select place from numbered where age > 1))
