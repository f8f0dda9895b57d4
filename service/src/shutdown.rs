//! Turns the signals by which a process is asked to stop into a token that its parts watch.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

/// A token that SIGTERM or SIGINT cancels. Must be called inside a tokio runtime.
///
/// The first signal asks for an orderly stop. Later ones change nothing: the drain has a bound
/// of its own, and SIGKILL is always there. If the handlers cannot be installed, that is logged
/// and the signals keep their default effect, which ends the process.
pub fn on_signal() -> CancellationToken {
    let token = CancellationToken::new();
    match (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    ) {
        (Ok(terminate), Ok(interrupt)) => {
            tokio::spawn(cancel_on_first(terminate, interrupt, token.clone()));
        }
        (Err(fault), _) | (_, Err(fault)) => report(&fault),
    }
    token
}

async fn cancel_on_first(mut terminate: Signal, mut interrupt: Signal, token: CancellationToken) {
    let name = tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    };
    info!(signal = name, "asked to stop");
    token.cancel();
}

fn report(fault: &io::Error) {
    error!(%fault, "cannot listen for SIGTERM and SIGINT; they will end the process without a drain");
}
