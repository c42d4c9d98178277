-- $1 table, $2 direction, $3 run, $4 whether the rows were asked for by their keys, $5 what the target said
-- of them, $6 where the table stood before: what was not written, and why. An entry that says nothing new is
-- left alone, unless it was tried again; so is a change that is pending, when its row is only met in passing.
-- What a row was before it was changed stays known while that is pending.
insert into {{store}}._sync_withheld as w
    (table_name, direction, key, reason, detail, row, target_row, target_version, since, contested,
     first_run_id, last_run_id)
select $1, $2, {{key_json}}, case when v.detached then 'missing_parent' else v.verdict end,
    $5, {{row}}, h.row, h.version, case when v.verdict <> 'stale' then $6::jsonb{{bases}} end, {{contested}}, $3, $3
from pg_temp.tidegate_verdict v
join pg_temp.tidegate_stage s on s.ctid = v.place
left join lateral ({{met}}) h on true
where v.detached or v.verdict not in ('insert', 'update', 'unchanged')
on conflict (site, table_name, direction, key) do update
set reason = excluded.reason, detail = excluded.detail, row = excluded.row, target_row = excluded.target_row,
    target_version = excluded.target_version, last_run_id = excluded.last_run_id,
    since = case
        when excluded.since is null or w.since is null then excluded.since
        else excluded.since || w.since
    end,
    contested = excluded.contested, last_seen_at = clock_timestamp(), attempts = w.attempts + 1
where ($4 or excluded.reason in ('busy', 'missing_parent', 'unique')
        or (w.reason, w.row, w.target_row, w.target_version)
            is distinct from (excluded.reason, excluded.row, excluded.target_row, excluded.target_version))
    and not (excluded.reason = 'stale' and not excluded.contested and w.since is not null)
