-- $1 tables, $2 the other direction: what this end knows, in the snapshot that is read, of the direction
-- that writes it, and of its change log.
select coalesce(json_agg(json_build_object(
    'table', t.name,
    'position', case when m.watermark ~ '^[0-9]+$' then json_build_object(
        'watermark', m.watermark, 'after', m.after_key::text
    ) end,
    'held_back', coalesce((
        select json_agg(w.key::text) from {{store}}._sync_withheld w
        where w.table_name = t.name and w.direction = $2 and w.since is not null
    ), '[]'),
    'won', coalesce((
        select json_agg(w.key::text) from {{store}}._sync_withheld w
        -- Forward goes by what is logged; only what reverse left to it has to be asked for.
        where w.table_name = t.name and w.direction = $2 and w.reason = 'stale' and $2 = 'reverse'
    ), '[]'),
    'logged', (
        select json_build_object('installed_at', l.installed_at, 'pruned_below', l.pruned_below::text::bigint)
        from {{store}}._sync_logged l where l.table_name = t.name
    )
)), '[]')::text
from unnest($1::text[]) as t (name)
left join {{store}}._sync_metadata m
    on m.table_name = t.name and m.direction = $2 and m.stream = 'changes'
