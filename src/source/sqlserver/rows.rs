//! One stream of rows out of the one session, question after question.

use bytes::Bytes;
use tokio::sync::OwnedMutexGuard;

use crate::db::sqlserver::stream::RowStream;
use crate::error::Result;
use crate::source::Sink;
use crate::source::cut::{self, Limits};

use super::encoder::Encoder;
use super::images::{Asked, Images};
use super::log::Questions;
use super::render::Reading;
use super::view::Holder;

/// Asks all of `questions` and reads to their end; whoever wants to read the same view waits meanwhile.
pub(super) async fn feed(
    holder: OwnedMutexGuard<Holder>,
    questions: Questions,
    (encoder, asked): (Encoder, Option<Asked>),
    limits: Limits,
    sink: Sink,
) -> Result<()> {
    let mut rows = Rows { holder, questions, stream: None, encoder, asked };
    cut::cut(&mut rows, limits, &sink).await
}

/// The rows of several questions, one after the other.
struct Rows {
    holder: OwnedMutexGuard<Holder>,
    questions: Questions,
    stream: Option<RowStream>,
    encoder: Encoder,
    /// What has to be known before the first row.
    asked: Option<Asked>,
}

impl cut::Rows for Rows {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            match &mut self.stream {
                Some(stream) => match stream.next().await? {
                    Some(row) => return self.encoder.encode(row).map(Some),
                    None => self.end().await?,
                },
                None => {
                    let mut connection = self.holder.take().await?;
                    let Some(Reading { sql, params }) =
                        self.questions.next(&mut connection).await?
                    else {
                        self.holder.give_back(connection);
                        return Ok(None);
                    };
                    if let Some(asked) = self.asked.take() {
                        self.encoder.images = Images::read(&mut connection, &asked).await?;
                    }
                    let doing = &self.encoder.doing();
                    self.stream = Some(connection.stream(doing, sql, params.into_data()));
                }
            }
        }
    }
}

impl Rows {
    async fn end(&mut self) -> Result<()> {
        if let Some(stream) = self.stream.take() {
            self.holder.give_back(stream.finish().await?);
        }
        Ok(())
    }
}
