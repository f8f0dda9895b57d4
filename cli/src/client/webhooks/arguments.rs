//! The arguments of `echeck webhooks`.

use clap::{Args, ValueEnum};
use echeck_proto::returns::v1::{WebhookDeliveryState, WebhookKeyKind, WebhookStyle};
use prost_types::Timestamp;

use super::super::arguments::{Change, Period};
use crate::words::day_or_time;

/// The endpoint to create.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  echeck webhooks create https://hooks.platform.example/echeck \\\n    \
    --style rainforest --api-version 2024-10-16 --owner ops@platform.example \\\n    \
    --type 'ach_return.*' --type payin.returned --reason 'new platform'"
)]
pub(super) struct CreateArguments {
    /// The address that messages are posted to.
    pub(super) url: String,
    /// The platform whose message format it expects.
    #[arg(long, value_enum)]
    pub(super) style: StyleArgument,
    /// The version of that format, such as 2024-10-16. Optional for finix.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(super) api_version: String,
    /// An event type to subscribe to, such as payin.returned or ach_return.*; may be repeated.
    /// Default: all.
    #[arg(long = "type")]
    pub(super) types: Vec<String>,
    /// Only events of this merchant.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(super) merchant: String,
    /// A message waits until the previous one is delivered or undeliverable.
    #[arg(long)]
    pub(super) ordered: bool,
    /// A description for people.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(super) description: String,
    /// The e-mail address that is notified when it is disabled.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(super) owner: String,
    /// The kind of its key.
    #[arg(long, value_enum, default_value_t = KeyArgument::HmacSha256)]
    pub(super) key_kind: KeyArgument,
    #[command(flatten)]
    pub(super) change: Change,
}

/// What to change.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  echeck webhooks update whe_… --url https://new.example/hook --reason 'they moved'\n  \
    echeck webhooks update whe_… --all-types --reason 'they want all'"
)]
pub(super) struct UpdateArguments {
    /// The endpoint.
    pub(super) endpoint_id: String,
    /// The address that messages are posted to.
    #[arg(long)]
    pub(super) url: Option<String>,
    /// An event type to subscribe to from now on; may be repeated.
    #[arg(long = "type")]
    pub(super) types: Vec<String>,
    /// Subscribe to all event types.
    #[arg(long, conflicts_with = "types")]
    pub(super) all_types: bool,
    /// Only events of this merchant; empty for all.
    #[arg(long)]
    pub(super) merchant: Option<String>,
    /// Whether a message waits until the previous one is delivered or undeliverable.
    #[arg(long)]
    pub(super) ordered: Option<bool>,
    /// A description for people.
    #[arg(long)]
    pub(super) description: Option<String>,
    /// The e-mail address that is notified when it is disabled.
    #[arg(long)]
    pub(super) owner: Option<String>,
    #[command(flatten)]
    pub(super) change: Change,
}

/// The key to create.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  echeck webhooks rotate whe_… --reason 'every year'\n  \
    echeck webhooks rotate whe_… --overlap-s 0 --reason 'it was disclosed'"
)]
pub(super) struct RotateArguments {
    /// The endpoint.
    pub(super) endpoint_id: String,
    /// The kind of key.
    #[arg(long, value_enum, default_value_t = KeyArgument::HmacSha256)]
    pub(super) key_kind: KeyArgument,
    /// How long the previous key also signs, in seconds. Default: a day.
    #[arg(long)]
    pub(super) overlap_s: Option<u32>,
    #[command(flatten)]
    pub(super) change: Change,
}

/// The endpoint to enable or to disable.
#[derive(Debug, Args)]
pub(super) struct SwitchArguments {
    /// The endpoint.
    pub(super) endpoint_id: String,
    #[command(flatten)]
    pub(super) change: Change,
}

/// Which deliveries to list.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  echeck webhooks deliveries --state undeliverable\n  \
    echeck webhooks deliveries --endpoint whe_… --transfer TR0001 --json"
)]
pub(super) struct DeliveryArguments {
    /// Only to this endpoint.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(super) endpoint: String,
    /// Only in this state.
    #[arg(long, value_enum)]
    pub(super) state: Option<DeliveryStateArgument>,
    /// Only of this event.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(super) event: String,
    /// Only about this transfer.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(super) transfer: String,
    /// The maximum number of deliveries.
    #[arg(long, default_value_t = 50)]
    pub(super) limit: u32,
}

/// Which events to list, and their format.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  echeck webhooks events --style finix --since 2026-01-05T00:00:00Z\n  \
    echeck webhooks events --style rainforest --api-version 2024-10-16 --transfer TR0001 --json\n\n\
    --json includes the body of each message."
)]
pub(super) struct EventArguments {
    /// The platform whose message format is shown.
    #[arg(long, value_enum)]
    pub(super) style: StyleArgument,
    /// The version of that format. Optional for finix.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(super) api_version: String,
    #[command(flatten)]
    pub(super) period: Period,
    /// Only about this transfer.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(super) transfer: String,
    /// The maximum number of events.
    #[arg(long, default_value_t = 50)]
    pub(super) limit: u32,
}

/// What to send again.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  echeck webhooks replay whe_… --event evt_… --reason 'they lost it'\n  \
    echeck webhooks replay whe_… --message msg_… --reason 'they lost it'"
)]
pub(super) struct ReplayArguments {
    /// The endpoint.
    pub(super) endpoint_id: String,
    /// Every message of this event that it subscribes to.
    #[arg(long, required_unless_present = "message")]
    pub(super) event: Option<String>,
    /// This message.
    #[arg(long, conflicts_with = "event")]
    pub(super) message: Option<String>,
    #[command(flatten)]
    pub(super) change: Change,
}

/// The period to recover.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  echeck webhooks recover whe_… --since 2026-01-05T08:00:00Z --reason 'they were down'"
)]
pub(super) struct RecoverArguments {
    /// The endpoint.
    pub(super) endpoint_id: String,
    /// Only events at or after this time.
    #[arg(long, value_parser = day_or_time, value_name = "TIME")]
    pub(super) since: Timestamp,
    /// Only events before this time. Default: now.
    #[arg(long, value_parser = day_or_time, value_name = "TIME")]
    pub(super) until: Option<Timestamp>,
    #[command(flatten)]
    pub(super) change: Change,
}

/// A platform's message format.
#[derive(Debug, Clone, Copy, ValueEnum)]
#[repr(i32)]
pub(super) enum StyleArgument {
    /// Finix.
    Finix = WebhookStyle::Finix as i32,
    /// Rainforest.
    Rainforest = WebhookStyle::Rainforest as i32,
}

/// A kind of key.
#[derive(Debug, Clone, Copy, ValueEnum)]
#[repr(i32)]
pub(super) enum KeyArgument {
    /// A shared secret.
    HmacSha256 = WebhookKeyKind::HmacSha256 as i32,
    /// A private key that stays with the service.
    Ed25519 = WebhookKeyKind::Ed25519 as i32,
}

/// The state of a delivery.
#[derive(Debug, Clone, Copy, ValueEnum)]
#[repr(i32)]
pub(super) enum DeliveryStateArgument {
    /// It is still being tried.
    Pending = WebhookDeliveryState::Pending as i32,
    /// The endpoint accepted it.
    Delivered = WebhookDeliveryState::Delivered as i32,
    /// It is not tried again.
    Undeliverable = WebhookDeliveryState::Undeliverable as i32,
}
