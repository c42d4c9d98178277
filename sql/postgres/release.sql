-- $1 table, $2 direction: rows that have arrived leave the list.
delete from {{store}}._sync_withheld w
using pg_temp.tidegate_verdict v
join pg_temp.tidegate_stage s on s.ctid = v.place
where w.table_name = $1 and w.direction = $2 and w.key = {{key_json}}
    and v.verdict in ('insert', 'update', 'unchanged') and not v.detached
