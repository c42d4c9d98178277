-- @P1 run, @P2 table, @P3 direction: its row in the list of runs, if there is none.
insert into {{store}}._sync_runs (run_id, table_name, direction, outcome)
select @P1, @P2, @P3, N'running'
where not exists (
    select 1 from {{store}}._sync_runs r with (updlock, holdlock)
    where r.run_id = @P1 and r.table_name = @P2 and r.direction = @P3
)
