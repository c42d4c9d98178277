-- The desktop's numbering has been changed by hand, and reaches a number that a phone has used.

insert into jobshead (job_id, client_id, jobtype_id, job_name, manager_id)
values (99999, 88, 6, 'Bookkeeping October 2025', 9);
