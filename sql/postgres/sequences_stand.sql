-- Where sequences stand, in their order: the last value, and whether it has been handed out.
select json_build_array({{stands}})::text
