-- Waiting rows of one table that lack one parent. An arm of rings.sql, with its values.
select w.table_name, w.key, {{parent_label}}::text, jsonb_build_object({{parent_key}})
from {{store}}._sync_withheld w
where w.table_name = {{label}} and w.direction = $2 and w.last_run_id = $1
    and w.reason = 'missing_parent' and not {{parent_present}}
