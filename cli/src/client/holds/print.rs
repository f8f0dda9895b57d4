//! One hold with everything that is known about its entry.

use std::io;

use echeck_proto::returns::v1 as proto;
use echeck_service::clock::{Clock as _, SystemClock};
use proto::HoldState;

use super::super::connect::Client;
use crate::failure::{Failure, missing};
use crate::output::{Details, Screen, bold, counted, out};
use crate::words::{Words as _, money, plain, since, time};

pub(super) async fn run(hold_id: String, service: &Client) -> Result<u8, Failure> {
    let ask = proto::GetHoldRequest { hold_id };
    let answer = service.returns().get_hold(ask).await?.into_inner();
    let hold = answer.hold.ok_or_else(|| missing("hold"))?;
    service.show(&hold, print)
}

/// Prints a hold, and what can be done about it.
pub(super) fn print(hold: &proto::Hold) -> io::Result<()> {
    let state = hold.state();
    let shown = state.tone().paint(&state.words(), Screen::of_stdout());
    writeln!(out(), "{}  {shown}", bold(&hold.hold_id))?;
    details(hold).print()?;
    if state != HoldState::Open {
        return Ok(());
    }
    writeln!(out(), "What you can do:")?;
    let id = &hold.hold_id;
    out().command(&format!("echeck holds retry {id}"))?;
    if let [first, ..] = hold.transfer_ids.as_slice() {
        out().command(&format!("echeck holds retry {id} --transfer {first}"))?;
    }
    out().command(&format!("echeck holds dismiss {id} --reason '…'"))
}

fn details(hold: &proto::Hold) -> Details {
    let amount = hold.amount_minor.map(|minor| money(minor, &hold.currency));
    let held = match hold.held_at.as_ref() {
        None => String::new(),
        at => format!("{} ({} ago)", time(at), since(at, SystemClock.now())),
    };
    let mut details = Details::new();
    details.add("reason", hold.reason().words());
    details.add("detail", &hold.detail);
    details.add(
        "entry",
        format!("{} {}", plain(&hold.entry_kind), hold.code),
    );
    details.add("amount", amount.unwrap_or_default());
    details.add("held", held);
    if hold.import_id.is_empty() {
        details.add("refused by", &hold.database);
    } else {
        details.add("from", format!("{} line {}", hold.import_id, hold.line));
    }
    if hold.failed_position > 0 {
        details.add("journal position", hold.failed_position);
    }
    let mut keys: Vec<_> = hold.keys.iter().collect();
    keys.sort();
    for (name, value) in keys {
        details.add(&plain(name), value);
    }
    details.add("may belong to", hold.transfer_ids.join(", "));
    if hold.attempts > 0 {
        details.add(
            "tried again",
            counted(hold.attempts.into(), "time", "times"),
        );
    }
    if hold.next_attempt_at.is_some() {
        details.add("next attempt", time(hold.next_attempt_at.as_ref()));
    }
    if hold.closed_at.is_some() {
        let closed = format!("{} by {}", time(hold.closed_at.as_ref()), hold.closed_by);
        details.add("closed", closed);
        details.add("why", &hold.note);
    }
    if hold.resolved_position > 0 {
        details.add("resolved by row", hold.resolved_position);
    }
    details
}
