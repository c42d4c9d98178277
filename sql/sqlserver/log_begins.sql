-- The trigger has the table to itself: every change before it is committed, and what comes after it has entries.
-- The version that is drawn here is above every horizon that was told before.
delete from {{store}}._sync_logged where table_name = {{label}};
insert into {{store}}._sync_logged (table_name, trigger_schema, trigger_name)
values ({{label}}, {{trigger_schema}}, {{trigger_name}});
update {{store}}._sync_logged set since = version where table_name = {{label}};
