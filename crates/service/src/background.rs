//! Work that nobody waits for at this moment has threads of its own, which give way to those that answer
//! calls: the scheduler of the machine runs them when nothing else wants a processor.

use std::sync::OnceLock;

use tokio::runtime::{Builder, Handle, Runtime};
use tracing::warn;

/// How far they give way: a step of Linux is a quarter more or less of a processor.
const NICE: i32 = 10;

/// Where such work runs. Without threads of its own, where the caller runs.
///
/// # Panics
/// Outside of a tokio runtime, where the machine gives no threads.
pub fn handle() -> Handle {
    static RUNTIME: OnceLock<Option<Runtime>> = OnceLock::new();
    let runtime = RUNTIME.get_or_init(|| {
        let built = Builder::new_multi_thread()
            .enable_all()
            .thread_name("background")
            .on_thread_start(give_way)
            .build();
        built
            .inspect_err(|error| warn!(%error, "background work has no threads of its own"))
            .ok()
    });
    match runtime {
        Some(runtime) => runtime.handle().clone(),
        None => Handle::current(),
    }
}

fn give_way() {
    // Without it, the work goes on at the same priority.
    let _ = rustix::process::setpriority_process(None, NICE);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn background_work_gives_way_and_what_answers_does_not() {
        let priority = || rustix::process::getpriority_process(None).unwrap();
        let before = priority();
        let there = handle().spawn(async move { priority() }).await.unwrap();
        assert_eq!(there, (before + NICE).min(19));
        assert_eq!(priority(), before);
    }
}
