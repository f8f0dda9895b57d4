//! The story that the demo tells.

use std::collections::BTreeMap;

use anyhow::Result;
use echeck_proto::returns::v1 as proto;

use super::world::PAYMENTS;
use super::{Demo, Outcome, count};
use crate::output::{Table, bold, counted, field, out};
use crate::words::{Words as _, money, plain};

impl Demo {
    /// Tells what the files said, what became of one payment, and what waits.
    pub(super) async fn tell(&mut self, outcome: &Outcome) -> Result<()> {
        let day = self.world.day.format("%A, %B %-d, %Y");
        writeln!(
            out(),
            "{PAYMENTS} eCheck payments are in two databases: the core gateway's and RallyPay's.\n"
        )?;
        let heading = format!("{day}: the acquirer publishes three files");
        writeln!(out(), "{}", bold(&heading))?;
        for import in &outcome.imports {
            tell_import(import)?;
        }
        if outcome.repeat_was_recognized {
            let name = &outcome.imports[1].file_name;
            writeln!(out(), "{name} came again: this file was imported before.")?;
        }
        if let Some(shown) = outcome.shown() {
            let transfer = self.transfer(&shown.transfer_id).await?;
            let status = self.rallypay_status(&shown.transfer_id).await?;
            tell_payment(shown, &transfer, &status)?;
        }
        tell_holds(&outcome.holds)
    }
}

/// What one file said.
fn tell_import(import: &proto::Import) -> Result<()> {
    let totals = import.totals.unwrap_or_default();
    let outcomes = [
        ("reversed", totals.reversed),
        ("returned", totals.returned),
        ("failed", totals.failed),
        ("corrected", totals.corrected),
        ("duplicate", totals.duplicate),
        ("held", totals.held),
        ("unreadable", totals.rejected),
    ];
    let outcomes = outcomes.iter().filter(|(_, tally)| count(*tally) > 0);
    let outcomes: Vec<String> = outcomes
        .map(|(outcome, tally)| format!("{} {outcome}", count(*tally)))
        .collect();
    let read = totals.read.unwrap_or_default();
    let (name, amount) = (&import.file_name, money(read.amount_minor, ""));
    writeln!(out(), "  {name}, {amount}")?;
    let outcomes = outcomes.join(", ");
    writeln!(out(), "    {} read: {outcomes}", read.count)?;
    Ok(())
}

/// What became of one payment.
fn tell_payment(found: &proto::AchReturn, transfer: &proto::Transfer, status: &str) -> Result<()> {
    let amount = money(found.amount_minor, &found.currency);
    let created = transfer.created_at.as_ref();
    let created = created.and_then(|at| chrono::DateTime::from_timestamp(at.seconds, 0));
    let created = created.map_or_else(String::new, |at| at.date_naive().to_string());
    let settled = &found.original_settlement_date;
    let (returned, code) = (&found.settlement_date, &found.return_code);
    let title = &found.return_title;
    writeln!(
        out(),
        "\n{}",
        bold("One of these payments, from day to day")
    )?;
    writeln!(
        out(),
        "  {created}  A customer pays {amount} ({}).",
        transfer.id
    )?;
    writeln!(
        out(),
        "  {settled}  The debit settles, and its merchant is funded."
    )?;
    writeln!(
        out(),
        "  {returned}  The customer's bank returns it: {code}, {title}."
    )?;
    let indent = " ".repeat(created.len() + 2);
    let reversal = transfer.reversal_ids.join(", ");
    writeln!(out(), "  {indent}The gateway has the reversal {reversal}.")?;
    writeln!(
        out(),
        "  {indent}RallyPay shows the payment as {}.",
        plain(status)
    )?;
    Ok(())
}

/// The entries that wait for a person, by reason.
fn tell_holds(holds: &[proto::Hold]) -> Result<()> {
    let mut reasons: BTreeMap<i32, (u64, i64)> = BTreeMap::new();
    for hold in holds {
        let (count, minor) = reasons.entry(hold.reason).or_default();
        *count += 1;
        *minor = minor.saturating_add(hold.amount_minor.unwrap_or(0));
    }
    if reasons.is_empty() {
        return Ok(());
    }
    let entries = counted(holds.len() as u64, "entry waits", "entries wait");
    let heading = format!("{entries} for a person, or for a payment to appear");
    writeln!(out(), "\n{}", bold(&heading))?;
    let rows = reasons.into_iter().map(|(reason, (count, minor))| {
        let reason = proto::HoldReason::try_from(reason).unwrap_or_default();
        vec![
            field("  REASON", format!("  {}", reason.words())),
            field("ENTRIES", count).right(),
            field("AMOUNT", money(minor, "")).right(),
        ]
    });
    Table::of_rows(rows).print()?;
    Ok(())
}
