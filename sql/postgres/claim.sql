-- $1 table, $2 direction: our position, locked, created if need be.
-- The update that changes nothing is what locks and returns a row that is there already.
insert into {{store}}._sync_metadata as m (table_name, direction, stream)
values ($1, $2, 'changes')
on conflict (site, table_name, direction, stream) do update set generation = m.generation
returning m.generation,
    exists (
        select from {{store}}._sync_withheld w
        where w.site = m.site and w.table_name = m.table_name and w.direction = m.direction
    ) as has_withheld
