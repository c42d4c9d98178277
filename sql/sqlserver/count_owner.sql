-- @P1 a mark: the rows that carry it.
select count_big(*) as [rows] from {{target}} t where {{owner}} = @P1
