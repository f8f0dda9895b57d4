//! `echeck webhooks`: whom platforms' messages go to, and what became of them.

mod deliveries;
mod endpoints;
mod json;

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand, ValueEnum};
use echeck_proto::returns::v1 as proto;

use super::{Because, Common, Failure};

/// What to do with webhooks.
#[derive(Debug, Subcommand)]
pub enum WebhookAction {
    /// List endpoints, or show one with its keys.
    #[command(
        after_help = "Examples:\n  echeck webhooks list\n  echeck webhooks list whe_… --json"
    )]
    List {
        /// The endpoint to show.
        endpoint_id: Option<String>,
        #[command(flatten)]
        common: Common,
    },
    /// Make an endpoint. Its secret is shown this once.
    #[command(
        after_help = "Examples:\n  echeck webhooks create https://hooks.platform.example/echeck \\\n    \
        --style rainforest --api-version 2024-10-16 --owner ops@platform.example \\\n    \
        --type 'ach_return.*' --type payin.returned --reason 'new platform'"
    )]
    Create(CreateArguments),
    /// Change an endpoint. Style and version never change.
    #[command(
        after_help = "Examples:\n  echeck webhooks update whe_… --url https://new.example/hook --reason 'they moved'\n  \
        echeck webhooks update whe_… --all-types --reason 'they want all'"
    )]
    Update(UpdateArguments),
    /// Make a new key, shown this once; the one before signs along for a day.
    #[command(
        after_help = "Examples:\n  echeck webhooks rotate whe_… --reason 'every year'\n  \
        echeck webhooks rotate whe_… --overlap-s 0 --reason 'it has become known'"
    )]
    Rotate {
        /// The endpoint.
        endpoint_id: String,
        /// Which kind of key.
        #[arg(long, value_enum, default_value_t = Key::HmacSha256)]
        key: Key,
        /// How long the key before signs along, in seconds; a day unless said.
        #[arg(long)]
        overlap_s: Option<u32>,
        #[command(flatten)]
        because: Because,
    },
    /// Send nothing more to an endpoint; what waits is kept.
    #[command(after_help = "Examples:\n  echeck webhooks disable whe_… --reason 'asked for'")]
    Disable {
        /// The endpoint.
        endpoint_id: String,
        #[command(flatten)]
        because: Because,
    },
    /// Send to an endpoint again, first what waits.
    #[command(after_help = "Examples:\n  echeck webhooks enable whe_… --reason 'it works again'")]
    Enable {
        /// The endpoint.
        endpoint_id: String,
        #[command(flatten)]
        because: Because,
    },
    /// List deliveries, newest first.
    #[command(
        after_help = "Examples:\n  echeck webhooks deliveries --state dead\n  \
        echeck webhooks deliveries --endpoint whe_… --transfer TR0001 --json"
    )]
    Deliveries(DeliveryArguments),
    /// List events as endpoints of a style and version are told of them.
    #[command(
        after_help = "Examples:\n  echeck webhooks events --style finix --since 2026-01-05T00:00:00Z\n  \
        echeck webhooks events --style rainforest --api-version 2024-10-16 --transfer TR0001 --json"
    )]
    Events(EventArguments),
    /// Send an event's messages to an endpoint again, also those it has taken.
    #[command(
        after_help = "Examples:\n  echeck webhooks replay whe_… --event evt_… --reason 'they lost it'\n  \
        echeck webhooks replay whe_… --message msg_… --reason 'they lost it'"
    )]
    Replay {
        /// The endpoint.
        endpoint_id: String,
        /// Every message of this event that it wants.
        #[arg(long, required_unless_present = "message")]
        event: Option<String>,
        /// This message.
        #[arg(long, conflicts_with = "event")]
        message: Option<String>,
        #[command(flatten)]
        because: Because,
    },
    /// Send an endpoint whatever it has not taken of a stretch of time.
    #[command(
        after_help = "Examples:\n  echeck webhooks recover whe_… --since 2026-01-05T08:00:00Z --reason 'they were down'"
    )]
    Recover {
        /// The endpoint.
        endpoint_id: String,
        /// What happened from this time on.
        #[arg(long, value_parser = moment)]
        since: prost_types::Timestamp,
        /// What happened before this time; now unless said.
        #[arg(long, value_parser = moment)]
        until: Option<prost_types::Timestamp>,
        #[command(flatten)]
        because: Because,
    },
    /// Post a signed test message to an endpoint now, and tell what it answers.
    #[command(
        after_help = "Examples:\n  echeck webhooks test whe_…\n\nExit codes: 0 taken, 2 not taken, 4 there is no such endpoint"
    )]
    Test {
        /// The endpoint.
        endpoint_id: String,
        /// Who asks for it; kept.
        #[arg(long, env = "USER", default_value = "unknown")]
        actor: String,
        #[command(flatten)]
        common: Common,
    },
}

/// What to make.
#[derive(Debug, Args)]
pub struct CreateArguments {
    /// Where messages are posted to.
    pub url: String,
    /// Whose platform it is built for.
    #[arg(long, value_enum)]
    pub style: Style,
    /// The version it is built for, such as 2024-10-16; Finix's may be left out.
    #[arg(long, default_value = "")]
    pub api_version: String,
    /// An event type it wants, such as payin.returned or ach_return.*; again for more. All
    /// unless said.
    #[arg(long = "type")]
    pub types: Vec<String>,
    /// Only what is about this merchant.
    #[arg(long, default_value = "")]
    pub merchant: String,
    /// A message waits until the one before is delivered or given up.
    #[arg(long)]
    pub ordered: bool,
    /// For people.
    #[arg(long, default_value = "")]
    pub description: String,
    /// Who is told by e-mail when it is disabled.
    #[arg(long, default_value = "")]
    pub owner: String,
    /// How messages are signed.
    #[arg(long, value_enum, default_value_t = Key::HmacSha256)]
    pub key: Key,
    /// Makes the command safe to repeat.
    #[arg(long, default_value = "")]
    pub idempotency_key: String,
    #[command(flatten)]
    pub because: Because,
}

/// What to change.
#[derive(Debug, Args)]
pub struct UpdateArguments {
    /// The endpoint.
    pub endpoint_id: String,
    /// Where messages are posted to.
    #[arg(long)]
    pub url: Option<String>,
    /// An event type it wants from now on; again for more.
    #[arg(long = "type")]
    pub types: Vec<String>,
    /// It wants all event types.
    #[arg(long, conflicts_with = "types")]
    pub all_types: bool,
    /// Only what is about this merchant; empty for all.
    #[arg(long)]
    pub merchant: Option<String>,
    /// Whether a message waits until the one before is delivered or given up.
    #[arg(long)]
    pub ordered: Option<bool>,
    /// For people.
    #[arg(long)]
    pub description: Option<String>,
    /// Who is told by e-mail when it is disabled.
    #[arg(long)]
    pub owner: Option<String>,
    #[command(flatten)]
    pub because: Because,
}

/// Which deliveries.
#[derive(Debug, Args)]
pub struct DeliveryArguments {
    /// Only to this endpoint.
    #[arg(long, default_value = "")]
    pub endpoint: String,
    /// Only in this state.
    #[arg(long, value_enum)]
    pub state: Option<State>,
    /// Only of this event.
    #[arg(long, default_value = "")]
    pub event: String,
    /// Only about this transfer.
    #[arg(long, default_value = "")]
    pub transfer: String,
    /// At most so many.
    #[arg(long, default_value_t = 50)]
    pub limit: u32,
    #[command(flatten)]
    pub common: Common,
}

/// Which events.
#[derive(Debug, Args)]
pub struct EventArguments {
    /// In whose words.
    #[arg(long, value_enum)]
    pub style: Style,
    /// Of which version; Finix's may be left out.
    #[arg(long, default_value = "")]
    pub api_version: String,
    /// What happened from this time on.
    #[arg(long, value_parser = moment)]
    pub since: Option<prost_types::Timestamp>,
    /// What happened before this time.
    #[arg(long, value_parser = moment)]
    pub until: Option<prost_types::Timestamp>,
    /// Only about this transfer.
    #[arg(long, default_value = "")]
    pub transfer: String,
    /// At most so many events.
    #[arg(long, default_value_t = 50)]
    pub limit: u32,
    #[command(flatten)]
    pub common: Common,
}

/// Whose platform.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Style {
    /// Finix.
    Finix,
    /// Rainforest.
    Rainforest,
}

impl From<Style> for proto::WebhookStyle {
    fn from(style: Style) -> Self {
        match style {
            Style::Finix => Self::Finix,
            Style::Rainforest => Self::Rainforest,
        }
    }
}

/// A kind of key.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Key {
    /// A secret that both sides know.
    HmacSha256,
    /// A private key that stays with the service.
    Ed25519,
}

impl From<Key> for proto::WebhookKeyKind {
    fn from(key: Key) -> Self {
        match key {
            Key::HmacSha256 => Self::HmacSha256,
            Key::Ed25519 => Self::Ed25519,
        }
    }
}

/// What has become of a delivery.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum State {
    /// It is tried, or tried again.
    Pending,
    /// It was taken.
    Delivered,
    /// It was given up.
    Dead,
}

impl From<State> for proto::WebhookDeliveryState {
    fn from(state: State) -> Self {
        match state {
            State::Pending => Self::Pending,
            State::Delivered => Self::Delivered,
            State::Dead => Self::Dead,
        }
    }
}

/// A time such as 2026-01-05T08:00:00Z.
fn moment(text: &str) -> Result<prost_types::Timestamp, String> {
    let at = DateTime::parse_from_rfc3339(text)
        .map_err(|error| format!("{error}; write a time such as 2026-01-05T08:00:00Z"))?
        .with_timezone(&Utc);
    Ok(prost_types::Timestamp {
        seconds: at.timestamp(),
        nanos: i32::try_from(at.timestamp_subsec_nanos()).unwrap_or_default(),
    })
}

pub(super) async fn act(action: WebhookAction) -> Result<u8, Failure> {
    match action {
        WebhookAction::List {
            endpoint_id: None,
            common,
        } => endpoints::list(&common).await,
        WebhookAction::List {
            endpoint_id: Some(id),
            common,
        } => endpoints::show(id, &common).await,
        WebhookAction::Create(arguments) => endpoints::create(arguments).await,
        WebhookAction::Update(arguments) => endpoints::update(arguments).await,
        WebhookAction::Rotate {
            endpoint_id,
            key,
            overlap_s,
            because,
        } => endpoints::rotate(endpoint_id, key, overlap_s, because).await,
        WebhookAction::Disable {
            endpoint_id,
            because,
        } => endpoints::disable(endpoint_id, because).await,
        WebhookAction::Enable {
            endpoint_id,
            because,
        } => endpoints::enable(endpoint_id, because).await,
        WebhookAction::Deliveries(arguments) => deliveries::list(arguments).await,
        WebhookAction::Events(arguments) => deliveries::events(arguments).await,
        WebhookAction::Replay {
            endpoint_id,
            event,
            message,
            because,
        } => deliveries::replay(endpoint_id, event, message, because).await,
        WebhookAction::Recover {
            endpoint_id,
            since,
            until,
            because,
        } => deliveries::recover(endpoint_id, since, until, because).await,
        WebhookAction::Test {
            endpoint_id,
            actor,
            common,
        } => deliveries::test(endpoint_id, actor, &common).await,
    }
}
