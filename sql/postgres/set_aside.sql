-- $1 reason: every staged row is withheld. Its values are not looked at: they may not be of the target's
-- types.
create temp table tidegate_verdict on commit drop as
select s.ctid as place, {{staged_key}}, null::xid as held_version, null::text as held_owner,
    false as detached, false as pending, null::integer as rule, $1::text as verdict
from pg_temp.tidegate_stage s
