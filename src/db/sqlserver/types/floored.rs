//! Stamps as a column keeps them that has fewer decimals of the second.

use super::calendar::{self, MINUTE, SECOND};
use super::fit::milliseconds;
use super::value::Value;
use crate::model::types::SqlType;

impl Value<'_> {
    /// The latest moment, not after this one, that a column of type `of` keeps; any other value as it
    /// is. For stamps alone: of any other column a value is refused that would be changed.
    pub fn floored(self, of: SqlType) -> Self {
        match self {
            Value::DateTime(ticks) => Value::DateTime(floor(ticks, of)),
            Value::DateTimeOffset { utc, offset } => {
                Value::DateTimeOffset { utc: floor(utc, of), offset }
            }
            other => other,
        }
    }
}

fn floor(ticks: i64, of: SqlType) -> i64 {
    match of {
        SqlType::SmallDateTime => ticks - ticks.rem_euclid(MINUTE),
        SqlType::DateTime => {
            let (_, of_day) = calendar::split(ticks);
            let printed = |fragments| milliseconds(fragments) * (SECOND / 1_000);
            let nearest = of_day * 300 / SECOND;
            let kept = [nearest, nearest - 1].map(printed);
            let last = kept.into_iter().find(|kept| *kept <= of_day).unwrap_or_default();
            ticks - of_day + last
        }
        SqlType::DateTime2 { scale } | SqlType::DateTimeOffset { scale } => {
            ticks - ticks.rem_euclid(10_i64.pow(7_u32.saturating_sub(scale.into())))
        }
        _ => ticks,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_floored_stamp_fits_and_is_never_later() {
        let types = [
            SqlType::DateTime,
            SqlType::SmallDateTime,
            SqlType::DateTime2 { scale: 0 },
            SqlType::DateTime2 { scale: 3 },
            SqlType::DateTime2 { scale: 7 },
        ];
        // 2026-02-03 and every tick of a few milliseconds, then odd steps through two minutes.
        let start = 739_649 * 86_400 * SECOND;
        let moments = (0..200_000).step_by(7).chain((0..120 * SECOND).step_by(1_234_567));
        for (of, after) in types.into_iter().flat_map(|of| moments.clone().map(move |m| (of, m))) {
            let Value::DateTime(kept) = Value::DateTime(start + after).floored(of) else {
                panic!("no stamp")
            };
            assert!(kept <= start + after, "{of:?} {after}");
            assert!(start + after - kept < 61 * SECOND, "{of:?} {after}");
            Value::DateTime(kept).fit(of).unwrap_or_else(|e| panic!("{of:?} {after}: {e}"));
        }
    }
}
