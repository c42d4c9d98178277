alter table {{store}}._sync_withheld add column detail text;
comment on column {{store}}._sync_withheld.detail is 'What the target said of the row, without values.';
comment on column {{store}}._sync_withheld.target_version is
    'xmin of the row it met, or the mark of the table definition that refused it; when that moves, the row is tried again.';
