-- The 15 tables of a practice-management system, the same on both ends.
-- source: 'D' marks rows of the desktop, 'M' rows of mobile users.

create table orgmaster (
    org_code   text primary key,
    org_name   text not null,
    gst_no     text,
    settings   jsonb,
    source     char(1) default 'D',
    created_at timestamptz default now(),
    updated_at timestamptz default now()
);

-- Constitutions: individual, partnership, company …
create table conmaster (
    con_id     smallint primary key,
    con_name   text not null,
    source     char(1) default 'D',
    created_at timestamptz default now(),
    updated_at timestamptz default now()
);

create table taskmaster (
    task_code  text primary key,
    task_name  text not null,
    std_hours  numeric(6,2),
    billable   boolean not null default true,
    source     char(1) default 'D',
    created_at timestamptz default now(),
    updated_at timestamptz default now()
);

create table locmaster (
    org_code   text not null references orgmaster,
    loc_id     smallint not null,
    loc_name   text not null,
    address    text,
    opened_on  date,
    source     char(1) default 'D',
    created_at timestamptz default now(),
    updated_at timestamptz default now(),
    primary key (org_code, loc_id)
);

create table mbstaff (
    staff_id    integer primary key,
    org_code    text not null,
    loc_id      smallint not null,
    staff_name  text not null,
    email       text,
    mobile      text,
    joined_on   date,
    hourly_rate numeric(10,2),
    active      boolean not null default true,
    reports_to  integer references mbstaff,
    photo       bytea,
    source      char(1) default 'D',
    created_at  timestamptz default now(),
    updated_at  timestamptz default now(),
    foreign key (org_code, loc_id) references locmaster
);

-- Kinds of jobs.
create table jobmaster (
    jobtype_id   integer primary key,
    jobtype_name text not null,
    period       text not null,
    fee          numeric(12,2),
    first_task   text references taskmaster,
    source       char(1) default 'D',
    created_at   timestamptz default now(),
    updated_at   timestamptz default now()
);

create table climaster (
    client_id       integer primary key,
    con_id          smallint references conmaster,
    partner_id      integer references mbstaff,
    client_name     text not null,
    gst_no          text,
    email           text,
    phone           text,
    address         text,
    incorporated_on date,
    outstanding     numeric(12,2) not null default 0,
    active          boolean not null default true,
    details         jsonb,
    source          char(1) default 'D',
    created_at      timestamptz default now(),
    updated_at      timestamptz default now()
);

-- The places where a client does business.
create table cliunimaster (
    client_id  integer not null references climaster,
    unit_no    smallint not null,
    unit_name  text not null,
    contact    text,
    address    text,
    source     char(1) default 'D',
    created_at timestamptz default now(),
    updated_at timestamptz default now(),
    primary key (client_id, unit_no)
);

create table jobshead (
    job_id     integer primary key,
    client_id  integer not null references climaster,
    jobtype_id integer not null references jobmaster,
    job_name   text not null,
    status     text not null default 'Open',
    priority   smallint not null default 3,
    due_date   date,
    fee        numeric(12,2),
    manager_id integer references mbstaff,
    notes      text,
    source     char(1) default 'D',
    created_at timestamptz default now(),
    updated_at timestamptz default now()
);

create table jobtasks (
    job_id        integer not null references jobshead,
    task_no       smallint not null,
    task_code     text not null references taskmaster,
    assigned_to   integer references mbstaff,
    status        text not null default 'Open',
    planned_hours numeric(6,2),
    done_on       date,
    remarks       text,
    source        char(1) default 'D',
    created_at    timestamptz default now(),
    updated_at    timestamptz default now(),
    primary key (job_id, task_no)
);

create table taskchecklist (
    checklist_id uuid primary key,
    job_id       integer not null,
    task_no      smallint not null,
    item         text not null,
    is_done      boolean not null default false,
    answer       jsonb,
    source       char(1) default 'D',
    created_at   timestamptz default now(),
    updated_at   timestamptz default now(),
    foreign key (job_id, task_no) references jobtasks
);

create table workdiary (
    entry_id   bigint primary key,
    staff_id   integer not null references mbstaff,
    job_id     integer references jobshead,
    work_date  date not null,
    minutes    integer not null,
    amount     numeric(12,2),
    notes      text,
    place      jsonb,
    source     char(1) default 'D',
    created_at timestamptz default now(),
    updated_at timestamptz default now()
);

create table reminder (
    reminder_id uuid primary key,
    staff_id    integer not null references mbstaff,
    job_id      integer references jobshead,
    subject     text not null,
    body        text,
    remind_at   timestamptz,
    done        boolean not null default false,
    source      char(1) default 'D',
    created_at  timestamptz default now(),
    updated_at  timestamptz default now()
);

create table remdetail (
    reminder_id uuid not null references reminder,
    seq         smallint not null,
    channel     text not null,
    sent_at     timestamptz,
    outcome     text,
    source      char(1) default 'D',
    created_at  timestamptz default now(),
    updated_at  timestamptz default now(),
    primary key (reminder_id, seq)
);

create table learequest (
    request_no  text primary key,
    staff_id    integer not null references mbstaff,
    from_date   date not null,
    to_date     date not null,
    days        numeric(4,1) not null,
    reason      text,
    status      text not null default 'Pending',
    approved_by integer references mbstaff,
    signature   bytea,
    source      char(1) default 'D',
    created_at  timestamptz default now(),
    updated_at  timestamptz default now()
);

-- Foreign keys that no primary key begins with.
create index mbstaff_place on mbstaff (org_code, loc_id);
create index mbstaff_reports_to on mbstaff (reports_to);
create index jobmaster_first_task on jobmaster (first_task);
create index climaster_con on climaster (con_id);
create index climaster_partner on climaster (partner_id);
create index jobshead_client on jobshead (client_id);
create index jobshead_jobtype on jobshead (jobtype_id);
create index jobshead_manager on jobshead (manager_id);
create index jobtasks_task on jobtasks (task_code);
create index jobtasks_assigned_to on jobtasks (assigned_to);
create index taskchecklist_task on taskchecklist (job_id, task_no);
create index workdiary_staff on workdiary (staff_id);
create index workdiary_job on workdiary (job_id);
create index reminder_staff on reminder (staff_id);
create index reminder_job on reminder (job_id);
create index learequest_staff on learequest (staff_id);
create index learequest_approved_by on learequest (approved_by);

-- Changes are looked for by both stamps.
create index jobshead_updated_at on jobshead (updated_at);
create index jobshead_created_at on jobshead (created_at);
create index jobtasks_updated_at on jobtasks (updated_at);
create index jobtasks_created_at on jobtasks (created_at);
create index taskchecklist_updated_at on taskchecklist (updated_at);
create index taskchecklist_created_at on taskchecklist (created_at);
create index workdiary_updated_at on workdiary (updated_at);
create index workdiary_created_at on workdiary (created_at);
create index reminder_updated_at on reminder (updated_at);
create index reminder_created_at on reminder (created_at);
create index remdetail_updated_at on remdetail (updated_at);
create index remdetail_created_at on remdetail (created_at);
