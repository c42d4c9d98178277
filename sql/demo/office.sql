-- Two years of an accounting practice, October 2023 to September 2025: 24,568 jobs.
-- The same rows everywhere and always: dice are hashes of row numbers, stamps do not follow the clock.

begin;
set local timezone = 'UTC';
set local synchronous_commit = off;
set local jit = off;

-- 0 … sides - 1, the same for the same row and salt.
create function pg_temp.dice(i bigint, salt integer, sides integer) returns integer
language sql immutable as
$$ select ((hashint8extended(i, salt) & 2147483647) % sides)::integer $$;

-- The moment at which a part (0 … 1) of the two years was over.
create function pg_temp.moment(part float8) returns timestamptz
language sql stable as
$$ select timestamptz '2023-10-01 00:00+00' + part * interval '17520 hours' $$;

-- A later part, mostly soon after.
create function pg_temp.later(part float8, dice integer) returns float8
language sql immutable as
$$ select part + (1 - part) * (dice / 1000.0::float8) ^ 4 $$;

insert into orgmaster
select code, name, gst_no, settings::jsonb, 'D', pg_temp.moment(0), pg_temp.moment(n / 5.0)
from (values
    (1, 'IYER', 'Iyer, D''Souza & Associates', '27AAAFI4821K1Z5', '{"year_starts": "04-01", "currency": "INR"}'),
    (2, 'IYERADV', 'Iyer Advisory LLP', '27AACFI9034M1ZX', '{"year_starts": "04-01", "currency": "INR"}'),
    (3, 'PAYROLL', 'Clerkenwell Payroll Ltd', null, '{"year_starts": "04-06", "currency": "GBP"}')
) as org (n, code, name, gst_no, settings);

insert into conmaster
select n, name, 'D', pg_temp.moment(0), pg_temp.moment(0)
from unnest(array['Individual', 'Proprietorship', 'Partnership', 'LLP', 'Private company',
    'Public company', 'Trust', 'Hindu undivided family']) with ordinality as con (name, n);

-- Six tasks for each of the four stages of a job.
insert into taskmaster
select (array['COLLECT', 'PREPARE', 'REVIEW', 'FILE'])[1 + (n - 1) / 6] || '-' || 1 + (n - 1) % 6,
    name, 0.5 + pg_temp.dice(n, 1, 16) * 0.25, n % 6 <> 0, 'D',
    pg_temp.moment(0), pg_temp.moment(n / 40.0)
from unnest(array[
    'Collect bank statements', 'Collect sales and purchase registers', 'Collect payroll records',
    'Send document checklist to client', 'Visit client for records', 'Open the job file',
    'Reconcile bank accounts', 'Match input tax credit', 'Prepare workings', 'Prepare trial balance',
    'Draft the return', 'Draft financial statements',
    'Manager''s review', 'Partner''s review', 'Clear review points', 'Send draft to client',
    'Obtain client''s approval', 'Check against last year',
    'Pay the tax', 'File online', 'Send acknowledgement', 'Raise the invoice',
    'Answer department''s notice', 'Close and archive the file'
]) with ordinality as task (name, n);

insert into locmaster
select org, loc, name, address, opened::date, 'D', pg_temp.moment(0), pg_temp.moment(loc / 8.0)
from (values
    ('IYER', 1, 'Mumbai, Fort', E'3rd floor, Kermani Building\nSir P.M. Road, Fort\nMumbai 400001', '1987-04-01'),
    ('IYER', 2, 'Pune', E'14 Laxmi Road\nPune 411030', '1998-06-15'),
    ('IYER', 3, 'Panjim', E'Rua de São Tomé\nPanjim 403001', '2011-01-10'),
    ('IYERADV', 1, 'Bengaluru', E'88 Church Street\nBengaluru 560001', '2016-09-01'),
    ('IYERADV', 2, 'Working from home', null, null),
    ('PAYROLL', 1, 'London', E'27 Clerkenwell Green\nLondon EC1R 0DU', '2019-04-08')
) as place (org, loc, name, address, opened);

create temp table name_part on commit drop as select
    array['Kavita', 'Rahul', 'Meera', 'Arjun', 'Ana', 'Thomas', 'Fatima', 'Sanjay', 'Zoë', 'Imran',
        'Lakshmi', 'Peter', 'Nisha', 'José', 'Deepa', 'Vikram', 'Renée', 'Suresh', 'Asha', 'Colin',
        'Priya', 'Łukasz', 'Gauri', 'Naveen', 'Mary', 'Rohan', 'Tara', 'Aditya', 'नीता'] as given,
    array['Sharma', 'Fernandes', 'Iyer', 'Patel', 'O''Brien', 'Khan', 'Deshpande', 'Müller', 'Nair',
        'D''Souza', 'Mehta', 'Joshi', 'Lobo', 'Kulkarni', 'Rao', 'Wadia', 'Gupta', 'Menezes', 'Shah',
        'Banerjee', 'Pinto', 'Chatterjee', 'Sørensen', 'Reddy', 'Kapoor', 'Gonçalves', 'Pillai',
        'Bose', 'Malik', 'Contractor', 'Verma', 'शर्मा', 'Thakur', 'Varghese', 'Irani', 'Naik',
        'Saldanha', 'Bhat', 'Chowdhury', 'Sequeira', 'Trivedi', 'Kamat', 'Smith', 'Ghosh', 'Pereira',
        'Agarwal', 'Mistry'] as family,
    array['Textiles', 'Traders', 'Engineering Works', 'Foods', 'Pharma', 'Exports', 'Builders',
        'Logistics', 'Printers', 'Jewellers', 'Motors', 'Ceramics', 'Software', 'Dairy', 'Hospitality',
        'Fisheries', 'Furniture', 'Plastics', 'Travels', 'Electricals', 'Steel', 'Packaging', 'Spices',
        'Opticians', 'Nursery', 'Tea & Coffee', 'Chemicals', 'Studios', 'Caterers', 'Hardware',
        '"Blue Door" Bakery', 'Farms', 'Clinic', 'Security Services', 'Paints', 'Garments', 'Tools',
        'Books', 'Cables', 'Music', 'Sports', 'Instruments', 'Shipping', 'Tiles', 'Leather', 'Café',
        'Solar', 'Glass', 'Estates', 'Consultants', 'Cold Storage', 'Marbles'] as trade;

-- Four partners, twenty managers, and those who report to them.
insert into mbstaff
select i, org, loc, given[1 + i % 29] || ' ' || family[1 + i * 5 % 47],
    case when i % 9 <> 0 then 'staff' || i || '@iyer-dsouza.example' end,
    case when i % 7 <> 0 then '+91 98200 ' || 10000 + i * 613 % 90000 end,
    date '2008-04-01' + i * 38, 400 + greatest(0, 25 - i) * 100 + pg_temp.dice(i, 10, 20) * 25,
    i % 19 <> 0,
    case when i > 24 then 5 + i % 20 when i > 4 then 1 + i % 4 end,
    case when i % 6 = 0 then '\xffd8ffe000104a464946'::bytea || decode(repeat(md5(i::text), 12), 'hex') end,
    'D', pg_temp.moment(0), pg_temp.moment(i / 150.0)
from generate_series(1, 140) as i, name_part,
    lateral (select case when i % 10 = 0 then 'PAYROLL' when i % 5 = 1 then 'IYERADV' else 'IYER' end as org,
        case when i % 10 = 0 then 1 when i % 5 = 1 then 1 + i % 2 else 1 + i % 3 end as loc) as desk;

insert into jobmaster
select n, name, period, fee, 'COLLECT-' || 1 + n % 6, 'D', pg_temp.moment(0), pg_temp.moment(n / 30.0)
from (values
    (1, 'GST return', 'quarterly', 4500.00), (2, 'GST return, composition', 'quarterly', 2500),
    (3, 'TDS return', 'quarterly', 3000), (4, 'TDS payment', 'monthly', 750),
    (5, 'Payroll', 'monthly', 6000), (6, 'Bookkeeping', 'monthly', 12500.50),
    (7, 'Bank reconciliation', 'monthly', 1800), (8, 'Provident fund return', 'monthly', 1200),
    (9, 'Income tax return', 'yearly', 8000), (10, 'Statutory audit', 'yearly', 150000),
    (11, 'Tax audit', 'yearly', 45000), (12, 'Annual accounts', 'yearly', 60000),
    (13, 'GST annual return', 'yearly', 15000), (14, 'Annual return of the company', 'yearly', 9500),
    (15, 'Stock audit', 'quarterly', 22000), (16, 'Internal audit', 'quarterly', 38000),
    (17, 'Company incorporation', 'once', 25000), (18, 'Project report for bank loan', 'once', 30000),
    (19, 'Answer to tax notice', 'once', null), (20, 'Trademark registration', 'once', 11999.99)
) as kind (n, name, period, fee);

insert into climaster
select i, con_id, 1 + pg_temp.dice(i, 20, 4),
    case con_id
        when 1 then given[1 + i % 29] || ' ' || family[1 + i % 47]
        when 2 then family[1 + i % 47] || ' ' || trade[1 + i / 47]
        when 3 then family[1 + i % 47] || ' ' || trade[1 + i / 47] || ' & Co'
        when 4 then family[1 + i % 47] || ' ' || trade[1 + i / 47] || ' LLP'
        when 5 then family[1 + i % 47] || ' ' || trade[1 + i / 47] || ' Pvt Ltd'
        when 6 then family[1 + i % 47] || ' ' || trade[1 + i / 47] || ' Ltd'
        when 7 then given[1 + i % 29] || ' ' || family[1 + i % 47] || ' Memorial Trust'
        else family[1 + i % 47] || ' ' || trade[1 + i / 47]
    end,
    case when i % 4 <> 0 then '27AA' || chr(65 + i % 26) || 'PC' || 1000 + i || 'K1Z' || i % 10 end,
    case when i % 6 <> 0 then 'accounts@client' || i || '.example' end,
    case when i % 3 <> 0 then '+91 22 2' || 1000000 + i * 7919 % 9000000 end,
    1 + i % 180 || ' ' || (array['M.G. Road', 'Linking Road', 'Station Road', 'Rua de Ourém', 'Hill Road',
        'Laxmi Road', 'Park Street'])[1 + i % 7] || E'\n'
        || (array['Mumbai', 'Pune', 'Panjim', 'Nashik'])[1 + i % 4],
    case when con_id > 1 then date '1962-01-01' + pg_temp.dice(i, 21, 22000) end,
    case when i % 3 = 0 then 0 else pg_temp.dice(i, 22, 40000000) / 100.0 end, i % 23 <> 0,
    case when i % 5 <> 0 then jsonb_build_object('risk', (array['low', 'medium', 'high'])[1 + i % 3],
        'since', 1990 + i % 34, 'tags', case when i % 2 = 0 then '["vip", "e-filing"]'::jsonb else '[]' end) end,
    'D', pg_temp.moment(0), pg_temp.moment(pg_temp.later(0, pg_temp.dice(i, 23, 1000)))
from generate_series(1, 2400) as i, name_part,
    lateral (select (array[1, 1, 1, 2, 2, 3, 4, 5, 5, 5, 5, 6, 7, 8])[1 + pg_temp.dice(i, 24, 14)]
        as con_id) as kind;

insert into cliunimaster
select client_id, unit, (array['Registered office', 'Factory', 'Warehouse'])[unit],
    case when client_id % 3 <> 0 then given[1 + (client_id + unit) % 29] end,
    case when unit = 1 then address else 'Plot ' || client_id % 400 + unit || ', MIDC Industrial Area' end,
    'D', created_at, updated_at
from climaster, name_part, generate_series(1, 1 + pg_temp.dice(client_id, 30, 3) % 3) as unit;

insert into jobshead
select i, 1 + pg_temp.dice(i, 40, 2400), jobtype_id,
    jobtype_name || case period
        when 'monthly' then to_char(made_at - interval '1 month', ' FMMonth YYYY')
        when 'quarterly' then to_char(made_at - interval '3 months', ' "Q"Q YYYY')
        when 'yearly' then to_char(made_at - interval '15 months', ' "FY" YYYY-')
            || to_char(made_at - interval '3 months', 'YY')
        else '' end,
    case when i > 23500 then (array['Open', 'Open', 'In progress', 'On hold'])[1 + pg_temp.dice(i, 42, 4)]
        else (array['Completed', 'Completed', 'Completed', 'Completed', 'Billed', 'Billed', 'Billed',
            'Billed', 'In progress', 'Cancelled'])[1 + pg_temp.dice(i, 42, 10)] end,
    1 + pg_temp.dice(i, 43, 5), made_at::date + 10 + pg_temp.dice(i, 44, 60),
    round(fee * (80 + pg_temp.dice(i, 45, 60)) / 100, 2),
    case when i % 12 <> 0 then 5 + pg_temp.dice(i, 46, 20) end,
    (array['Client prefers e-mail.', 'Papers with the "old" accountant; ask for the file.',
        E'Call before the visit.\nGate closes at 5 pm.', 'Last year''s refund still pending.',
        'Paiement à réception.', E'Path: C:\\clients\\2024\tbox 7', ''])[1 + pg_temp.dice(i, 47, 25)],
    'D', made_at, pg_temp.moment(pg_temp.later(part, pg_temp.dice(i, 48, 1000)))
from (select i, i / 24569.0::float8 as part, pg_temp.moment(i / 24569.0::float8) as made_at,
        1 + pg_temp.dice(i, 41, 20) as jobtype_id
    from generate_series(1, 24568) as i where i not in (100, 200, 300)) as job
join jobmaster using (jobtype_id);

-- The jobs that the demo's story is about.
insert into jobshead values
    (100, 17, 1, 'GST return Q2 2025', 'In progress', 1, '2025-10-18', 4500, 7,
        'Purchase register for June is missing.', 'D', '2025-07-02 04:30+00', '2025-09-24 11:05:31.204+00'),
    (200, 41, 10, 'Statutory audit FY 2024-25', 'In progress', 2, '2025-10-31', 185000, 5,
        E'Stock count on 30 September.\nBring the "short" form; client''s auditor is on leave.',
        'D', '2025-06-16 05:00+00', '2025-09-26 09:41:07.5+00'),
    (300, 88, 17, 'Company incorporation', 'Open', 3, '2025-11-15', 25000, 9,
        null, 'D', '2025-09-18 10:12+00', '2025-09-18 10:12+00');

-- The tasks of a job are done one after the other, one of each stage.
insert into jobtasks
select job_id, task_no,
    (array['COLLECT-', 'PREPARE-', 'REVIEW-', 'FILE-'])[task_no] || 1 + pg_temp.dice(k, 50, 6),
    case when k % 11 <> 0 then 25 + pg_temp.dice(k, 51, 116) end,
    case when done then 'Done' when status = 'Cancelled' then 'Dropped' else 'Open' end,
    0.5 + pg_temp.dice(k, 53, 32) * 0.25,
    case when done then created_at::date + task_no * 3 + pg_temp.dice(k, 54, 5) end,
    (array['Waiting for client', 'Done by phone', 'Two invoices don''t match', 'See e-mail of the 4th',
        'Vérifié', ''])[1 + pg_temp.dice(k, 55, 20)],
    'D', created_at, updated_at
from jobshead, generate_series(1, 1 + pg_temp.dice(job_id, 56, 4)) as task_no,
    lateral (select job_id * 4::bigint + task_no as k) as task,
    lateral (select status in ('Completed', 'Billed') or status = 'In progress' and task_no = 1 as done) as state;

insert into taskchecklist
select md5('checklist ' || k)::uuid, job_id, task_no,
    (array['Statements cover the whole period', 'Opening balances agree with last year',
        'All invoices above ₹ 50,000 seen', 'Tax numbers of suppliers checked', 'Client''s signature obtained',
        'Interest calculated', 'Figures agree with the ledger', 'Acknowledgement saved',
        'Exemptions claimed', 'Cash book "tallied"'])[1 + pg_temp.dice(k, 60, 10)],
    status = 'Done',
    case when status = 'Done' and k % 3 = 0 then jsonb_build_object('ok', k % 5 <> 0,
        'amount', round(pg_temp.dice(k, 61, 900000) / 100.0, 2), 'by', assigned_to) end,
    'D', created_at, updated_at
from jobtasks, generate_series(1, 2) as item,
    lateral (select (job_id * 4::bigint + task_no) * 2 + item as k) as entry
where pg_temp.dice(k, 62, 10) < 4;

insert into workdiary
select 4000000000 + i, staff_id,
    case when i % 14 <> 0 then greatest(1, (part * 24568)::integer - pg_temp.dice(i, 71, 400)) end,
    pg_temp.moment(part)::date, minutes,
    case when i % 14 <> 0 then round(hourly_rate * minutes / 60, 2) end,
    (array['Site visit', 'Call with client', 'Entered purchase invoices', 'Matched bank statement',
        'Training', E'Review points:\n- depreciation\n- closing stock', 'Überstunden, month end',
        null])[1 + pg_temp.dice(i, 73, 8)],
    case when i % 8 = 0 then jsonb_build_object('lat', round(18.9 + pg_temp.dice(i, 74, 90000) / 100000.0, 5),
        'lon', round(72.8 + pg_temp.dice(i, 75, 90000) / 100000.0, 5)) end,
    'D', pg_temp.moment(part), pg_temp.moment(pg_temp.later(part, pg_temp.dice(i, 76, 400)))
from (select i, i / 43001.0::float8 as part, 5 + pg_temp.dice(i, 70, 136) as staff_id,
        15 + pg_temp.dice(i, 72, 32) * 15 as minutes
    from generate_series(1, 43000) as i) as entry
join mbstaff using (staff_id);

insert into reminder
select md5('reminder ' || i)::uuid, 1 + pg_temp.dice(i, 80, 140),
    case when i % 4 <> 0 then greatest(1, (part * 24568)::integer - pg_temp.dice(i, 81, 200)) end,
    (array['Call the client', 'Documents are due', 'File before the due date', 'Send the invoice',
        'Renew digital signature', 'Anniversary of Mrs. D''Souza', 'प्रमाणपत्र भेजें'
        ])[1 + pg_temp.dice(i, 82, 7)],
    case when i % 3 = 0 then 'Ask for the bank statement too.' end,
    pg_temp.moment(part) + pg_temp.dice(i, 83, 30) * interval '24 hours', i < 5600 and i % 9 <> 0,
    'D', pg_temp.moment(part), pg_temp.moment(pg_temp.later(part, pg_temp.dice(i, 84, 600)))
from (select i, i / 6001.0::float8 as part from generate_series(1, 6000) as i) as note;

insert into remdetail
select reminder_id, seq, (array['push', 'email'])[seq],
    case when done then remind_at + (seq - 1) * interval '2 hours' end,
    case when done and seq = 1 then 'read' when done then 'sent' end, 'D', created_at, updated_at
from reminder, generate_series(1, 1 + pg_temp.dice(hashtext(reminder_id::text), 85, 2)) as seq;

insert into learequest
select 'LR-' || to_char(from_date, 'YYYY') || '-' || lpad(i::text, 5, '0'), staff_id,
    from_date, from_date + length,
    length + case when i % 4 = 0 then 0.5 else 1 end,
    (array['Family wedding', 'Fever', 'CA examination', 'Visit to Goa for São João', 'Child''s school',
        null])[1 + pg_temp.dice(i, 91, 6)],
    case when i > 1640 then 'Pending' when i % 17 = 0 then 'Refused' else 'Approved' end,
    case when i <= 1640 then reports_to end,
    case when i <= 1640 and i % 5 = 0 then decode(md5('signature ' || i), 'hex') end,
    'D', pg_temp.moment(part), pg_temp.moment(pg_temp.later(part, pg_temp.dice(i, 92, 300)))
from (select i, i / 1681.0::float8 as part, 5 + pg_temp.dice(i, 90, 136) as staff_id,
        pg_temp.moment(i / 1681.0::float8)::date + 7 + pg_temp.dice(i, 93, 30) as from_date,
        pg_temp.dice(i, 94, 6) as length
    from generate_series(1, 1680) as i) as request
join mbstaff using (staff_id);

commit;

analyze;
