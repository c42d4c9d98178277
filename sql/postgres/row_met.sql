-- What a withheld row met, and in which version its verdict was about it: it may have changed since. Few
-- rows are withheld: one look into the index for each, never a scan. Without the OFFSET the planner would
-- look for every staged row. A part of withhold.sql.
select v.held_version::text as version, (select {{target_json}} from {{target}} t where {{same_row}} limit 1) as row
offset 0
