-- What a withheld row met. Few rows are withheld: one look into the index for each, never a scan. A part
-- of withhold.sql.
select t.xmin::text as version, {{target_json}} as row from {{target}} t where {{same_row}} limit 1
