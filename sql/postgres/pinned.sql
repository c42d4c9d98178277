create temp table tidegate_pinned on commit drop as
select {{key}} from pg_temp.tidegate_verdict v with no data
