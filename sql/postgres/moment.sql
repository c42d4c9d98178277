-- $1 a moment as an operator wrote it, $2 a watermark or null: what PostgreSQL makes of the one, and how
-- it lies to the other. A null watermark is before everything.
select m.at::text as text, extract(epoch from m.at)::text as epoch, isfinite(m.at) as finite,
    m.at > clock_timestamp() as ahead,
    $2::timestamptz is null or m.at > $2::timestamptz as skips
from (select $1::timestamptz as at) m
