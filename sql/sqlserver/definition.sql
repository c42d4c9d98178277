-- @P1 table, quoted: everything by which it may refuse a row, and when that was altered last.
select o.name, convert(nvarchar(30), o.modify_date, 126) as mark
from sys.objects o
where o.object_id = object_id(@P1) or o.parent_object_id = object_id(@P1);
select c.name, concat(c.user_type_id, N' ', c.max_length, N' ', c.precision, N' ', c.scale, N' ', c.is_nullable, N' ',
    c.collation_name) as mark
from sys.columns c
where c.object_id = object_id(@P1);
select i.name, concat(i.index_id, N' ', i.is_disabled, N' ', i.filter_definition) as mark
from sys.indexes i
where i.object_id = object_id(@P1) and i.is_unique = 1;
select k.name, concat(k.is_disabled, N' ', k.definition) as mark
from sys.check_constraints k
where k.parent_object_id = object_id(@P1);
select f.name, concat(f.is_disabled, N' ', f.referenced_object_id) as mark
from sys.foreign_keys f
where f.parent_object_id = object_id(@P1);
select g.name, concat(g.is_disabled, N'') as mark
from sys.triggers g
where g.parent_id = object_id(@P1);
