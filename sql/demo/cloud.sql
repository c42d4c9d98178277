-- In the cloud, a row that does not say whose it is was made by a mobile user.

alter table orgmaster alter column source set default 'M';
alter table conmaster alter column source set default 'M';
alter table taskmaster alter column source set default 'M';
alter table locmaster alter column source set default 'M';
alter table mbstaff alter column source set default 'M';
alter table jobmaster alter column source set default 'M';
alter table climaster alter column source set default 'M';
alter table cliunimaster alter column source set default 'M';
alter table jobshead alter column source set default 'M';
alter table jobtasks alter column source set default 'M';
alter table taskchecklist alter column source set default 'M';
alter table workdiary alter column source set default 'M';
alter table reminder alter column source set default 'M';
alter table remdetail alter column source set default 'M';
alter table learequest alter column source set default 'M';
