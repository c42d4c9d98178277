-- @P1 table, @P2 version: forgets the entries up to there. First what says so, or a reader could miss them.
update {{store}}._sync_logged set since = @P2 where table_name = @P1 and since < @P2;
delete from {{store}}._sync_changes where table_name = @P1 and version <= @P2;
