-- Whether somebody holds the whole table: no row of it is then to blame. Rows that are held are passed by.
select top (1) 1 as there from {{target}} with (readcommittedlock, readpast, rowlock);
