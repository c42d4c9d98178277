-- Which of these rights the role has, in the order asked; null where the object does not exist.
select case when w.col is null then has_perms_by_name(w.securable, w.class, w.privilege)
        else has_perms_by_name(w.securable, w.class, w.privilege, w.col, 'COLUMN') end as held
from (values {{wanted}}) as w (place, securable, class, privilege, col)
order by w.place;
