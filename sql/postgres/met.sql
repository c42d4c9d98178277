-- Planned inserts that met a row which somebody has committed since the look are judged by it; one that
-- could be written after all is left for the end of the run. Bound as the first look is.
update pg_temp.tidegate_verdict v
set held_version = d.held_version,
    held_owner = d.held_owner,
    pending = d.pending,
    rule = d.rule,
    verdict = case {{verdicts}}[d.rule] when 'update' then 'busy' else {{verdicts}}[d.rule] end
from (
    select v.ctid as place,
        t.xmin as held_version,
        {{held_owner}} as held_owner,
        {{pending}} as pending,
        {{rule}} as rule
    from pg_temp.tidegate_verdict v
    join pg_temp.tidegate_stage s on s.ctid = v.place
    join {{target}} t on {{same_row}}
    {{lookups}}
    where v.verdict = 'insert' and t.xmin <> pg_current_xact_id()::xid
) d
where d.place = v.ctid
