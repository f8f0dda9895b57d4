//! How a caller wants to see a payment.

use echeck_proto::returns::v1 as proto;
use returns_import::adapter::state_from_proto;
use returns_model::endpoint::{PayloadVersion, Style};
use returns_webhooks::{ReturnOutcome, TransferSeen, TransferView, view};

use super::errors::{self, ApiError};

/// The version of a view; `None` for the gateway's own.
pub(super) fn payload_version(
    view: i32,
    api_version: &str,
) -> Result<Option<PayloadVersion>, ApiError> {
    let view = proto::TransferView::try_from(view)
        .map_err(|_| errors::invalid("view", format!("{view} is not a valid view")))?;
    let no_version = |payload_version| {
        if api_version.is_empty() {
            Ok(payload_version)
        } else {
            let what = "only the RAINFOREST view has versions; leave it empty";
            Err(errors::invalid("api_version", what))
        }
    };
    match view {
        proto::TransferView::Unspecified => no_version(None),
        proto::TransferView::Finix => no_version(Some(PayloadVersion::Finix)),
        proto::TransferView::Rainforest => {
            returns_model::endpoint::payload_version(Style::Rainforest, api_version)
                .map(Some)
                .map_err(|fault| errors::invalid(fault.field, fault.what))
        }
    }
}

/// How a transfer of the system of record is shown.
pub(super) fn transfer_view(
    sent: &echeck_proto::adapter::v1::Transfer,
    outcome: Option<&ReturnOutcome>,
    payload_version: PayloadVersion,
) -> TransferView {
    let seen = TransferSeen {
        state: state_from_proto(sent.state()),
        text: &sent.state_text,
        messages: &sent.messages,
    };
    view(seen, outcome, payload_version)
}

/// Shows a transfer as `view` has it.
pub(super) fn show(
    transfer: &mut proto::Transfer,
    view: &TransferView,
    payload_version: PayloadVersion,
) {
    transfer.state.clone_from(&view.state);
    transfer.messages.clone_from(&view.messages);
    transfer.has_ach_return = view.has_ach_return;
    if !view.is_failed() {
        transfer.failure_code.clear();
        transfer.failure_message.clear();
    }
    match payload_version {
        PayloadVersion::Finix => {
            if !view.raw.is_empty() {
                transfer.raw_json = returns_webhooks::render::raw(&view.raw).to_string();
            }
            if view.is_failed() {
                transfer.ready_to_settle_at = None;
            }
        }
        // Rainforest shows no row of the processor, and what is in one would show a
        // state that an older version must not see.
        PayloadVersion::RainforestLegacy | PayloadVersion::Rainforest20241016 => {
            transfer.raw_json.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use tonic::Status;

    use super::*;

    fn of(view: proto::TransferView, version: &str) -> Result<Option<PayloadVersion>, Status> {
        payload_version(view.into(), version).map_err(Status::from)
    }

    #[test]
    fn a_version_lasts_until_the_next() {
        for (version, meant) in [
            ("2023-01-01", PayloadVersion::RainforestLegacy),
            ("2023-12-01", PayloadVersion::RainforestLegacy),
            ("2024-10-15", PayloadVersion::RainforestLegacy),
            ("2024-10-16", PayloadVersion::Rainforest20241016),
            ("2025-05-01", PayloadVersion::Rainforest20241016),
        ] {
            let found = of(proto::TransferView::Rainforest, version).unwrap();
            assert_eq!(found, Some(meant), "{version}");
        }
    }

    #[test]
    fn a_version_that_is_none_is_refused_by_its_field() {
        for (view, version) in [
            (proto::TransferView::Rainforest, ""),
            (proto::TransferView::Rainforest, "2022-12-31"),
            (proto::TransferView::Rainforest, "2024-13-01"),
            (proto::TransferView::Rainforest, "2024-1-1"),
            (proto::TransferView::Rainforest, "latest"),
            (proto::TransferView::Finix, "2024-10-16"),
            (proto::TransferView::Unspecified, "2024-10-16"),
        ] {
            let refused = of(view, version).unwrap_err();
            assert_eq!(refused.code(), tonic::Code::InvalidArgument, "{version}");
            assert!(refused.message().starts_with("api_version: "), "{refused}");
        }
        assert_eq!(of(proto::TransferView::Unspecified, "").unwrap(), None);
        let refused = Status::from(payload_version(9, "").unwrap_err());
        assert!(refused.message().starts_with("view: "), "{refused}");
    }
}
