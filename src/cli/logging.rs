//! Logs: for people on a terminal, JSON by choice, the journal under systemd. Never row values.

use clap::ValueEnum;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, fmt};

use crate::config;

use super::Global;

/// How logs are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people, on stderr.
    Human,
    /// One JSON object a line, on stderr.
    Json,
    /// Into the systemd journal, with fields.
    Journald,
}

/// Starts logging.
pub(super) fn start(global: &Global) {
    let format = global.log_format.unwrap_or(match config::under_journald() {
        true => Format::Journald,
        false => Format::Human,
    });
    let layer = layer(format).with_filter(filter(global));
    tracing_subscriber::registry().with(layer).init();
}

/// tidegate's own events only: the driver logs bound values and the server's notices.
fn filter(global: &Global) -> Targets {
    let level = match (global.quiet, global.verbose) {
        (true, _) => LevelFilter::ERROR,
        (false, 0) => LevelFilter::WARN,
        (false, 1) => LevelFilter::INFO,
        (false, _) => LevelFilter::DEBUG,
    };
    Targets::new().with_target("tidegate", level)
}

fn layer(format: Format) -> Box<dyn Layer<Registry> + Send + Sync> {
    let human = || {
        fmt::layer()
            .with_writer(std::io::stderr)
            .with_target(false)
            .with_ansi(!config::no_color() && std::io::IsTerminal::is_terminal(&std::io::stderr()))
            .without_time()
            .boxed()
    };
    match format {
        Format::Human => human(),
        Format::Json => fmt::layer().json().with_writer(std::io::stderr).boxed(),
        // Without a journal the log must still go somewhere.
        Format::Journald => match tracing_journald::layer() {
            Ok(journal) => journal.with_field_prefix(Some("TIDEGATE".to_owned())).boxed(),
            Err(_) => human(),
        },
    }
}
