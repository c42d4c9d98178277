-- Meanwhile in the office: job 100 is done, and there is a new one.

begin;

update jobshead set status = 'Completed', notes = 'Purchase register came by e-mail.', updated_at = now()
where job_id = 100;

insert into jobshead (job_id, client_id, jobtype_id, job_name, manager_id)
values (24569, 17, 9, 'Income tax return FY 2024-25', 7);

commit;
