-- The lowest row version that may still be committed: nothing below it can.
select min_active_rowversion() as horizon;
