//! What every desktop has to be as a source: forward runs.

mod moments;
mod stamps;
mod values;

suite! {
    every {
        stamps::first_load,
        stamps::changes_by_stamps,
        stamps::closed_reading,
        stamps::equal_stamps_interrupted,
        stamps::quiet_run_reads_nothing,
        stamps::future_stamp,
        stamps::many_rows_in_flat_memory,
        moments::late_commit,
        moments::dst_local_time,
        moments::tz_missing,
        moments::another_database_behind_the_address,
        moments::a_column_altered_between_two_runs,
        values::empty_is_not_null,
        values::decimals_of_38_digits,
        values::money_to_its_last_digit,
        values::the_first_and_the_last_day,
        values::texts_of_all_planes,
        values::names_that_need_care,
        values::a_value_that_the_cloud_has_no_place_for,
    }
    sql_servers {
        stamps::changes_by_rowversion,
        stamps::r16_rows_read_twice_are_one,
        moments::datetime_settles,
        moments::a_row_100_ns_after_the_watermark,
    }
    test_server {
        values::nul_and_lone_surrogates_are_withheld,
    }
}
