-- A rehearsal goes on after values were written for people: triggers of the target find the role's own
-- settings, as in a run.
set local timezone to default;
set local datestyle to default;
set local intervalstyle to default;
set local bytea_output to default;
set local extra_float_digits to default;
