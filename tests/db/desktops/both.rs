//! Forward and reverse together.

mod story;

suite! {
    every {
        story::mobile_rows_survive,
        story::mobile_edits_come_home,
        story::both_edited_the_later_wins,
        story::deletions_stay_where_they_are,
        story::a_dry_run_changes_nothing,
    }
    sql_servers {
    }
    test_server {
    }
}
