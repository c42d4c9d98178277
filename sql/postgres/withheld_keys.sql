-- $1 table, $2 direction: the keys of its withheld rows.
select key::text from {{store}}._sync_withheld where table_name = $1 and direction = $2 order by id
