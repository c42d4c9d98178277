-- A day in the field, in the cloud: `source` is left to the mobile user's default.

begin;

insert into jobshead (job_id, client_id, jobtype_id, job_name, status, manager_id, notes)
values (99999, 41, 19, 'Answer to tax notice', 'In progress', 5,
    E'Client handed over the notice.\n"Reply within a week."');

insert into jobtasks (job_id, task_no, task_code, assigned_to, planned_hours, remarks)
values (99999, 1, 'COLLECT-5', 31, 2.5, 'Visited on the way home'),
    (99999, 2, 'FILE-5', 31, 1, null);

insert into taskchecklist (checklist_id, job_id, task_no, item, is_done, answer)
values (gen_random_uuid(), 99999, 1, 'Notice photographed', true, '{"pages": 3}'),
    (gen_random_uuid(), 99999, 1, 'Client''s signature obtained', true, '{"ok": true}'),
    (gen_random_uuid(), 99999, 2, 'Reply drafted', false, null);

insert into workdiary (entry_id, staff_id, job_id, work_date, minutes, notes, place)
values (9000000001, 31, 99999, current_date, 95, 'Site visit', '{"lat": 18.9321, "lon": 72.8347}');

insert into reminder (reminder_id, staff_id, job_id, subject, remind_at)
values (gen_random_uuid(), 31, 99999, 'Reply to the notice', now() + interval '5 days');

-- A row of the desktop, edited on the phone.
update jobshead set status = 'On hold', notes = 'Director''s signature missing; back on Monday.',
    updated_at = now()
where job_id = 300;

commit;
