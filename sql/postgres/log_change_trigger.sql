create trigger _sync_log_change after insert or update or delete on {{table}}
    for each row when (coalesce(current_setting('tidegate.writing', true), '') = '')
    execute function {{store}}._sync_log_change({{arguments}});
