//! What a batch leaves behind beside its rows: what triggers made of them, and versions that lost.

use std::collections::BTreeMap;

use crate::db::sqlserver::Connection;
use crate::db::sqlserver::sets::get;
use crate::db::sqlserver::statement::Param;
use crate::error::Result;

use super::lists::{HASH, hashes, pieces, tuples};
use super::{OfRun, SqlServerStore};

/// Two digests that stand for the same version of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Of what was sent.
    pub sent: String,
    /// Of what the triggers of this end made of it.
    pub kept: String,
}

/// A version of a row that lost against another. Without `Debug`: no log shows values of rows.
pub struct Lost {
    /// The row's key, as the text of a `jsonb`.
    pub key: String,
    /// `lost_to_desktop` or `lost_to_mobile`.
    pub reason: &'static str,
    /// The version that lost, likewise.
    pub row: String,
    /// The version that stands, likewise.
    pub winner: Option<String>,
}

impl SqlServerStore<'_> {
    /// What triggers of this end have made of the rows with these keys.
    pub async fn images(
        &self,
        connection: &mut Connection,
        label: &str,
        keys: &[&str],
    ) -> Result<BTreeMap<String, Image>> {
        let mut images = BTreeMap::new();
        for piece in pieces(&hashes(keys.iter().copied()), 1) {
            let list = tuples(1, piece.len(), [HASH]);
            let sql = self.render_with("sqlserver/images.sql", ("keys", &list));
            let mut params: Vec<Param<'_>> = vec![&label];
            params.extend(piece.iter().map(|hash| hash as Param<'_>));
            let doing = format!("looking at what triggers made of {label}");
            for row in connection.rows(doing, &sql, &params).await? {
                let text = |name| get::<&str>(&row, name).map(str::to_owned);
                images.insert(text("key")?, Image { sent: text("sent")?, kept: text("kept")? });
            }
        }
        Ok(images)
    }

    /// Notes what triggers made of rows, each key once, so that it is not taken for an edit.
    pub async fn remember(
        &self,
        connection: &mut Connection,
        label: &str,
        images: &[(String, Image)],
    ) -> Result<()> {
        let doing = format!("noting what triggers made of {label}");
        for piece in pieces(images, 4) {
            let list = tuples(1, piece.len(), ["", HASH, "", ""]);
            let keys = hashes(piece.iter().map(|(key, _)| key.as_str()));
            let mut params: Vec<Param<'_>> = vec![&label];
            for ((key, image), hash) in piece.iter().zip(&keys) {
                let of_row: [Param<'_>; 4] = [key, hash, &image.sent, &image.kept];
                params.extend(of_row);
            }
            for name in ["sqlserver/remember_again.sql", "sqlserver/remember_new.sql"] {
                let sql = self.render_with(name, ("images", &list));
                connection.run(&doing, &sql, &params).await?;
            }
        }
        Ok(())
    }

    /// Keeps versions that lost.
    pub async fn keep_losers(
        &self,
        connection: &mut Connection,
        of: &OfRun<'_>,
        lost: &[Lost],
    ) -> Result<()> {
        let direction = of.direction.word();
        let doing = format!("keeping what lost of {}", of.label);
        for piece in pieces(lost, 5) {
            let list = tuples(3, piece.len(), ["", HASH, "", "", "nvarchar(max)"]);
            let sql = self.render_with("sqlserver/trash.sql", ("lost", &list));
            let keys = hashes(piece.iter().map(|lost| lost.key.as_str()));
            let mut params: Vec<Param<'_>> = vec![&of.label, &direction, &of.run_id];
            for (Lost { key, reason, row, winner }, hash) in piece.iter().zip(&keys) {
                let of_row: [Param<'_>; 5] = [key, hash, reason, row, winner];
                params.extend(of_row);
            }
            connection.run(&doing, &sql, &params).await?;
        }
        Ok(())
    }
}
