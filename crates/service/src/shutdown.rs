//! Turns the signals that ask a process to stop into a token that its parts watch.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

/// A token that SIGTERM or SIGINT cancels. Call it inside a tokio runtime.
///
/// The first signal asks for an orderly stop. Later ones change nothing: the drain has its own
/// time limit. If the handlers cannot be installed, that is logged and the signals keep their
/// default effect, which ends the process.
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn each_of_the_two_signals_cancels_the_token() {
        for name in ["-TERM", "-INT"] {
            let token = on_signal();
            assert!(!token.is_cancelled());
            let process = std::process::id().to_string();
            let sent = std::process::Command::new("kill")
                .args([name, &process])
                .status()
                .unwrap();
            assert!(sent.success());
            let cancelled = tokio::time::timeout(Duration::from_secs(10), token.cancelled()).await;
            assert!(cancelled.is_ok(), "{name}");
        }
    }
}
