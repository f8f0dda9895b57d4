use ach::format::{Emptiness, Format, iso20022};

use crate::{ParsedFile, check_cuts, check_damage, read};

fn format() -> Format {
    Format::Iso20022(Box::default())
}

fn document(message: &str, body: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:{message}\">{body}</Document>\n"
    )
}

fn statement(entries: &str) -> String {
    let count = entries.matches("<Ntry>").count();
    document(
        "camt.053.001.08",
        &format!(
            "<BkToCstmrStmt><GrpHdr><MsgId>M1</MsgId></GrpHdr><Stmt><Id>S1</Id><Acct><Id><Othr><Id>4410099001</Id></Othr></Id></Acct>\
             <TxsSummry><TtlNtries><NbOfNtries>{count}</NbOfNtries></TtlNtries></TxsSummry>{entries}</Stmt></BkToCstmrStmt>"
        ),
    )
}

fn entry(amount: &str, reversal: bool, details: &str) -> String {
    format!(
        "<Ntry><Amt Ccy=\"USD\">{amount}</Amt><CdtDbtInd>DBIT</CdtDbtInd><RvslInd>{reversal}</RvslInd><Sts><Cd>BOOK</Cd></Sts>\
         <BookgDt><Dt>2026-11-20</Dt></BookgDt><AcctSvcrRef>BK1</AcctSvcrRef>{details}</Ntry>"
    )
}

fn details(id: &str, amount: &str, reason: &str) -> String {
    format!(
        "<TxDtls><Refs><EndToEndId>{id}</EndToEndId><Prtry><Tp>OrigTrace</Tp><Ref>083400120000971</Ref></Prtry></Refs>{amount}\
         <RtrInf><Rsn>{reason}</Rsn><AddtlInf>A &amp; B, account 4410099002</AddtlInf></RtrInf></TxDtls>"
    )
}

const R01: &str = "<Prtry>R01</Prtry>";

fn in_details(all: &str) -> String {
    format!("<NtryDtls>{all}</NtryDtls>")
}

#[test]
fn a_transaction_of_a_statement_with_return_information_is_an_entry() {
    let file = statement(&entry(
        "123.45",
        true,
        &in_details(&details("MRP-71", "", R01)),
    ));
    let parsed = read(&format(), &file);
    assert_eq!(parsed.rows(), [("R01".to_owned(), 12_345, "debit")]);
    let one = &parsed.entries[0];
    assert_eq!(one.keys.individual_id.as_deref(), Some("MRP-71"));
    assert_eq!(one.keys.original_trace.as_deref(), Some("083400120000971"));
    assert_eq!(one.keys.case_id.as_deref(), Some("BK1"));
    assert_eq!(one.settlement_date.unwrap().to_string(), "2026-11-20");
    assert!(one.description.as_deref().unwrap().starts_with("A & B"));
    let said = format!("{parsed:?}");
    assert!(
        !said.contains("4410099001") && !said.contains("4410099002"),
        "{said}"
    );
}

#[test]
fn a_date_far_from_the_file_is_a_placeholder() {
    let file = statement(&entry("1.00", true, &in_details(&details("A", "", R01))));
    for placeholder in ["2000-01-01", "2099-12-31"] {
        let parsed = read(&format(), &file.replace("2026-11-20", placeholder));
        assert_eq!(parsed.entries[0].settlement_date, None);
        let finding = &parsed.summary.findings[0];
        assert_eq!(finding.field, "implausible dates");
        assert!(finding.what.contains(placeholder), "{finding:?}");
    }
}

#[test]
fn the_amount_of_an_entry_is_not_that_of_its_several_transactions() {
    let two = details("A", "", R01) + &details("B", "", R01);
    let parsed = read(
        &format(),
        &statement(&entry("100.00", true, &in_details(&two))),
    );
    assert_eq!(parsed.entries, []);
    assert_eq!(parsed.rejected.len(), 2, "{parsed:?}");
    let own =
        |amount: &str| format!("<AmtDtls><TxAmt><Amt Ccy=\"USD\">{amount}</Amt></TxAmt></AmtDtls>");
    let two = details("A", &own("60.00"), R01) + &details("B", &own("40.00"), "<Prtry>R03</Prtry>");
    let parsed = read(
        &format(),
        &statement(&entry("100.00", true, &in_details(&two))),
    );
    assert_eq!(
        parsed.rows(),
        [
            ("R01".to_owned(), 6_000, "debit"),
            ("R03".to_owned(), 4_000, "debit")
        ]
    );
}

#[test]
fn a_reversal_that_does_not_say_what_came_back_is_told_and_other_entries_are_counted() {
    let without_reason =
        "<NtryDtls><TxDtls><Refs><EndToEndId>A</EndToEndId></Refs></TxDtls></NtryDtls>";
    let file = statement(
        &(entry("1.00", true, "")
            + &entry("2.00", true, without_reason)
            + &entry("3.00", false, "")),
    );
    let parsed = read(&format(), &file);
    assert_eq!(parsed.refusal, None);
    let amounts: Vec<_> = parsed.rejected.iter().map(|one| one.amount_minor).collect();
    assert_eq!(amounts, [Some(100), Some(200)]);
    assert_eq!(parsed.summary.left_out, 1);
    let parsed = read(&format(), &statement(&entry("3.00", false, "")));
    assert_eq!(parsed.summary.emptiness, Some(Emptiness::LeftOut));
}

#[test]
fn a_reason_of_iso_is_translated_only_where_it_means_one_code() {
    let code = |format: &Format, reason: &str| {
        let file = statement(&entry("1.00", true, &in_details(&details("A", "", reason))));
        read(format, &file).entries[0].kind.code().unwrap()
    };
    assert_eq!(code(&format(), "<Cd>AM04</Cd>"), ("R01".to_owned(), true));
    assert_eq!(code(&format(), "<Cd>MS03</Cd>"), ("MS03".to_owned(), false));
    assert_eq!(
        code(&format(), "<Cd>MS03</Cd><Prtry>R29</Prtry>"),
        ("R29".to_owned(), true)
    );
    let profile = iso20022::Profile {
        code_map: [("MS03".to_owned(), "R16".to_owned())].into(),
        ..iso20022::Profile::default()
    };
    let told = Format::Iso20022(Box::new(profile));
    assert_eq!(code(&told, "<Cd>MS03</Cd>"), ("R16".to_owned(), true));
}

fn status_report(payments: &str) -> ParsedFile {
    let body = format!(
        "<CstmrPmtStsRpt><GrpHdr><MsgId>M2</MsgId></GrpHdr><OrgnlGrpInfAndSts><OrgnlMsgId>O</OrgnlMsgId>\
         <OrgnlMsgNmId>pain.008.001.02</OrgnlMsgNmId></OrgnlGrpInfAndSts>{payments}</CstmrPmtStsRpt>"
    );
    read(&format(), &document("pain.002.001.03", &body))
}

fn payment(status: &str, reason: &str) -> String {
    format!(
        "<TxInfAndSts><OrgnlInstrId>ORD-1</OrgnlInstrId><OrgnlEndToEndId>NOTPROVIDED</OrgnlEndToEndId><TxSts>{status}</TxSts>\
         <StsRsnInf><Rsn>{reason}</Rsn></StsRsnInf><OrgnlTxRef><Amt><InstdAmt Ccy=\"USD\">9.50</InstdAmt></Amt>\
         <ReqdColltnDt>2026-11-18</ReqdColltnDt></OrgnlTxRef></TxInfAndSts>"
    )
}

#[test]
fn a_rejected_payment_of_a_status_report_never_entered_the_network_unless_a_code_says_so() {
    let payments = format!(
        "<OrgnlPmtInfAndSts><OrgnlPmtInfId>P</OrgnlPmtInfId>{}{}{}</OrgnlPmtInfAndSts>",
        payment("RJCT", "<Cd>AC01</Cd>"),
        payment("RJCT", R01),
        payment("ACSP", "<Cd>AC01</Cd>"),
    );
    let parsed = status_report(&payments);
    assert_eq!(
        parsed.rows(),
        [
            ("AC01".to_owned(), 950, "debit"),
            ("R01".to_owned(), 950, "debit")
        ]
    );
    let kinds: Vec<&str> = parsed.entries.iter().map(|one| one.kind.as_str()).collect();
    assert_eq!(kinds, ["validation_failure", "return"]);
    let keys = &parsed.entries[0].keys;
    assert_eq!(keys.order_id.as_deref(), Some("ORD-1"));
    assert_eq!(keys.individual_id, None);
    assert_eq!(parsed.summary.left_out, 1);
}

#[test]
fn a_group_that_is_rejected_as_a_whole_is_told_and_not_taken_for_nothing() {
    let group = "<OrgnlPmtInfAndSts><OrgnlPmtInfId>P</OrgnlPmtInfId><PmtInfSts>RJCT</PmtInfSts></OrgnlPmtInfAndSts>";
    let parsed = status_report(group);
    assert_eq!(parsed.refusal, None);
    assert!(
        parsed.rejected[0].why.contains("none of them is named"),
        "{parsed:?}"
    );
    assert_eq!(parsed.summary.emptiness, None);
    let body = "<CstmrPmtStsRpt><OrgnlGrpInfAndSts><GrpSts>RJCT</GrpSts></OrgnlGrpInfAndSts></CstmrPmtStsRpt>";
    let parsed = read(&format(), &document("pain.002.001.10", body));
    assert_eq!(parsed.rejected.len(), 1, "{parsed:?}");
}

fn payment_return(count: &str, total: &str) -> String {
    document(
        "pacs.004.001.09",
        &format!(
            "<PmtRtr><GrpHdr><MsgId>M</MsgId><NbOfTxs>{count}</NbOfTxs><TtlRtrdIntrBkSttlmAmt Ccy=\"USD\">{total}</TtlRtrdIntrBkSttlmAmt>\
             <IntrBkSttlmDt>2026-11-20</IntrBkSttlmDt></GrpHdr><OrgnlGrpInf><OrgnlMsgNmId>pacs.003.001.08</OrgnlMsgNmId></OrgnlGrpInf>\
             <TxInf><RtrId>083400120000777</RtrId><OrgnlEndToEndId>E1</OrgnlEndToEndId><OrgnlTxId>083400120000971</OrgnlTxId>\
             <RtrdIntrBkSttlmAmt Ccy=\"USD\">10.00</RtrdIntrBkSttlmAmt><RtrRsnInf><Rsn><Cd>AC04</Cd></Rsn></RtrRsnInf></TxInf>\
             <TxInf><OrgnlEndToEndId>E2</OrgnlEndToEndId><RtrdIntrBkSttlmAmt Ccy=\"USD\">5.00</RtrdIntrBkSttlmAmt>\
             <RtrRsnInf><Rsn>{R01}</Rsn></RtrRsnInf></TxInf></PmtRtr>"
        ),
    )
}

#[test]
fn a_payment_return_must_have_as_many_transactions_and_as_much_money_as_it_says() {
    let whole = payment_return("2", "15.00");
    let parsed = read(&format(), &whole);
    assert_eq!(
        parsed.rows(),
        [
            ("R02".to_owned(), 1_000, "debit"),
            ("R01".to_owned(), 500, "debit")
        ]
    );
    let first = &parsed.entries[0];
    assert_eq!(first.keys.return_trace.as_deref(), Some("083400120000777"));
    assert_eq!(
        first.keys.original_trace.as_deref(),
        Some("083400120000971")
    );
    assert_eq!(first.settlement_date.unwrap().to_string(), "2026-11-20");
    assert!(
        read(&format(), &payment_return("3", "15.00"))
            .why()
            .contains("3")
    );
    assert!(
        read(&format(), &payment_return("2", "15.01"))
            .why()
            .contains("1500 minor")
    );
    check_cuts(&format(), &whole);
    check_damage(&format(), &whole);
}

#[test]
fn a_statement_that_is_cut_off_or_lacks_an_entry_is_refused() {
    let file = statement(&entry(
        "123.45",
        true,
        &in_details(&details("MRP-71", "", R01)),
    ));
    check_cuts(&format(), &file);
    let lacking = file.replace("<NbOfNtries>1<", "<NbOfNtries>2<");
    assert!(
        read(&format(), &lacking)
            .why()
            .contains("missing or doubled")
    );
}

#[test]
fn what_is_no_message_that_reports_returns_is_called_by_its_name() {
    let why = |file: &str| read(&format(), file).why().to_owned();
    assert!(why(&document("pain.001.001.03", "<a/>")).contains("pain.001"));
    assert!(why("<Document xmlns=\"urn:other\"><a/></Document>").contains("another namespace"));
    assert!(why("101 0834").contains("no element") || why("101 0834").contains("not"));
    assert!(why("{\"a\": 1}").contains("it is JSON"));
    let bomb = document("camt.053.001.08", "<a>&lol;</a>");
    assert!(why(&bomb).contains("entity"));
    assert!(why(&format!("<!DOCTYPE x [<!ENTITY l \"l\">]>{bomb}")).contains("DOCTYPE"));
    assert!(why(&document("camt.053.001.08", &"<a>".repeat(70))).contains("64 deep"));
    let empty = read(&format(), "");
    assert_eq!(empty.summary.emptiness, Some(Emptiness::NoBytes));
}
