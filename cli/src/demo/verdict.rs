//! Whether everything in the files is accounted for, and both databases show it: asked of the
//! databases themselves, not of the service.

use std::io;

use anyhow::Result;
use echeck_proto::returns::v1 as proto;
use proto::Effect;

use super::{Demo, Outcome, count};
use crate::output::{Screen, Tone, counted, out};
use crate::words::money;

/// What was found.
pub(super) struct Verdict {
    /// The entries of all files.
    pub(super) entries: u64,
    /// Their money.
    pub(super) amount_minor: i64,
    /// What does not agree, a sentence each.
    pub(super) differences: Vec<String>,
}

impl Verdict {
    pub(super) fn is_good(&self) -> bool {
        self.differences.is_empty()
    }

    /// Prints it, and what does not agree.
    pub(super) fn print(&self) -> io::Result<()> {
        let entries = counted(self.entries, "entry", "entries");
        let amount = money(self.amount_minor, "");
        let (tone, finding) = match self.is_good() {
            true => (Tone::Good, "all accounted for, both databases agree"),
            false => (Tone::Bad, "NOT all accounted for"),
        };
        let verdict = format!("{entries}, {amount}: {finding}.");
        writeln!(out(), "\n{}", tone.paint(&verdict, Screen::of_stdout()))?;
        let differences = self.differences.iter();
        differences
            .take(10)
            .try_for_each(|one| writeln!(out(), "  {one}"))
    }
}

/// What the two databases show of one payment.
struct Seen {
    gateway_state: String,
    reversals: u64,
    rallypay_status: String,
}

impl Demo {
    /// Compares the files with both databases.
    pub(super) async fn verdict(&mut self, outcome: &Outcome) -> Result<Verdict> {
        let mut verdict = Verdict {
            entries: 0,
            amount_minor: 0,
            differences: Vec::new(),
        };
        for import in &outcome.imports {
            let read = import.totals.unwrap_or_default().read.unwrap_or_default();
            verdict.entries += read.count;
            verdict.amount_minor += read.amount_minor;
            verdict.differences.extend(unaccounted(import));
        }
        for one in &outcome.returns {
            let seen = self.seen(&one.transfer_id).await?;
            verdict.differences.extend(difference(one, &seen));
        }
        verdict.differences.extend(self.surplus(outcome).await?);
        if !outcome.repeat_was_recognized {
            let what = "a file that came again was imported again";
            verdict.differences.push(what.to_owned());
        }
        Ok(verdict)
    }

    async fn seen(&mut self, transfer_id: &str) -> Result<Seen> {
        let id = quoted(transfer_id);
        let state = format!("SELECT state FROM transfers WHERE id = {id}");
        let reversals =
            format!("SELECT count(*) FROM transfers WHERE type = 'REVERSAL' AND parent_id = {id}");
        let reversals = self.gateway.value(&reversals).await?;
        Ok(Seen {
            gateway_state: self.gateway.value(&state).await?.unwrap_or_default(),
            reversals: reversals.and_then(|count| count.parse().ok()).unwrap_or(0),
            rallypay_status: self.rallypay_status(transfer_id).await?,
        })
    }

    /// The status as the Rails app sees it.
    pub(super) async fn rallypay_status(&mut self, transfer_id: &str) -> Result<String> {
        let id = quoted(transfer_id);
        let sql = format!("SELECT status FROM transactions WHERE transfer_id = {id}");
        Ok(self.rallypay.value(&sql).await?.unwrap_or_default())
    }

    /// What a database shows beyond what the files said.
    async fn surplus(&mut self, outcome: &Outcome) -> Result<Vec<String>> {
        let of = |effects: &[Effect]| {
            let returns = outcome.returns.iter();
            returns
                .filter(|one| effects.contains(&one.effect()))
                .count()
        };
        let reversals =
            "SELECT count(*) FROM transfers WHERE type = 'REVERSAL' AND parent_id IS NOT NULL";
        let reversals = self.gateway.value(reversals).await?;
        let reversed = of(&[Effect::Reverse]);
        // A payment that failed did not come back from a bank, and has no such time.
        let returned = "SELECT count(*) FROM transactions WHERE returned_at IS NOT NULL";
        let returned = self.rallypay.value(returned).await?;
        let came_back = of(&[Effect::Return, Effect::Reverse]);
        let mut surplus = Vec::new();
        for (what, seen, expected) in [
            ("reversals in the gateway's database", reversals, reversed),
            (
                "returned payments in RallyPay's database",
                returned,
                came_back,
            ),
        ] {
            let seen = seen.unwrap_or_default();
            if seen != expected.to_string() {
                surplus.push(format!("{what}: {seen}, and the files have {expected}"));
            }
        }
        Ok(surplus)
    }
}

/// A text of SQL.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Whether the outcomes of a file are as many, and as much money, as it has.
fn unaccounted(import: &proto::Import) -> Option<String> {
    let totals = import.totals.unwrap_or_default();
    let outcomes = [
        totals.returned,
        totals.reversed,
        totals.failed,
        totals.corrected,
        totals.restored,
        totals.reapplied,
        totals.duplicate,
        totals.prenote,
        totals.held,
        totals.rejected,
    ];
    let entries: u64 = outcomes.iter().map(|tally| count(*tally)).sum();
    let amounts = outcomes.iter().flatten().map(|tally| tally.amount_minor);
    let (amount, read) = (amounts.sum::<i64>(), totals.read.unwrap_or_default());
    if (entries, amount) == (read.count, read.amount_minor) {
        return None;
    }
    let (read_amount, amount) = (money(read.amount_minor, ""), money(amount, ""));
    Some(format!(
        "{} has {}, {read_amount}; accounted for are {entries}, {amount}",
        import.file_name,
        counted(read.count, "entry", "entries")
    ))
}

/// What is wrong with what the databases show of a return, if anything is.
fn difference(one: &proto::AchReturn, seen: &Seen) -> Option<String> {
    let came_back = ["returned", "failed"].contains(&&*seen.rallypay_status);
    let is_shown = match one.effect() {
        Effect::Fail | Effect::Return => {
            ["FAILED", "RETURNED"].contains(&&*seen.gateway_state)
                && seen.reversals == 0
                && came_back
        }
        Effect::Reverse => seen.reversals == 1 && came_back,
        Effect::Correct => seen.reversals == 0,
        // The files of the demo have none of these.
        Effect::Restore | Effect::Reapply | Effect::ReleaseToSettlement | Effect::Unspecified => {
            false
        }
    };
    (!is_shown).then(|| {
        format!(
            "{} ({}): the gateway shows {} with {}, RallyPay shows {}",
            one.transfer_id,
            one.return_code,
            seen.gateway_state.to_lowercase(),
            counted(seen.reversals, "reversal", "reversals"),
            seen.rallypay_status
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(effect: Effect) -> proto::AchReturn {
        proto::AchReturn {
            transfer_id: "TR1".to_owned(),
            return_code: "R01".to_owned(),
            effect: effect.into(),
            ..Default::default()
        }
    }

    fn seen(gateway_state: &str, reversals: u64, rallypay_status: &str) -> Seen {
        Seen {
            gateway_state: gateway_state.to_owned(),
            reversals,
            rallypay_status: rallypay_status.to_owned(),
        }
    }

    #[test]
    fn a_return_that_a_database_lacks_or_has_twice_is_found() {
        let reverse = found(Effect::Reverse);
        assert_eq!(
            difference(&reverse, &seen("SUCCEEDED", 1, "returned")),
            None
        );
        for wrong in [
            seen("SUCCEEDED", 0, "returned"),
            seen("SUCCEEDED", 2, "returned"),
            seen("SUCCEEDED", 1, "succeeded"),
        ] {
            assert!(difference(&reverse, &wrong).is_some());
        }
        let before_funding = found(Effect::Return);
        assert_eq!(
            difference(&before_funding, &seen("FAILED", 0, "returned")),
            None
        );
        let said = difference(&before_funding, &seen("PENDING", 0, "returned"));
        assert_eq!(
            said.unwrap(),
            "TR1 (R01): the gateway shows pending with 0 reversals, RallyPay shows returned"
        );
    }

    #[test]
    fn a_file_whose_outcomes_do_not_add_up_is_found() {
        let tally = |count, amount_minor| {
            Some(proto::Tally {
                count,
                amount_minor,
            })
        };
        let mut import = proto::Import {
            file_name: "R.ach".to_owned(),
            totals: Some(proto::ImportTotals {
                read: tally(3, 600),
                reversed: tally(2, 500),
                held: tally(1, 100),
                ..Default::default()
            }),
            ..Default::default()
        };
        assert_eq!(unaccounted(&import), None);
        import.totals.as_mut().unwrap().held = tally(1, 99);
        assert_eq!(
            unaccounted(&import).unwrap(),
            "R.ach has 3 entries, $6.00; accounted for are 3, $5.99"
        );
    }
}
