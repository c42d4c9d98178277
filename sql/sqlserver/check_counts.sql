-- @P1, @P2 the two marks, @P3 the value that the cloud's sequence hands out next, or null, @P4 its step: one scan of
-- a table.
select count_big(*) as [rows],
    count_big(case when {{unstamped}} then 1 end) as unstamped,
    count_big(case when {{owner}} in (@P1, @P2) then null else 1 end) as strangers,
    max(case when {{key}} < @P3 and ({{owner}} is null or {{owner}} <> @P2) then {{key}} end) as below,
    min(case when @P4 > 0 and {{key}} >= @P3 and ({{key}} - @P3) % @P4 = 0 then {{key}} end) as taken_above,
    max(case when @P4 < 0 and {{key}} <= @P3 and ({{key}} - @P3) % @P4 = 0 then {{key}} end) as taken_below
from {{table}} t;
