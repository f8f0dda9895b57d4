//! `echeck webhooks`: the endpoints of platforms, and what was sent to them.

mod arguments;
mod deliveries;
mod endpoints;

use clap::{Args, Subcommand};

use super::arguments::RequestId;
use super::connect::Client;
use crate::failure::Failure;
use arguments::{
    CreateArguments, DeliveryArguments, EventArguments, RecoverArguments, ReplayArguments,
    RotateArguments, SwitchArguments, UpdateArguments,
};

/// What to do with webhooks.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  echeck webhooks list\n  echeck webhooks deliveries --state undeliverable\n  \
    echeck webhooks test whe_…\n\n`echeck webhooks COMMAND --help` has more."
)]
pub(crate) struct WebhookArguments {
    #[command(subcommand)]
    action: WebhookAction,
}

/// What to do with webhooks.
#[derive(Debug, Subcommand)]
enum WebhookAction {
    /// List endpoints, or show one with its keys.
    #[command(
        after_help = "Examples:\n  echeck webhooks list\n  echeck webhooks list whe_… --json"
    )]
    List {
        /// The endpoint to show.
        endpoint_id: Option<String>,
    },
    /// Create an endpoint. Its secret is shown only once.
    Create(CreateArguments),
    /// Change an endpoint. Style and version never change.
    Update(UpdateArguments),
    /// Create a new key, shown only once. The previous key also signs for a day.
    Rotate(RotateArguments),
    /// Stop sending to an endpoint. Messages that wait stay.
    #[command(
        after_help = "Examples:\n  echeck webhooks disable whe_… --reason 'they asked for it'"
    )]
    Disable(SwitchArguments),
    /// Start sending to an endpoint again, first the messages that waited.
    #[command(after_help = "Examples:\n  echeck webhooks enable whe_… --reason 'it has recovered'")]
    Enable(SwitchArguments),
    /// List deliveries, newest first.
    Deliveries(DeliveryArguments),
    /// List events as messages of one style and version.
    Events(EventArguments),
    /// Send an event's messages to an endpoint again, including those that it accepted.
    Replay(ReplayArguments),
    /// Send an endpoint everything from a period of time that it has not accepted.
    Recover(RecoverArguments),
    /// Post a signed test message to an endpoint now, and show its answer.
    #[command(
        after_help = "Examples:\n  echeck webhooks test whe_…\n\nExit codes: 0 accepted, 2 not accepted, 4 there is no such endpoint"
    )]
    Test {
        /// The endpoint.
        endpoint_id: String,
        #[command(flatten)]
        request: RequestId,
    },
}

pub(super) async fn run(
    WebhookArguments { action }: WebhookArguments,
    service: &Client,
) -> Result<u8, Failure> {
    match action {
        WebhookAction::List { endpoint_id: None } => endpoints::list(service).await,
        WebhookAction::List {
            endpoint_id: Some(id),
        } => endpoints::show(id, service).await,
        WebhookAction::Create(arguments) => endpoints::create(arguments, service).await,
        WebhookAction::Update(arguments) => endpoints::update(arguments, service).await,
        WebhookAction::Rotate(arguments) => endpoints::rotate(arguments, service).await,
        WebhookAction::Disable(arguments) => endpoints::disable(arguments, service).await,
        WebhookAction::Enable(arguments) => endpoints::enable(arguments, service).await,
        WebhookAction::Deliveries(arguments) => deliveries::list(arguments, service).await,
        WebhookAction::Events(arguments) => deliveries::events(arguments, service).await,
        WebhookAction::Replay(arguments) => deliveries::replay(arguments, service).await,
        WebhookAction::Recover(arguments) => deliveries::recover(arguments, service).await,
        WebhookAction::Test {
            endpoint_id,
            request,
        } => deliveries::test(endpoint_id, request, service).await,
    }
}
