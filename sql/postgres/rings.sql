-- $1 run, $2 direction: rows whose missing parents all wait as well, to the end: they stand in a ring of
-- foreign keys, or hang on one. Whoever waits for a row that is not on the list is lost for now, and
-- so is whoever waits for him.
with recursive edges (child_table, child_key, parent_table, parent_key) as (
    {{edges}}
),
lost (table_name, key) as (
    select e.child_table, e.child_key
    from edges e
    where not exists (
        select from edges p where p.child_table = e.parent_table and p.child_key = e.parent_key
    )
    union
    select e.child_table, e.child_key
    from edges e
    join lost l on l.table_name = e.parent_table and l.key = e.parent_key
)
select distinct e.child_table, e.child_key::text
from edges e
where not exists (
    select from lost l where l.table_name = e.child_table and l.key = e.child_key
)
