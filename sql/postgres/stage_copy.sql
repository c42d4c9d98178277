copy pg_temp.tidegate_stage ({{columns}}) from stdin (format binary)
