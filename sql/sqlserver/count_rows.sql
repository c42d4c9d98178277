-- The rows of each owner, also of one that has none, and when they were counted.
select sysdatetimeoffset() as moment;
select c.owner, count_big(*) as [rows] from (select {{owner}} as owner from {{target}} t) c group by c.owner;
