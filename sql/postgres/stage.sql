create temp table tidegate_stage ({{definitions}}) on commit drop
