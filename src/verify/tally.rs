//! Rows and a digest of their keys, as `sql/postgres/inventory_*.sql` make them.

use sha2::{Digest as _, Sha256};

/// How many rows, and a digest of their keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Digest {
    pub(super) rows: u64,
    pub(super) digest: String,
}

/// What is made of the hash of a key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hash {
    /// Its first eight bytes.
    part: i64,
    /// Its next twelve bits.
    pub(super) bucket: i32,
}

impl Hash {
    /// That of a key's text.
    pub(super) fn of(key: &str) -> Self {
        let hash: [u8; 32] = Sha256::digest(key.as_bytes()).into();
        let [a, b, c, d, e, f, g, h, i, j, ..] = hash;
        let bucket = i32::from(i) * 16 + i32::from(j) / 16;
        Self { part: i64::from_be_bytes([a, b, c, d, e, f, g, h]), bucket }
    }
}

/// Rows as they are counted, in whatever order they come.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    rows: u64,
    /// No number of rows makes it overflow.
    sum: i128,
}

impl Tally {
    /// One more row.
    pub(super) fn add(&mut self, hash: Hash) {
        self.rows += 1;
        self.sum += i128::from(hash.part);
    }
}

impl From<Tally> for Digest {
    fn from(tally: Tally) -> Self {
        Self { rows: tally.rows, digest: tally.sum.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_postgres() {
        let mut tally = Tally::default();
        let mut buckets = Vec::new();
        for id in 1..=3 {
            let hash = Hash::of(&format!("{{\"id\": \"{id}\"}}"));
            tally.add(hash);
            buckets.push(hash.bucket);
        }
        assert_eq!(buckets, [1_461, 2_561, 562]);
        assert_eq!(
            Digest::from(tally),
            Digest { rows: 3, digest: "4798692598875045592".to_owned() }
        );
    }

    #[test]
    fn a_sum_goes_beyond_sixty_four_bits() {
        let mut tally = Tally::default();
        for _ in 0..3 {
            tally.add(Hash { part: i64::MIN, bucket: 0 });
        }
        assert_eq!(Digest::from(tally).digest, "-27670116110564327424");
    }
}
