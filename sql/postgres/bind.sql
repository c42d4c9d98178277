-- $1 names, $2 values: settings for the rest of the transaction. An older server goes without those of
-- its own that it does not know.
select set_config(s.name, s.value, true)
from unnest($1::text[], $2::text[]) as s (name, value)
where s.name like '%.%' or exists (select from pg_settings p where p.name = s.name)
