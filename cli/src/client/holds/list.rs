//! The list of holds, by reason.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use echeck_proto::returns::v1 as proto;
use echeck_service::clock::{Clock as _, SystemClock};
use proto::{HoldReason, HoldState};

use super::super::connect::{Client, pages};
use super::super::show::print_json;
use super::{HoldFilter, ListHoldsArguments};
use crate::exit;
use crate::failure::Failure;
use crate::output::{Columns, Table, bold, counted, field, grouped, out};
use crate::words::{Words as _, money, since};

/// Every state, in the order in which they are listed.
const STATES: [HoldState; 4] = [
    HoldState::Open,
    HoldState::Resolved,
    HoldState::Duplicate,
    HoldState::Dismissed,
];

pub(super) async fn run(arguments: ListHoldsArguments, service: &Client) -> Result<u8, Failure> {
    let states = match (arguments.all, arguments.state) {
        (true, _) => STATES.to_vec(),
        (false, Some(state)) => vec![state.into()],
        (false, None) => vec![HoldState::Open],
    };
    let mut holds = Vec::new();
    for state in &states {
        holds.extend(of_state(*state, &arguments.filter, service).await?);
    }
    if service.json {
        holds.iter().try_for_each(print_json)?;
        return Ok(exit::OK);
    }
    let which = match states.as_slice() {
        [state] => format!("{} ", state.words()),
        _ => String::new(),
    };
    if holds.is_empty() {
        writeln!(out(), "No {which}holds.")?;
        return Ok(exit::OK);
    }
    let with_state = states.len() > 1;
    let now = SystemClock.now();
    for (reason, group) in by_reason(&holds) {
        let (of, shown) = (Summary::of(&group), arguments.limit.min(group.len()));
        writeln!(out(), "{}", bold(&format!("{}: {of}", reason.words())))?;
        let columns = |hold: &proto::Hold| columns(hold, with_state, now);
        Table::of(group.into_iter().take(shown), columns).print()?;
        if (shown as u64) < of.count {
            writeln!(
                out(),
                "and {} more: --limit shows more.",
                of.count - shown as u64
            )?;
        }
        writeln!(out())?;
    }
    let all: Vec<&proto::Hold> = holds.iter().collect();
    let all = Summary::of(&all);
    let noun = if all.count == 1 { "hold" } else { "holds" };
    writeln!(out(), "{} {which}{noun}, {}", grouped(all.count), all.money)?;
    Ok(exit::OK)
}

async fn of_state(
    state: HoldState,
    filter: &HoldFilter,
    service: &Client,
) -> Result<Vec<proto::Hold>, Failure> {
    let found = pages(u32::MAX, async |page_size, page_token| {
        let ask = proto::ListHoldsRequest {
            state: state.into(),
            import_id: filter.import.clone().unwrap_or_default(),
            reason: filter.hold_reason.unwrap_or_default().into(),
            page_size,
            page_token,
            source: filter.source.clone().unwrap_or_default(),
            code: filter.code.clone().unwrap_or_default(),
        };
        let answer = service.returns().list_holds(ask).await?.into_inner();
        Ok((answer.holds, answer.next_page_token))
    });
    Ok(found.await?.items)
}

/// The holds of each reason, the most frequent reason first.
fn by_reason(holds: &[proto::Hold]) -> Vec<(HoldReason, Vec<&proto::Hold>)> {
    let mut groups: BTreeMap<i32, Vec<&proto::Hold>> = BTreeMap::new();
    for hold in holds {
        groups.entry(hold.reason).or_default().push(hold);
    }
    let groups = groups.into_values();
    let mut groups: Vec<_> = groups
        .filter_map(|group| Some((group.first()?.reason(), group)))
        .collect();
    groups.sort_by_key(|(_, group)| std::cmp::Reverse(group.len()));
    groups
}

/// How many holds, and their money.
struct Summary {
    count: u64,
    money: String,
}

impl Summary {
    fn of(holds: &[&proto::Hold]) -> Self {
        let mut sums: BTreeMap<&str, i64> = BTreeMap::new();
        for hold in holds {
            let sum = sums.entry(&hold.currency).or_default();
            *sum = sum.saturating_add(hold.amount_minor.unwrap_or(0));
        }
        let sums: Vec<String> = sums
            .iter()
            .map(|(currency, minor)| money(*minor, currency))
            .collect();
        Self {
            count: holds.len() as u64,
            money: sums.join(" and "),
        }
    }
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{}, {}",
            counted(self.count, "hold", "holds"),
            self.money
        )
    }
}

fn columns(hold: &proto::Hold, with_state: bool, now: DateTime<Utc>) -> Columns {
    let amount = hold.amount_minor.map(|minor| money(minor, &hold.currency));
    let mut columns = vec![
        field("HOLD", &hold.hold_id),
        field("AGE", since(hold.held_at.as_ref(), now)),
        field("CODE", &hold.code),
        field("AMOUNT", amount.unwrap_or_default()).right(),
        field("DETAIL", &hold.detail).text(),
    ];
    if with_state {
        let state = field("STATE", hold.state().words()).tone(hold.state().tone());
        columns.insert(1, state);
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hold(reason: HoldReason, amount_minor: i64, currency: &str) -> proto::Hold {
        proto::Hold {
            reason: reason.into(),
            amount_minor: Some(amount_minor),
            currency: currency.to_owned(),
            ..Default::default()
        }
    }

    #[test]
    fn holds_are_grouped_by_reason_with_their_count_and_money_the_most_frequent_first() {
        let holds = [
            hold(HoldReason::UnknownTransfer, 100, "USD"),
            hold(HoldReason::AmountDiffers, 12_345, "USD"),
            hold(HoldReason::AmountDiffers, 5, "USD"),
            hold(HoldReason::AmountDiffers, 700, "CAD"),
        ];
        let groups = by_reason(&holds);
        let said: Vec<String> = groups
            .iter()
            .map(|(reason, group)| format!("{}: {}", reason.words(), Summary::of(group)))
            .collect();
        assert_eq!(
            said,
            [
                "amount differs: 3 holds, 7.00 CAD and $123.50",
                "unknown transfer: 1 hold, $1.00"
            ]
        );
    }
}
