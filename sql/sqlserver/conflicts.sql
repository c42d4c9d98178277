-- @P1 table or null, @P2 how many of each list, then reasons: what both sides did to one row, the latest first,
-- and how many there are. Contents of rows are left to who asks for one entry.
select (
        select count_big(*) from {{store}}._sync_withheld w
        where (@P1 is null or w.table_name = @P1) and (w.contested = 1 or w.reason in ({{reasons}}))
    ) as undecided, (
        select count_big(*) from {{store}}._sync_trash t where @P1 is null or t.table_name = @P1
    ) as decided;
select top (@P2) w.id, w.table_name, w.[key], w.direction, w.reason, w.contested, w.first_seen_at as since, w.attempts
from {{store}}._sync_withheld w
where (@P1 is null or w.table_name = @P1) and (w.contested = 1 or w.reason in ({{reasons}}))
order by w.id desc;
select top (@P2) t.id, t.table_name, t.[key], t.direction, t.reason, t.trashed_at as since
from {{store}}._sync_trash t
where @P1 is null or t.table_name = @P1
order by t.id desc;
