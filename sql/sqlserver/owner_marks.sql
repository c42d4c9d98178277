-- The marks of a table's ownership column, by a sample: no more is read than tells what it is.
select distinct top (20) s.mark
from (select top (10000) rtrim(cast(t.{{column}} as nvarchar(100))) collate Latin1_General_BIN2 as mark from {{table}} t) s
where s.mark is not null
order by s.mark;
