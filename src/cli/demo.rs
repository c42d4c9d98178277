//! `tidegate demo`.

use clap::Args;
use tokio_util::sync::CancellationToken;

use crate::error::Result;

use super::Global;

/// Tell the whole story on two throwaway PostgreSQL clusters, checked step by step.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Leave the clusters running, and print their URLs and a configuration
    #[arg(long)]
    keep: bool,
}

pub(super) async fn run(
    _global: &Global,
    arguments: &Arguments,
    _stop: &CancellationToken,
) -> Result<u8> {
    crate::demo::tell(arguments.keep).await?;
    Ok(0)
}
