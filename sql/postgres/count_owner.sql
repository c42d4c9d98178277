-- $1 a mark: the rows that carry it.
select count(*) from {{target}} t where {{owner}} = $1
