-- @P1 number, @P2 what becomes of it, then its columns: a line with a value that bulk load does not take.
insert into {{stage}} (n, deed, {{columns}}) values (@P1, @P2, {{values}});
