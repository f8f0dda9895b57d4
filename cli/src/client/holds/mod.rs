//! `echeck holds`: entries that wait, and what a person does about them.

mod list;
mod print;
mod resolve;

use clap::{Args, Subcommand, ValueEnum};
use echeck_proto::returns::v1 as proto;
use proto::{HoldReason, HoldState};

use super::arguments::{Change, OptionalChange};
use super::connect::Client;
use crate::failure::Failure;
use crate::words::Words as _;

/// Which holds to list, or what to do with one.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  echeck holds\n  echeck holds --hold-reason unknown_transfer --source nacha\n  \
    echeck holds show hold_…\n  echeck holds retry hold_… --transfer TR0001\n  \
    echeck holds retry --hold-reason database_refused --reason 'the mapping is corrected'\n  \
    echeck holds dismiss hold_… --reason 'the bank sent it by mistake'",
    args_conflicts_with_subcommands = true
)]
pub(crate) struct HoldArguments {
    #[command(subcommand)]
    action: Option<HoldAction>,
    #[command(flatten)]
    list: ListHoldsArguments,
}

/// Which holds to list.
#[derive(Debug, Args)]
#[command(next_help_heading = "Filters")]
struct ListHoldsArguments {
    /// In this state. Default: open.
    #[arg(long, value_enum)]
    state: Option<StateArgument>,
    /// In every state.
    #[arg(long, conflicts_with = "state")]
    all: bool,
    #[command(flatten)]
    filter: HoldFilter,
    /// The maximum number of holds that are listed for each reason; the counts are of all.
    #[arg(long, default_value_t = 20, help_heading = "Output")]
    limit: usize,
}

/// Which holds are meant.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Filters")]
struct HoldFilter {
    /// Only those that wait for this reason, such as database_refused.
    #[arg(long, value_parser = hold_reason, value_name = "REASON")]
    hold_reason: Option<HoldReason>,
    /// Only of this import.
    #[arg(long)]
    import: Option<String>,
    /// Only of this source.
    #[arg(long)]
    source: Option<String>,
    /// Only of entries with this code, such as R01.
    #[arg(long)]
    code: Option<String>,
}

/// The state of a hold.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum StateArgument {
    /// It waits.
    Open,
    /// It was decided in the end.
    Resolved,
    /// It was found to be a duplicate.
    Duplicate,
    /// A person dismissed it.
    Dismissed,
}

impl From<StateArgument> for HoldState {
    fn from(state: StateArgument) -> Self {
        match state {
            StateArgument::Open => Self::Open,
            StateArgument::Resolved => Self::Resolved,
            StateArgument::Duplicate => Self::Duplicate,
            StateArgument::Dismissed => Self::Dismissed,
        }
    }
}

/// A reason, as `--json` spells it.
fn hold_reason(text: &str) -> Result<HoldReason, String> {
    let name = text.to_ascii_uppercase().replace(['-', ' '], "_");
    match HoldReason::from_str_name(&format!("HOLD_REASON_{name}")) {
        Some(HoldReason::Unspecified) | None => {
            let all = (1..32).filter_map(|number| HoldReason::try_from(number).ok());
            let all: Vec<_> = all.map(|one| one.words().replace(' ', "_")).collect();
            Err(format!("use one of {}", all.join(", ")))
        }
        Some(reason) => Ok(reason),
    }
}

/// What to do with a hold.
#[derive(Debug, Subcommand)]
enum HoldAction {
    /// Show a hold with everything that is known about its entry.
    Show {
        /// The hold.
        hold_id: String,
    },
    /// Look the entry up and decide it again, or every open one that a filter finds.
    #[command(override_usage = "echeck holds retry [OPTIONS] <HOLD_ID>\n       \
        echeck holds retry [OPTIONS] <FILTERS>")]
    #[command(group(clap::ArgGroup::new("which").required(true).multiple(true)
        .args(["hold_id", "hold_reason", "import", "source", "code"])))]
    Retry(RetryArguments),
    /// Close it without effect.
    Dismiss {
        /// The hold.
        hold_id: String,
        #[command(flatten)]
        change: Change,
    },
}

/// What to decide again.
#[derive(Debug, Args)]
struct RetryArguments {
    /// The hold.
    #[arg(conflicts_with_all = ["hold_reason", "import", "source", "code"])]
    hold_id: Option<String>,
    /// Decide it for this transfer, instead of looking its ids up.
    #[arg(
        long,
        default_value = "",
        hide_default_value = true,
        requires = "hold_id"
    )]
    transfer: String,
    #[command(flatten)]
    filter: HoldFilter,
    #[command(flatten)]
    change: OptionalChange,
}

pub(super) async fn run(arguments: HoldArguments, service: &Client) -> Result<u8, Failure> {
    match arguments.action {
        None => list::run(arguments.list, service).await,
        Some(HoldAction::Show { hold_id }) => print::run(hold_id, service).await,
        Some(HoldAction::Retry(arguments)) => resolve::retry(arguments, service).await,
        Some(HoldAction::Dismiss { hold_id, change }) => {
            resolve::dismiss(hold_id, change, service).await
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_read_in_every_spelling_and_an_unknown_one_lists_all() {
        for text in ["unknown_transfer", "unknown-transfer", "UNKNOWN TRANSFER"] {
            assert_eq!(hold_reason(text), Ok(HoldReason::UnknownTransfer));
        }
        let all = hold_reason("nonsense").unwrap_err();
        // Its number stands after a gap.
        assert!(all.contains("unknown_transfer") && all.contains("unreadable_transfer"));
    }
}
