//! Worldpay's two reports, written as a stream.

use std::io::{self, Write};

use ach::code::ReturnCode;

use super::line::SampleLine;
use super::payment::{SampleWorld, banking_day_until};
use super::structured::dollars;

fn reason(code: &str) -> &'static str {
    code.parse::<ReturnCode>()
        .map_or("Unknown reason", |code| code.info().title)
}

/// A field in quotes where it needs them.
fn quoted(text: &str) -> String {
    if text.contains([',', '"']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

/// Writes the entries as an `ECheckReturnReport`.
pub(crate) fn echeck_return<W: Write>(
    world: SampleWorld,
    lines: impl Iterator<Item = SampleLine>,
    out: &mut W,
) -> io::Result<()> {
    writeln!(
        out,
        "Case ID,Worldpay Payment ID,Merchant Order Number,Account Suffix,Reason Code,Reason \
         Description,Date Issued,Date Received,Chargeback Currency,Chargeback Amt,Transaction \
         date,Transaction Purchase Currency,Transaction Purchase Amount,Transaction Settlement \
         Currency,Transaction Settlement Amount,Activity Date,Merchant Name,Report Group,Reporting \
         Group,Transaction Type,Batch Id,Session Id,Merchant Transaction Id,Billing \
         Descriptor,Merchant Id,Presenter,Original Trace Number,Return Trace Number"
    )?;
    let today = banking_day_until(world.today).format("%m/%d/%Y");
    for line in lines {
        let payment = &line.payment;
        let amount = dollars(payment.amount_minor);
        let tail = payment.account.number.len().saturating_sub(3);
        writeln!(
            out,
            "'{case},'{},{},{},{},{},{},{today},USD,{amount},{},USD,{amount},USD,{amount},{today},\
             {},RALLYPAY,RALLYPAY,Deposit,'{batch},'{batch},{},{},{},RALLYPAY,{},09100001{case:07}",
            payment.payment_id,
            payment.trace_id,
            payment.account.number.get(tail..).unwrap_or_default(),
            line.code,
            quoted(reason(line.code)),
            world.returned_on(payment).format("%m/%d/%Y"),
            payment.created_on.format("%m/%d/%Y"),
            quoted(&payment.merchant.name),
            payment.transfer_id,
            quoted(&payment.merchant.name),
            payment.merchant.number,
            payment.ach_trace,
            case = line.case,
            batch = 71_000_000 + line.case,
        )?;
    }
    Ok(())
}

/// Writes the entries as a `SubMerchantIBFundingReject`; amounts are cents with two decimals,
/// as they are seen in practice.
pub(crate) fn funding_reject<W: Write>(
    world: SampleWorld,
    lines: impl Iterator<Item = SampleLine>,
    out: &mut W,
) -> io::Result<()> {
    writeln!(
        out,
        "Return Date,Original Date,Attempted Funds Transfer Date,Merchant Name,Sub Merchant \
         Business Name,Funding Sub Merchant ID,Funds Transfer Request ID,Vantiv Payment ID,Txn \
         Type,Funds Transfer Amount,Reason Code,Reason Message,Routing Number,Account \
         Number,Account Name"
    )?;
    for line in lines {
        let payment = &line.payment;
        writeln!(
            out,
            "{},{created},{created},RALLYPAY,{name},{},{},'{},FISC,{}.00,{},{},{},'{},{name}",
            world.returned_on(payment).format("%m/%d/%Y"),
            payment.merchant.funding_id,
            payment.trace_id,
            payment.payment_id,
            payment.amount_minor,
            line.code,
            quoted(reason(line.code)),
            payment.account.routing,
            payment.account.number,
            created = payment.created_on.format("%m/%d/%Y"),
            name = quoted(&payment.merchant.name),
        )?;
    }
    Ok(())
}
