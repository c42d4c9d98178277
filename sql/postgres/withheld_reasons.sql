-- $1 table, $2 direction, $3 keys: those that are withheld, and why.
select w.key::text as key, w.reason
from {{store}}._sync_withheld w
where w.table_name = $1 and w.direction = $2 and w.key = any ($3::text[]::jsonb[])
