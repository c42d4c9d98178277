-- tidegate's own tables are written in moments: who holds them longer has got stuck, and nobody waits for ever.
set xact_abort on;
set nocount off;
set lock_timeout 30000;
