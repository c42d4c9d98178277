-- $1 writer's mark. foreign_rows: rows under these keys that are not the writer's.
select verdict, count(*) as rows,
    count(*) filter (where held_version is not null and held_owner is distinct from $1) as foreign_rows
from pg_temp.tidegate_verdict
group by verdict
