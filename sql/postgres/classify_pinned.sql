-- Second look, after the pin and in its own statement: what the last writers did counts. A row that
-- is gone by now was not pinned either.
update pg_temp.tidegate_verdict v
set held_version = t.xmin,
    held_owner = {{held_owner}},
    verdict = case when p.k1 is null then 'busy' else {{verdict}} end
from pg_temp.tidegate_stage s
left join {{target}} t on {{same_row}}
left join pg_temp.tidegate_pinned p on {{same_pinned}}
where v.verdict = 'update' and s.ctid = v.place
