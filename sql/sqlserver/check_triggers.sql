-- The triggers of the tables that are wanted, each by number and quoted name, that fire when a row is inserted
-- or updated, with their source; none where the role may not see it.
select w.number, g.name, m.definition
from (values {{wanted}}) as w (number, quoted)
join sys.triggers g on g.parent_id = object_id(w.quoted)
join sys.sql_modules m on m.object_id = g.object_id
where g.is_disabled = 0 and left(g.name, 9) <> N'tidegate_' and m.definition is not null
    and exists (
        select 1 from sys.trigger_events e where e.object_id = g.object_id and e.type_desc in ('INSERT', 'UPDATE')
    );
