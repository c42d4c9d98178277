-- $1 key: a row as it is now, and the transaction that wrote it so.
select json_build_object('xmin', {{alias}}.xmin::text, 'values', {{values}})::text
from {{table}} {{alias}}
where {{is_row}}
limit 1
