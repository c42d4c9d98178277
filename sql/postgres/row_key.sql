-- $1 a key as a JSON object: the same as tidegate's own tables have it.
select {{key}}
