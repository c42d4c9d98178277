-- $1 a stored key: fails unless its values are of the types that the key has now.
select row({{key}}) from (select $1::jsonb as key) w
