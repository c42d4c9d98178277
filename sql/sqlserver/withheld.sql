-- @P1 table, @P2 direction: its withheld rows.
select w.[key], w.reason, w.contested, w.target_version, w.since, w.[row]
from {{store}}._sync_withheld w
where w.table_name = @P1 and w.direction = @P2
order by w.id
