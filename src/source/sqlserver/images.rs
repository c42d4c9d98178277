//! What the desktop has made of rows that reverse wrote: a row that is still that stands for the version
//! that the cloud has.

use std::collections::HashMap;

use crate::db::sqlserver::Connection;
use crate::db::sqlserver::sets::get;
use crate::error::{Error, Result};
use crate::model::jsonb;

/// The question for one table's.
#[derive(Debug)]
pub(super) struct Asked {
    /// The statement.
    pub(super) sql: String,
    /// The table, as tidegate's own tables name it.
    pub(super) label: String,
}

/// Of one table, by the hash of the key; 32 bytes each, because they are all in memory at once.
#[derive(Debug, Default)]
pub(super) struct Images(HashMap<[u8; 16], Image>);

/// Digests of a row's content.
#[derive(Debug, Clone, Copy)]
struct Image {
    sent: u128,
    kept: u128,
}

impl Images {
    /// Reads them, in the transaction that reads the table.
    pub(super) async fn read(connection: &mut Connection, asked: &Asked) -> Result<Self> {
        let doing = format!("reading {}", asked.label);
        let mut images = HashMap::new();
        for row in connection.rows(&doing, &asked.sql, &[&asked.label]).await? {
            let digest = |name| Ok::<_, Error>(number(get(&row, name)?));
            let image = digest("sent")?.zip(digest("kept")?);
            let hash: &[u8] = get(&row, "key_hash")?;
            if let (Some((sent, kept)), Ok(hash)) = (image, hash.try_into()) {
                images.insert(hash, Image { sent, kept });
            }
        }
        Ok(Self(images))
    }

    /// Whether nothing is known.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The digest of the cloud's version that the row with this key and digest stands for.
    pub(super) fn counterpart(&self, key: &str, digest: &str) -> Option<String> {
        let image = self.0.get(&jsonb::hash(key))?;
        (number(digest) == Some(image.kept)).then(|| format!("{:032x}", image.sent))
    }
}

fn number(digest: &str) -> Option<u128> {
    u128::from_str_radix(digest, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_kept_stands_for_what_was_sent() {
        let key = r#"{"id": "1"}"#;
        let image = Image { sent: 7, kept: 8 };
        let images = Images(HashMap::from([(jsonb::hash(key), image)]));
        let digest = |n: u128| format!("{n:032x}");
        assert_eq!(images.counterpart(key, &digest(8)), Some(digest(7)));
        assert_eq!(images.counterpart(key, &digest(7)), None);
        assert_eq!(images.counterpart(r#"{"id": "2"}"#, &digest(8)), None);
    }
}
