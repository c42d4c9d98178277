copy pg_temp.tidegate_stage ({{columns}}, _tidegate_stamp) from stdin (format binary)
