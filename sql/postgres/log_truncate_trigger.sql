create trigger _sync_log_truncate before truncate on {{table}}
    for each statement when (coalesce(current_setting('tidegate.writing', true), '') = '')
    execute function {{store}}._sync_log_truncate({{arguments}});
