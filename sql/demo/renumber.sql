-- The desktop's job makes room for the mobile user's.

update jobshead set job_id = 24570, updated_at = now() where job_id = 99999;
