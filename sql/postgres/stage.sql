create temp table tidegate_stage ({{definitions}}, _tidegate_stamp timestamptz) on commit drop
