//! Ctrl-C and SIGTERM ask a run to stop at the next batch edge, and end it if that doesn't come.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::error::Kind;

/// SIGTERM's exit code by convention: 128 + 15.
const TERMINATED: u8 = 143;

/// After a signal a run has so long; systemd and people take less than five seconds for an answer.
const PATIENCE: Duration = Duration::from_secs(4);

/// Listens as long as it lives.
pub(super) struct Stop {
    token: CancellationToken,
    code: Arc<AtomicU8>,
    _listeners: JoinSet<()>,
}

impl Stop {
    /// Cancelled when a signal came.
    pub(super) fn token(&self) -> &CancellationToken {
        &self.token
    }

    /// The exit code of the signal that interrupted, in place of the general one.
    pub(super) fn code(&self, code: u8) -> u8 {
        match self.code.load(Ordering::Relaxed) {
            0 => code,
            by_signal if code == Kind::Interrupted.exit_code() => by_signal,
            _ => code,
        }
    }
}

/// Starts to listen.
pub(super) fn listen() -> Stop {
    let mut stop = Stop {
        token: CancellationToken::new(),
        code: Arc::new(AtomicU8::new(0)),
        _listeners: JoinSet::new(),
    };
    let both = [
        (SignalKind::interrupt(), Kind::Interrupted.exit_code()),
        (SignalKind::terminate(), TERMINATED),
    ];
    for (kind, by_signal) in both {
        let Ok(mut signal) = signal(kind) else { continue };
        let (token, code) = (stop.token.clone(), Arc::clone(&stop.code));
        stop._listeners.spawn(async move {
            if signal.recv().await.is_some() {
                code.store(by_signal, Ordering::Relaxed);
                token.cancel();
                tracing::warn!("stopping at the edge of the batch; again to stop at once");
            }
            match timeout(PATIENCE, signal.recv()).await {
                Ok(None) => return,
                Ok(Some(())) => {}
                Err(_) => tracing::warn!("stopped at once: what was open is rolled back"),
            }
            std::process::exit(i32::from(by_signal));
        });
    }
    stop
}
