//! What every desktop has to be as a target: reverse runs.

mod crashes;
mod faults;
mod keys;
mod refused;
mod triggers;
mod verdicts;

suite! {
    every {
        verdicts::insert_update_unchanged,
        verdicts::key_collision,
        verdicts::owner_rules,
        verdicts::mobile_edit_is_later,
        verdicts::desktop_edit_is_later,
        verdicts::missing_parent_is_tried_again,
        keys::a_row_that_refers_to_itself,
        keys::a_taken_unique_value,
        keys::two_rows_that_swap_a_unique_value,
        keys::identity_keys,
        triggers::a_trigger_that_stamps,
        triggers::a_trigger_that_rewrites,
        triggers::a_trigger_that_refuses,
        refused::text_that_is_too_long,
        refused::number_that_is_too_wide,
        refused::check_of_the_desktop,
        refused::lock_of_a_user,
        crashes::killed_at_every_step,
        crashes::two_runs_at_once,
        crashes::p02_commit_unknown,
        crashes::p02_commit_that_never_reached_the_server,
        crashes::cut_at_random_bytes,
    }
    sql_servers {
        refused::values_that_the_desktop_lacks,
        refused::other_case_of_a_text_key,
        triggers::a_trigger_for_one_row,
        triggers::a_trigger_that_takes_an_update_back,
        faults::update_of_too_little,
        faults::insert_of_too_little,
        faults::a_position_that_stays,
        faults::an_owner_that_changes_before_the_update,
        faults::an_update_without_the_owner_guard,
        faults::a_row_that_is_there_before_the_insert,
        faults::an_insert_that_does_not_look,
    }
    test_server {
        crashes::deadlock_victim_tries_again,
        refused::a_count_that_waits_for_a_user_is_left_out,
    }
}
