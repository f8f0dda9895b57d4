//! Messages and reports with a structure of their own, written as a stream: ISO 20022, X12, BAI2.

use std::io::{self, Write};

use ach::money::Money;
use chrono::NaiveDate;

use super::line::SampleLine;
use super::payment::{ODFI, SampleWorld, banking_day_until};

/// `12.34`.
pub(super) fn dollars(amount_minor: i64) -> String {
    Money::cents(amount_minor).to_string().replace("USD ", "")
}

/// The bank's own number of a return.
fn bank_reference(line: &SampleLine) -> String {
    format!("BK{:09}", line.case)
}

/// Writes the entries as a camt.053 statement, with an entry of its own for each.
pub(crate) fn iso20022<W: Write>(
    world: SampleWorld,
    lines: impl Iterator<Item = SampleLine>,
    out: &mut W,
) -> io::Result<()> {
    let today = banking_day_until(world.today);
    writeln!(
        out,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\">\n<BkToCstmrStmt>\n\
         <GrpHdr><MsgId>SAMPLE</MsgId><CreDtTm>{today}T07:00:00Z</CreDtTm></GrpHdr>\n\
         <Stmt><Id>1</Id><CreDtTm>{today}T07:00:00Z</CreDtTm>\
         <Acct><Id><Othr><Id>RALLYPAY</Id></Othr></Id><Ccy>USD</Ccy></Acct>"
    )?;
    for line in lines {
        let payment = &line.payment;
        writeln!(
            out,
            "<Ntry><Amt Ccy=\"USD\">{}</Amt><CdtDbtInd>DBIT</CdtDbtInd><RvslInd>true</RvslInd>\
             <Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>{}</Dt></BookgDt><AcctSvcrRef>{}</AcctSvcrRef>\
             <NtryDtls><TxDtls><Refs><InstrId>{}</InstrId><EndToEndId>{}</EndToEndId>\
             <Prtry><Tp>OrigTrace</Tp><Ref>{}</Ref></Prtry></Refs>\
             <RtrInf><Rsn><Prtry>{}</Prtry></Rsn></RtrInf></TxDtls></NtryDtls></Ntry>",
            dollars(payment.amount_minor),
            world.returned_on(payment),
            bank_reference(&line),
            payment.trace_id,
            payment.individual_id,
            payment.ach_trace,
            line.code,
        )?;
    }
    writeln!(out, "</Stmt>\n</BkToCstmrStmt>\n</Document>")
}

/// Writes the entries as an X12 interchange, with a transaction set 827 for each.
pub(crate) fn x12<W: Write>(
    world: SampleWorld,
    lines: impl Iterator<Item = SampleLine>,
    out: &mut W,
) -> io::Result<()> {
    let today = banking_day_until(world.today);
    let (short, long) = (today.format("%y%m%d"), today.format("%Y%m%d"));
    writeln!(
        out,
        "ISA*00*{:10}*00*{:10}*01*{ODFI:15}*ZZ*{:15}*{short}*0700*U*00401*000000001*0*P*>~\n\
         GS*FR*{ODFI}*RALLYPAY*{long}*0700*1*X*004010~",
        "", "", "RALLYPAY"
    )?;
    let mut sets = 0_u64;
    for line in lines {
        let payment = &line.payment;
        sets += 1;
        writeln!(
            out,
            "ST*827*{sets:09}~RIC*{}*{}*D*{}*DA*01*{}~TRN*2*{}~REF*TN*{}~REF*EM*{}~\
             DTM*007*{}~SE*7*{sets:09}~",
            line.code,
            dollars(payment.amount_minor),
            payment.account.number,
            payment.account.routing,
            payment.ach_trace,
            payment.trace_id,
            payment.payment_id,
            payment.settled_on.format("%Y%m%d"),
        )?;
    }
    writeln!(out, "GE*{sets}*1~\nIEA*1*000000001~")
}

/// Writes the entries as a BAI2 report of one account.
pub(crate) fn bai2<W: Write>(
    world: SampleWorld,
    lines: impl Iterator<Item = SampleLine>,
    out: &mut W,
) -> io::Result<()> {
    let today: NaiveDate = banking_day_until(world.today);
    let day = today.format("%y%m%d");
    writeln!(
        out,
        "01,{ODFI},RALLYPAY,{day},0700,1,,,2/\n02,RALLYPAY,{ODFI},1,{day},,USD,2/\n\
         03,RALLYPAY,,010,0,,/"
    )?;
    let (mut total, mut count) = (0, 0_u64);
    for line in lines {
        let payment = &line.payment;
        writeln!(
            out,
            "16,557,{},,{},{},ACH RETURN {}/",
            payment.amount_minor,
            bank_reference(&line),
            payment.trace_id,
            line.code,
        )?;
        total += payment.amount_minor;
        count += 1;
    }
    writeln!(
        out,
        "49,{total},{}/\n98,{total},1,{}/\n99,{total},1,{}/",
        count + 2,
        count + 4,
        count + 6
    )
}
