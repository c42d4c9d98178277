//! Forward and reverse together.

mod quiet;
mod story;
mod values;

suite! {
    every {
        story::mobile_rows_survive,
        story::mobile_edits_come_home,
        story::both_edited_the_later_wins,
        story::deletions_stay_where_they_are,
        story::a_dry_run_changes_nothing,
        quiet::an_idle_sync_asks_as_little_of_16_tables_as_of_4,
    }
    sql_servers {
        values::every_type_there_and_back,
    }
    test_server {
    }
}
