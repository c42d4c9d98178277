-- Logs what users change, an entry for each row, for tidegate; made by `tidegate migrate`.
create trigger {{trigger}} on {{table}} after insert, update, delete as
begin
    set nocount on;
    set rowcount 0;
    -- What tidegate writes came from the other end; what other triggers make of it did not.
    if substring(context_info(), 1, 8) = 0x7469646567617465 and trigger_nestlevel() = 1 return;
    insert into {{store}}._sync_changes (table_name, operation, [key])
    select {{label}}, N'delete', {{deleted_key}}
    from deleted d
    where not exists (select 1 from inserted i where {{same_key}});
    insert into {{store}}._sync_changes (table_name, operation, [key])
    select {{label}},
        case when exists (select 1 from deleted d where {{same_key}}) then N'update' else N'insert' end,
        {{inserted_key}}
    from inserted i;
end
