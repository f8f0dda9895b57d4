//! Causes for which the journal is not published to NATS.

use super::{Area, Description};

fn behind(headline: String, to_do: &'static [&'static str]) -> Description {
    Description::new(
        Area::Stream,
        headline,
        "Returns are still applied to both databases. Who follows the journal by NATS does not see new \
         ones until it is published again; then they come, each once and in order.",
        to_do,
    )
}

pub(super) fn unreachable(servers: &str, why: &str) -> Description {
    behind(
        format!("No server of NATS can be used ({servers}): {why}."),
        &[
            "Check whether the servers run, and whether this service may reach them.",
            "If they refuse to let us in, compare the log-in of [nats] with their accounts.",
        ],
    )
}

pub(super) fn failed(stream: &str, why: &str) -> Description {
    behind(
        format!("The stream {stream} of NATS does not take the journal: {why}."),
        &[
            "Look at the stream with `nats stream info`: has it a leader, and room?",
            "Compare it with [nats] of the configuration and with docs/journal.md.",
        ],
    )
}

pub(super) fn foreign(stream: &str, why: &str) -> Description {
    behind(
        format!("The stream {stream} of NATS does not belong to this journal: {why}."),
        &[
            "If another system publishes to it, give this one a stream and a subject of its own.",
            "If the returns database was restored, tell the stream's readers from which position on \
             they must forget. Then publish to a new stream (nats.stream, nats.subject).",
        ],
    )
}
