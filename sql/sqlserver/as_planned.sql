-- @P1 the target, quoted: its columns with their types, as they are now.
select c.name, coalesce(y.name, type_name(c.user_type_id)) as type_name, c.max_length, c.precision, c.scale,
    cast(collationproperty(c.collation_name, 'CodePage') as int) as code_page
from sys.columns c
-- An alias type is what it stands for.
left join sys.types y on y.user_type_id = c.system_type_id
where c.object_id = object_id(@P1);
