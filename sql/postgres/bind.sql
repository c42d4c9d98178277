-- $1 names, $2 values: settings for the rest of the transaction.
select set_config(s.name, s.value, true) from unnest($1::text[], $2::text[]) as s (name, value)
