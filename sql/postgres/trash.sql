-- $1 run, $2 direction: the versions that lose against what is written, and, where nothing else would ever
-- look at them again, those that lose against what is there.
insert into {{store}}._sync_trash (table_name, direction, key, reason, row, winner, run_id)
select {{label}}, $2, {{key_json}},
    case when ($2 = 'forward') = (v.verdict = 'update') then 'lost_to_desktop' else 'lost_to_mobile' end,
    case v.verdict when 'update' then {{target_json}} else {{staged_json}} end,
    case v.verdict when 'update' then {{staged_json}} else {{target_json}} end,
    $1
from pg_temp.tidegate_verdict v
join pg_temp.tidegate_stage s on s.ctid = v.place
join {{target}} t on {{same_row}}
where {{contested}} and (v.verdict = 'update' or $2 = 'reverse' and v.verdict = 'stale')
