-- $1 writer's mark: rows of another owner that this transaction has changed and was not to write. Must be
-- none.
select count(*) as changed
from pg_temp.tidegate_verdict v
join {{target}} t on {{same_row}}
where v.held_version is not null and v.held_owner is distinct from $1
    and {{not_ours}}
    and t.xmin <> v.held_version and t.xmin = pg_current_xact_id()::xid
