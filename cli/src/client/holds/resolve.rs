//! Deciding held entries again, and dismissing them.

use echeck_proto::returns::v1 as proto;
use proto::HoldState;
use proto::resolve_hold_request::Action as Resolution;

use super::super::arguments::{Change, OptionalChange};
use super::super::connect::Client;
use super::super::json;
use super::super::proposals::print_proposed;
use super::{HoldFilter, RetryArguments, print};
use crate::exit;
use crate::failure::{Failure, missing};
use crate::output::{Progress, counted, out, print_error, print_json};

/// How many holds are retried with one call: few enough that it ends long before its deadline.
const RETRIED_AT_ONCE: u32 = 100;

pub(super) async fn retry(arguments: RetryArguments, service: &Client) -> Result<u8, Failure> {
    let RetryArguments {
        hold_id,
        transfer: transfer_id,
        filter,
        change,
    } = arguments;
    let Some(hold_id) = hold_id else {
        return retry_all(filter, change, service).await;
    };
    let ask = proto::ResolveHoldRequest {
        hold_id,
        request_id: change.request.request_id,
        note: change.reason,
        action: Some(Resolution::RetryHold(proto::RetryHold { transfer_id })),
    };
    resolve(ask, service).await
}

pub(super) async fn dismiss(
    hold_id: String,
    change: Change,
    service: &Client,
) -> Result<u8, Failure> {
    let ask = proto::ResolveHoldRequest {
        hold_id,
        request_id: change.request.request_id,
        note: change.reason,
        action: Some(Resolution::DismissHold(proto::DismissHold {})),
    };
    resolve(ask, service).await
}

async fn resolve(ask: proto::ResolveHoldRequest, service: &Client) -> Result<u8, Failure> {
    let answer = service.returns().resolve_hold(ask).await?.into_inner();
    let hold = answer.hold.ok_or_else(|| missing("hold"))?;
    let proposal_id = answer.proposal_id;
    if service.json {
        let mut object = json::of(&hold)?;
        if !proposal_id.is_empty() {
            object["proposal_id"] = proposal_id.into();
        }
        print_json(&object)?;
    } else {
        if !proposal_id.is_empty() {
            print_proposed(&proposal_id)?;
        }
        print::print(&hold)?;
    }
    Ok(exit::ok_if(
        hold.state() != HoldState::Open,
        exit::NEEDS_ATTENTION,
    ))
}

/// Retries every open hold that the filter finds, a page at a time.
async fn retry_all(
    filter: HoldFilter,
    change: OptionalChange,
    service: &Client,
) -> Result<u8, Failure> {
    let mut progress = Progress::of_something(service.json);
    let mut all = proto::RetryHoldsResponse::default();
    for page in 1.. {
        let ask = proto::RetryHoldsRequest {
            reason: filter.hold_reason.unwrap_or_default().into(),
            import_id: filter.import.clone().unwrap_or_default(),
            source: filter.source.clone().unwrap_or_default(),
            code: filter.code.clone().unwrap_or_default(),
            request_id: page_id(&change.request.request_id, page),
            note: change.reason.clone(),
            page_size: RETRIED_AT_ONCE,
            page_token: std::mem::take(&mut all.next_page_token),
        };
        let answer = service.returns().retry_holds(ask).await?.into_inner();
        all.resolved += answer.resolved;
        all.duplicate += answer.duplicate;
        all.still_open += answer.still_open;
        all.failures.extend(answer.failures);
        all.next_page_token = answer.next_page_token;
        let done = all.resolved + all.duplicate + all.still_open;
        let done = counted(done, "hold", "holds");
        progress.set(&format!("retried {done}"), 0, 0);
        if all.next_page_token.is_empty() {
            break;
        }
    }
    progress.finish();
    service.show(&all, |all| {
        for failure in &all.failures {
            print_error(&format!("{}: {}", failure.hold_id, failure.message));
        }
        writeln!(
            out(),
            "{} decided again, {}, {} still open",
            counted(all.resolved, "hold", "holds"),
            counted(all.duplicate, "duplicate", "duplicates"),
            all.still_open
        )
    })?;
    Ok(exit::ok_if(all.still_open == 0, exit::NEEDS_ATTENTION))
}

/// The id of one page's request.
fn page_id(request_id: &str, page: u32) -> String {
    match request_id {
        "" => String::new(),
        id => format!("{id}/{page}"),
    }
}
