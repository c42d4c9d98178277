-- @P1 table, @P2 direction, @P3 run: rows that this run had to leave for later, with the reason. Only another
-- definition of the table could help those that it refused.
select w.[key], w.reason, w.since
from {{store}}._sync_withheld w
where w.table_name = @P1 and w.direction = @P2 and w.last_run_id = @P3
    and w.reason in (N'busy', N'missing_parent', N'unique')
    and (w.target_version is null or w.target_version not like N'definition %')
order by w.id
