-- Only the rows that are to be written, in key order; a row that somebody holds is not waited for.
insert into pg_temp.tidegate_pinned
select {{held_key}}
from pg_temp.tidegate_verdict v
join {{target}} t on {{same_row}}
join pg_temp.tidegate_stage s on s.ctid = v.place
where v.verdict = 'update' and {{which}}
order by {{order}}
for {{strength}} of t skip locked
