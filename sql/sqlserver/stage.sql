-- A temporary table. Texts that are compared with columns of a table are made of these: of their collations, which
-- need not be tempdb's. A cast makes no identity of them.
if object_id('tempdb..{{stage}}') is not null drop table {{stage}};
select top (0) cast(0 as int) as n, cast(0 as int) as deed{{made}}
into {{stage}}
from {{like}} t;
{{added}}
