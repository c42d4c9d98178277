-- $1 writer's mark, $2 the other side's. Planned inserts that met a row which somebody has committed since
-- the look are judged by it; one that could be written after all is left for the end of the run.
update pg_temp.tidegate_verdict v
set held_version = t.xmin,
    held_owner = {{held_owner}},
    verdict = case {{verdict}} when 'update' then 'busy' else {{verdict}} end
from pg_temp.tidegate_stage s
join {{target}} t on {{same_row}}
where s.ctid = v.place and v.verdict = 'insert' and t.xmin <> pg_current_xact_id()::xid
