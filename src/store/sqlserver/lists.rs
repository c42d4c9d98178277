//! Lists of bound values: each a part of a statement of its own length, of which the server keeps a
//! plan.

use crate::model::jsonb;

/// The server takes 2,100 parameters, of which two are the driver's.
const PARAMS_MAX: usize = 2_000;

/// Cuts `items` into pieces, each with no more parameters than the server takes, `width` of them an
/// item. Their lengths are powers of two: few statements differ.
pub(super) fn pieces<T>(items: &[T], width: usize) -> impl Iterator<Item = &[T]> {
    let most = 1 << (PARAMS_MAX / width).ilog2();
    let mut rest = items;
    std::iter::from_fn(move || {
        let length = rest.len().checked_ilog2().map(|log| most.min(1 << log))?;
        let (piece, left) = rest.split_at(length);
        rest = left;
        Some(piece)
    })
}

/// `(@P3, @P4), (@P5, @P6)`: so many rows after the parameters that are `bound` otherwise, each of
/// values of these types. A type that stands here is one that the driver has no parameter of, or none
/// for a null.
pub(super) fn tuples<const N: usize>(bound: usize, rows: usize, types: [&str; N]) -> String {
    let value = |place: usize, type_name: &str| match type_name {
        "" => format!("@P{place}"),
        _ => format!("cast(@P{place} as {type_name})"),
    };
    let tuple = |row: usize| {
        let first = bound + row * N + 1;
        let values = types.iter().zip(first..).map(|(type_name, place)| value(place, type_name));
        format!("({})", values.collect::<Vec<_>>().join(", "))
    };
    (0..rows).map(tuple).collect::<Vec<_>>().join(", ")
}

/// The type by which a key is found.
pub(super) const HASH: &str = "binary(16)";

/// Keys by which rows are found.
pub(super) fn hashes<'k>(keys: impl IntoIterator<Item = &'k str>) -> Vec<Vec<u8>> {
    keys.into_iter().map(|key| jsonb::hash(key).to_vec()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_have_all_items_in_order_and_few_lengths() {
        let items: Vec<u32> = (0..5_000).collect();
        for width in [1, 4, 9] {
            let lengths: Vec<usize> = pieces(&items, width).map(<[u32]>::len).collect();
            assert!(lengths.iter().all(|n| n.is_power_of_two() && n * width <= PARAMS_MAX));
            assert!(pieces(&items, width).flatten().eq(&items), "{lengths:?}");
        }
        let lengths: Vec<usize> = pieces(&items[..11], 1).map(<[u32]>::len).collect();
        assert_eq!(lengths, [8, 2, 1]);
        assert_eq!(pieces::<u32>(&[], 1).count(), 0);
    }

    #[test]
    fn tuples_number_what_is_bound_after_the_others() {
        assert_eq!(
            tuples(2, 2, ["", HASH]),
            "(@P3, cast(@P4 as binary(16))), (@P5, cast(@P6 as binary(16)))"
        );
        assert_eq!(tuples(0, 1, [""]), "(@P1)");
    }
}
