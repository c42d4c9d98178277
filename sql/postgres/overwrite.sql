-- Users' changes that are written over are settled: what reverse reads from here on is ours.
insert into {{store}}._sync_changes (table_name, operation, key)
select {{label}}, 'overwritten', {{key_json}}
from pg_temp.tidegate_verdict v
join pg_temp.tidegate_stage s on s.ctid = v.place
where v.pending and v.verdict in ('insert', 'update')
