-- @P1 the other direction: what this end knows, in the snapshot that is read, of the direction that writes it.
select m.table_name, m.watermark, m.after_key
from {{store}}._sync_metadata m
where m.direction = @P1 and m.stream = N'changes' and m.site = N'';
-- Forward goes by what is logged; only what reverse left to it has to be asked for.
select w.table_name, w.[key], case when w.since is null then 0 else 1 end as is_held_back,
    case when w.reason = N'stale' and @P1 = N'reverse' then 1 else 0 end as has_won
from {{store}}._sync_withheld w
where w.direction = @P1 and (w.since is not null or w.reason = N'stale');
