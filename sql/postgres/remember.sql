,
remembered as (
    -- What triggers made of the rows, so that it is not taken for an edit.
    insert into {{store}}._sync_images as i (table_name, key, sent, kept)
    select {{label}}, {{key_json}}, {{sent}}, m.kept
    from merged m
    join pg_temp.tidegate_verdict v on {{same_written}}
    join pg_temp.tidegate_stage s on s.ctid = v.place
    where m.kept <> {{sent}}
    on conflict (table_name, key) do update set sent = excluded.sent, kept = excluded.kept
)
