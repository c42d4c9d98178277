-- $1 writer's mark. foreign_rows: rows under these keys that are not the writer's; contested: rows that
-- both sides have changed; overwrites: rows that are written though a user's change of them is pending.
select verdict, count(*) as rows,
    count(*) filter (where held_version is not null and held_owner is distinct from $1) as foreign_rows,
    count(*) filter (where {{contested}}) as contested,
    count(*) filter (where v.pending and v.verdict in ('insert', 'update')) as overwrites
from pg_temp.tidegate_verdict v
group by verdict
