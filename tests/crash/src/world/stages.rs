//! The later stages of returns: which are dishonored, and which dishonors are contested. Most
//! are as the rules say, some come too early, and some can never be right.
//!
//! Only of payments with one return, which stands whatever comes first: there the order in which
//! files are decided changes nothing in the end, since what comes too early waits, and what was
//! decided too early is decided again.

use std::collections::HashMap;

use rand::RngExt as _;
use rand::rngs::StdRng;

use super::nacha::RDFI;
use super::{Entry, Kind, Line, Owner, ReturnFile, STRANGE_CODE, Says, State, Transfer};

/// Dishonors of any return.
const DISHONORS: [&str; 5] = ["R61", "R62", "R67", "R68", "R69"];

/// The dishonor of a return that was asked for or permitted (R06, R31).
pub(crate) const NOT_REQUESTED: &str = "R70";

/// Contests, and the only dishonor that each may answer; R71 and R72 answer any.
pub(crate) const CONTESTS: [(&str, Option<&str>); 7] = [
    ("R71", None),
    ("R72", None),
    ("R73", Some("R68")),
    ("R74", Some("R69")),
    ("R75", Some("R67")),
    ("R76", Some("R69")),
    ("R77", Some("R62")),
];

/// The entries about each payment so far.
pub(super) struct Notified<'a>(HashMap<&'a str, Vec<&'a Entry>>);

impl<'a> Notified<'a> {
    pub(super) fn of(lines: impl Iterator<Item = &'a Line>) -> Self {
        let mut told: HashMap<&str, Vec<&Entry>> = HashMap::new();
        for line in lines {
            if let Line::Entry(entry) = line {
                told.entry(&entry.transfer_id).or_default().push(entry);
            }
        }
        Self(told)
    }

    fn about(&self, transfer_id: &str) -> &[&'a Entry] {
        self.0.get(transfer_id).map_or(&[], Vec::as_slice)
    }

    pub(super) fn has_later_stage(&self, transfer_id: &str) -> bool {
        let mut about = self.about(transfer_id).iter();
        about.any(|entry| entry.says.is_later_stage())
    }

    /// Whether nobody has contested a dishonor of the payment's return. What was said of it before
    /// is known only as long as the return itself is.
    fn may_be_contested(&self, transfer_id: &str) -> bool {
        let about = self.about(transfer_id);
        let has = |test: fn(&Says) -> bool| about.iter().any(|entry| test(&entry.says));
        has(|says| matches!(says, Says::Return { .. }))
            && !has(|says| matches!(says, Says::Contested { .. }))
    }

    /// The one return of a payment that will stand whatever comes first.
    fn only_return(&self, transfer: &Transfer) -> Option<&'a Entry> {
        let over = matches!(
            transfer.state,
            State::Failed | State::Canceled | State::Returned
        );
        let stands = matches!(transfer.owner, Owner::Leaves | Owner::Brings | Owner::Funds);
        if over || transfer.refused || !stands {
            return None;
        }
        let about = self.about(&transfer.id);
        if about
            .iter()
            .any(|entry| matches!(entry.says, Says::Rejected { .. }))
        {
            return None;
        }
        let mut returns = about
            .iter()
            .filter(|entry| matches!(entry.says, Says::Return { .. }));
        let first = returns.next()?;
        let fits = first.amount_minor == transfer.amount_minor
            && first.is_credit != (transfer.kind == Kind::Debit)
            && first.says.code() != STRANGE_CODE;
        let all_the_same = returns.all(|other| {
            other.says == first.says
                && other.return_trace == first.return_trace
                && other.amount_minor == first.amount_minor
        });
        (fits && all_the_same).then_some(first)
    }
}

/// Draws the later stages of a file: of returns in the files `before`, and of its `own`
/// payments' returns.
pub(super) fn draw<'a>(
    draws: &mut StdRng,
    told: &Notified<'_>,
    before: impl Iterator<Item = &'a ReturnFile>,
    own: &[Transfer],
) -> Vec<Entry> {
    let mut drawn = Vec::new();
    for file in before {
        for transfer in &file.transfers {
            if draws.random_ratio(1, 48)
                && !told.has_later_stage(&transfer.id)
                && let Some(of) = told.only_return(transfer)
            {
                drawn.push(first_stage(draws, of));
            }
        }
        for line in &file.lines {
            let Line::Entry(entry) = line else { continue };
            if !entry.says.is_later_stage() {
                continue;
            }
            match draws.random_range(0..12) {
                0 => drawn.push(entry.clone()),
                1..5 if told.may_be_contested(&entry.transfer_id) => {
                    drawn.extend(contest(draws, entry));
                }
                _ => {}
            }
        }
    }
    for transfer in own {
        if draws.random_ratio(1, 60)
            && let Some(of) = told.only_return(transfer)
        {
            let dishonor = first_stage(draws, of);
            if draws.random_ratio(1, 4) {
                drawn.extend(contest(draws, &dishonor));
            }
            drawn.push(dishonor);
        }
    }
    drawn
}

/// A dishonor, mostly of the return that there is; or a contest of a dishonor that nobody sent.
fn first_stage(draws: &mut StdRng, of: &Entry) -> Entry {
    let of_code = of.says.code();
    let code = match draws.random_range(0..20) {
        0 => NOT_REQUESTED,
        _ if of_code == "R06" => NOT_REQUESTED,
        _ => DISHONORS[draws.random_range(0..DISHONORS.len())],
    };
    match draws.random_range(0..30) {
        0 => Entry {
            says: Says::Contested {
                code: "R72",
                of_code,
                dishonor_code: code,
            },
            ..of.clone()
        },
        1 => Entry {
            says: Says::Dishonored { code, of_code },
            return_trace: format!("{RDFI}7000000"),
            ..of.clone()
        },
        _ => Entry {
            says: Says::Dishonored { code, of_code },
            ..of.clone()
        },
    }
}

/// A contest of a dishonor, now and then by a code that answers another one.
fn contest(draws: &mut StdRng, dishonor: &Entry) -> Option<Entry> {
    let Says::Dishonored {
        code: dishonor_code,
        of_code,
    } = dishonor.says
    else {
        return None;
    };
    let any = draws.random_ratio(1, 10);
    let possible: Vec<&str> = CONTESTS
        .iter()
        .filter(|(_, answers)| any || answers.is_none_or(|answers| answers == dishonor_code))
        .map(|(code, _)| *code)
        .collect();
    let code = possible[draws.random_range(0..possible.len())];
    Some(Entry {
        says: Says::Contested {
            code,
            of_code,
            dishonor_code,
        },
        ..dishonor.clone()
    })
}
