-- The keys of all rows, with what tells whose they are and when they changed: they are hashed where they are
-- compared.
select {{columns}}
from {{source}} s
