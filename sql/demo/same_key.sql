-- Run at both ends: each side's default says whose job it is.

insert into jobshead (job_id, client_id, jobtype_id, job_name, manager_id)
values (99998, 88, 6, 'Bookkeeping November 2025', 9);
