//! What bad input gets: a clear error that names line and field, nothing half done, nothing
//! lost.

use echeck_proto::returns::v1 as proto;
use echeck_tests::{Nacha, Payment, World, Worldpay, WorldpayRow};
use proto::import_file_request::Part;
use proto::operations_service_client::OperationsServiceClient;
use tokio_stream::StreamExt as _;
use tonic::Code;
use tonic_types::StatusExt as _;

const RETURNS: &str = "worldpay_returns";

fn two_returns() -> Worldpay {
    Worldpay::new()
        .returned("TR1", "R01")
        .returned("TR2", "R01")
}

async fn world_of_two() -> World {
    let world = World::start().await;
    world
        .add(Payment::debit("TR1").ach_trace("231380100000017"))
        .await;
    world
        .add(Payment::debit("TR2").ach_trace("231380100000025"))
        .await;
    world
}

#[tokio::test]
async fn an_empty_file_is_rejected_unless_the_source_allows_it() {
    let world = World::start_with(|options| {
        options
            .returns
            .push_str("\n[sources.quiet]\nformat = \"nacha\"\nallow_empty = [\"no_bytes\"]\n");
    })
    .await;
    for source in [RETURNS, "nacha"] {
        let why = world.rejection(source, "empty", "").await.message;
        assert!(why.contains("the file is empty"), "{why}");
        assert!(
            why.contains(&format!("sources.{source}.allow_empty")),
            "{why}"
        );
    }
    let import = world.import("quiet", "empty.ach", "").await;
    assert_eq!(import.state(), proto::ImportState::Applied);
    assert_eq!(import.emptiness(), proto::Emptiness::NoBytes);
}

#[tokio::test]
async fn a_header_without_rows_is_no_activity() {
    let world = World::start().await;
    let import = world.import(RETURNS, "r.csv", Worldpay::new()).await;
    assert_eq!(import.state(), proto::ImportState::Applied);
    assert_eq!(import.emptiness(), proto::Emptiness::HeaderOnly);
}

#[tokio::test]
async fn a_sentence_that_says_there_is_nothing_is_no_activity() {
    let world = World::start_with(|options| {
        options.returns.push_str(
            r#"
[sources.pipe]
format = "delimited"
match = ["order_id:trace_id"]
[sources.pipe.profile]
name = "pipe"
delimiter = "|"
header = false
direction = "debit"
no_records = ["NO RETURNS REPORTED"]
[sources.pipe.profile.columns]
order_id = 1
code = 2
"#,
        );
    })
    .await;
    let import = world
        .import("pipe", "r.txt", "NO RETURNS REPORTED\r\n")
        .await;
    assert_eq!(import.emptiness(), proto::Emptiness::Sentence, "{import:?}");
    world.add(Payment::debit("TR1")).await;
    let import = world.import("pipe", "r2.txt", "FNXTR1|R01\r\n").await;
    assert_eq!(
        import.totals.unwrap().reversed.unwrap().count,
        1,
        "a file without amounts"
    );
}

#[tokio::test]
async fn a_truncated_last_line_rejects_the_file() {
    let world = world_of_two().await;
    let text = two_returns().text();
    let why = world
        .rejection(RETURNS, "r.csv", &text.as_bytes()[..text.len() - 12])
        .await;
    assert_eq!(why.line, 3, "{why:?}");
    let text = Nacha::new().returned("231380100000017", "R01").text();
    let why = world
        .rejection("nacha", "r.ach", &text.as_bytes()[..text.len() - 300])
        .await;
    assert!(why.line > 0, "{why:?}");
}

#[tokio::test]
async fn a_wrong_control_total_rejects_the_file_and_names_both_sums() {
    let world = world_of_two().await;
    let text = Nacha::new().returned("231380100000017", "R01").text();
    let wrong = text.replace("000000005000000000000000", "000000005100000000000000");
    assert_ne!(text, wrong);
    let why = world.rejection("nacha", "r.ach", wrong).await;
    assert!(why.line > 0 && why.field.contains("debit"), "{why:?}");
    assert!(
        why.message.contains("50.00") || why.message.contains("5000"),
        "{why:?}"
    );
}

#[tokio::test]
async fn a_tolerated_wrong_total_is_let_pass_and_reported() {
    let world = World::start_with(|options| {
        options.returns.push_str(
            "\n[sources.sloppy]\nformat = \"nacha\"\n[sources.sloppy.tolerate]\nmoney_totals = true\n",
        );
    })
    .await;
    world
        .add(Payment::debit("TR1").ach_trace("231380100000017"))
        .await;
    let text = Nacha::new().returned("231380100000017", "R01").text();
    let wrong = text.replace("000000005000000000000000", "000000005100000000000000");
    let import = world.import("sloppy", "r.ach", wrong).await;
    assert_eq!(import.state(), proto::ImportState::Applied);
    assert!(!import.findings.is_empty());
}

#[tokio::test]
async fn a_record_of_the_wrong_length_rejects_the_file() {
    let world = world_of_two().await;
    let mut lines = Nacha::new().returned("231380100000017", "R01").lines();
    lines[1].push('9');
    let why = world.rejection("nacha", "r.ach", lines.join("\n")).await;
    assert_eq!(why.line, 2, "{why:?}");
    assert!(why.message.contains("94"), "{why:?}");
}

#[tokio::test]
async fn binary_rubbish_and_ten_megabytes_in_one_line_are_rejected() {
    let world = World::start().await;
    let rubbish: Vec<u8> = (0..5_000_u32).map(|n| (n * 7 % 256) as u8).collect();
    for source in [RETURNS, "nacha"] {
        assert!(
            !world
                .rejection(source, "rubbish", rubbish.clone())
                .await
                .message
                .is_empty()
        );
        let long = "x".repeat(10 << 20);
        assert!(
            !world
                .rejection(source, "long", long)
                .await
                .message
                .is_empty()
        );
    }
}

#[tokio::test]
async fn every_line_ending_a_byte_order_mark_and_windows_1252_are_read() {
    let world = world_of_two().await;
    let plain = Nacha::new().returned("231380100000017", "R01");
    let lines = plain.lines();
    let variants: Vec<Vec<u8>> = vec![
        lines.join("\r\n").into_bytes(),
        lines.join("\r").into_bytes(),
        lines.concat().into_bytes(),
        [b"\xEF\xBB\xBF".as_slice(), lines.join("\n").as_bytes()].concat(),
        lines
            .join("\n")
            .replace("JANE DOE", "JOS\u{1} DOE")
            .bytes()
            .map(|byte| if byte == 1 { 0xC9 } else { byte })
            .collect(),
    ];
    for (index, bytes) in variants.into_iter().enumerate() {
        let import = world.import("nacha", &format!("{index}.ach"), bytes).await;
        assert_eq!(
            import.state(),
            proto::ImportState::Applied,
            "variant {index}: {import:?}"
        );
        assert_eq!(
            import.totals.unwrap().read.unwrap().count,
            1,
            "variant {index}"
        );
    }
    assert_eq!(
        world.reversals("TR1").await,
        "1",
        "the same return, however it is written"
    );
}

#[tokio::test]
async fn a_quote_that_never_closes_names_the_line_where_it_began() {
    let world = world_of_two().await;
    let text = two_returns()
        .text()
        .replacen("Insufficient Funds", "\"Insufficient Funds", 1);
    let why = world.rejection(RETURNS, "r.csv", text).await;
    assert_eq!(why.line, 2, "{why:?}");
}

#[tokio::test]
async fn an_unknown_code_is_held_and_never_fails_the_file() {
    let world = world_of_two().await;
    let file = Worldpay::new()
        .returned("TR1", "R97")
        .returned("TR2", "R01");
    world.import(RETURNS, "r.csv", file).await;
    let hold = world.hold().await;
    assert_eq!(
        (hold.reason(), hold.code.as_str()),
        (proto::HoldReason::UnknownCode, "R97")
    );
    assert_eq!(world.reversals("TR2").await, "1");
}

#[tokio::test]
async fn a_missing_and_a_renamed_column_reject_the_file_by_name() {
    let world = world_of_two().await;
    for name in ["Reason Code", "Worldpay Payment ID", "Chargeback Amt"] {
        let text = two_returns().text().replacen(name, "Something Else", 1);
        let why = world.rejection(RETURNS, "r.csv", text).await;
        assert!(
            why.field.contains(name) || why.message.contains(name),
            "{why:?}"
        );
        assert!(
            why.message.contains("Something Else"),
            "the headers seen are listed: {why:?}"
        );
    }
}

#[tokio::test]
async fn one_unreadable_row_is_listed_and_the_others_go_on() {
    let world = world_of_two().await;
    let file = Worldpay::new()
        .returned("TR1", "R01")
        .amount("fifty")
        .returned("TR2", "R01");
    let import = world.import(RETURNS, "r.csv", file).await;
    let totals = import.totals.unwrap();
    assert_eq!(
        (
            totals.rejected.unwrap().count,
            totals.reversed.unwrap().count
        ),
        (1, 1)
    );
    assert_eq!(import.rejected_lines[0].line, 2);
    assert_eq!(import.rejected_lines[0].field, "Chargeback Amt");
}

#[tokio::test]
async fn amounts_in_the_wrong_unit_on_every_row_reject_the_file() {
    let world = world_of_two().await;
    let file = Worldpay::new()
        .returned("TR1", "R01")
        .amount("5000.00")
        .returned("TR2", "R01")
        .amount("5000.00");
    let why = world.rejection(RETURNS, "r.csv", file).await;
    assert!(why.message.contains("the unit looks wrong"), "{why:?}");
    assert!(why.message.contains("amount_unit"), "{why:?}");
}

#[tokio::test]
async fn ids_with_apostrophes_match_and_keep_their_zeros() {
    let world = World::start().await;
    world
        .add(Payment::debit("TR1").payment_id("083997656989609888"))
        .await;
    let file = Worldpay::new().row(WorldpayRow {
        case_id: "1".into(),
        payment_id: "083997656989609888".into(),
        order_id: String::new(),
        code: "R01".into(),
        amount: "50.00".into(),
    });
    assert!(file.text().contains("'083997656989609888"));
    world.import(RETURNS, "r.csv", file).await;
    assert_eq!(world.reversals("TR1").await, "1");
}

#[tokio::test]
async fn a_file_of_another_source_is_rejected() {
    let world = world_of_two().await;
    let nacha = Nacha::new().returned("231380100000017", "R01").text();
    assert!(
        !world
            .rejection(RETURNS, "r.ach", nacha)
            .await
            .message
            .is_empty()
    );
    assert!(
        !world
            .rejection("nacha", "r.csv", two_returns())
            .await
            .message
            .is_empty()
    );
    let why = world
        .rejection("worldpay_funding", "r.csv", two_returns())
        .await;
    assert!(why.message.contains("Funds Transfer"), "{why:?}");
}

#[tokio::test]
async fn an_unknown_source_is_refused_with_the_names_there_are() {
    let world = World::start().await;
    let status = world
        .send("nowhere", "r.csv", "x", proto::WaitLevel::Applied)
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(status.message().contains("worldpay_returns"), "{status:?}");
    let violations = status.get_details_bad_request().unwrap().field_violations;
    assert_eq!(violations[0].field, "header.source");
    assert_eq!(
        status.get_details_error_info().unwrap().domain,
        "echeck-returns"
    );
}

#[tokio::test]
async fn a_transfer_that_does_not_exist_is_not_found_with_details() {
    let world = World::start().await;
    let key = proto::get_transfer_request::Key::TransferId("TRnone".into());
    let ask = proto::GetTransferRequest {
        key: Some(key),
        ..Default::default()
    };
    let status = world.client.clone().get_transfer(ask).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
    let info = status.get_details_error_info().unwrap();
    assert_eq!(info.reason, "NOT_FOUND");
    assert_eq!(info.metadata["resource"], "transfer");
    assert_eq!(info.metadata["id"], "TRnone");
}

#[tokio::test]
async fn a_chunk_over_the_limit_and_a_file_over_the_limit_are_refused_and_leave_nothing() {
    let world = World::start_with(|options| {
        options
            .returns
            .push_str("\n[import]\nmax_file_bytes = 1000\n");
    })
    .await;
    let header = proto::ImportFileHeader {
        source: RETURNS.into(),
        file_name: "r.csv".into(),
        ..proto::ImportFileHeader::default()
    };
    let status = world
        .send_parts(header.clone(), vec![b'x'; 2_000])
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert!(status.message().contains("1000"), "{status:?}");

    let parts = vec![
        proto::ImportFileRequest {
            part: Some(Part::Header(header)),
        },
        proto::ImportFileRequest {
            part: Some(Part::Chunk(vec![b'x'; 5 << 20])),
        },
    ];
    let status = world
        .client
        .clone()
        .import_file(tokio_stream::iter(parts))
        .await
        .unwrap_err();
    assert!(
        matches!(status.code(), Code::OutOfRange | Code::InvalidArgument),
        "{status:?}"
    );
    nothing_is_left(&world).await;
}

#[tokio::test]
async fn a_header_that_nobody_would_write_is_refused_before_anything_of_it_is_looked_up() {
    let world = World::start().await;
    for (length, field) in [(100_000, "request"), (3_000, "reason")] {
        let header = proto::ImportFileHeader {
            source: RETURNS.into(),
            file_name: "r.csv".into(),
            reason: "r".repeat(length),
            ..proto::ImportFileHeader::default()
        };
        let status = world.send_parts(header, Vec::new()).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
        let said = status.message();
        assert!(said.starts_with(field) && said.len() < 200, "{said}");
    }
    nothing_is_left(&world).await;
}

async fn nothing_is_left(world: &World) {
    let spool = world.options.data.join("spool");
    echeck_tests::eventually("the spool is empty", || async {
        echeck_tests::spooled(&spool).is_empty()
    })
    .await;
    let ask = proto::ListImportsRequest::default();
    let imports = world
        .client
        .clone()
        .list_imports(ask)
        .await
        .unwrap()
        .into_inner()
        .imports;
    assert!(imports.is_empty());
}

#[tokio::test]
async fn a_stream_that_stops_in_the_middle_leaves_nothing_behind() {
    let world = World::start().await;
    let header = proto::ImportFileHeader {
        source: RETURNS.into(),
        file_name: "r.csv".into(),
        ..proto::ImportFileHeader::default()
    };
    let parts = vec![
        proto::ImportFileRequest {
            part: Some(Part::Header(header)),
        },
        proto::ImportFileRequest {
            part: Some(Part::Chunk(b"Case ID,".to_vec())),
        },
    ];
    // The caller has a runtime of its own, so that it can die with its connection.
    let caller = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let url = world.stack.url();
    caller.spawn(async move {
        let mut client = proto::returns_service_client::ReturnsServiceClient::connect(url)
            .await
            .unwrap();
        let parts = tokio_stream::iter(parts).chain(tokio_stream::pending());
        client.import_file(parts).await
    });
    let spool = world.options.data.join("spool");
    echeck_tests::eventually("the file is being received", || async {
        echeck_tests::spooled(&spool).len() == 1
    })
    .await;
    caller.shutdown_background();
    nothing_is_left(&world).await;
}

#[tokio::test]
async fn chunks_before_a_header_are_refused() {
    let world = World::start().await;
    let parts = vec![proto::ImportFileRequest {
        part: Some(Part::Chunk(b"x".to_vec())),
    }];
    let status = world
        .client
        .clone()
        .import_file(tokio_stream::iter(parts))
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn a_hostile_file_name_is_data_and_control_characters_are_refused() {
    let world = World::start().await;
    let import = world
        .import(RETURNS, "../../etc/x.csv", Worldpay::new())
        .await;
    assert_eq!(import.file_name, "../../etc/x.csv");
    for name in ["", "a\nb", &"x".repeat(256)] {
        let status = world
            .send(RETURNS, name, "x", proto::WaitLevel::Applied)
            .await
            .unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{name:?}");
    }
}

#[tokio::test]
async fn a_deadline_while_waiting_comes_back_as_deadline_exceeded_and_the_import_goes_on() {
    let world = world_of_two().await;
    // The gateway is busy, so the import cannot be applied in time.
    let busy = world.gateway.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let header = proto::ImportFileHeader {
        source: RETURNS.into(),
        file_name: "r.csv".into(),
        wait: proto::WaitLevel::Applied.into(),
        ..proto::ImportFileHeader::default()
    };
    let parts = vec![
        proto::ImportFileRequest {
            part: Some(Part::Header(header)),
        },
        proto::ImportFileRequest {
            part: Some(Part::Chunk(two_returns().into())),
        },
    ];
    let mut request = tonic::Request::new(tokio_stream::iter(parts));
    request
        .metadata_mut()
        .insert("grpc-timeout", "3S".parse().unwrap());
    let status = world.client.clone().import_file(request).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded, "{status:?}");
    busy.rollback().await.unwrap();
    echeck_tests::eventually("the import goes on", || async {
        world.reversals("TR2").await == "1"
    })
    .await;
}

/// A forward debit of 50.00, whose trace has the bank in the batch header, in a file that ends without
/// its controls. `end` is what stands in columns 79 to 94.
fn forward(end: &str) -> String {
    let lines = [
        "101 231380104 1210428822611170900A094101".to_owned(),
        format!(
            "5225{:<16}{:20}{:<10}WEB{:<10}{:6}261116   123138010{:07}",
            "RALLYPAY", "", "1234567890", "PAYMENT", "", 1
        ),
        format!(
            "627091000019{:<17}{:010}{:<15}{:<22}  {end}",
            "556677889", 5_000, "ID7", "JANE DOE"
        ),
    ];
    lines.iter().map(|line| format!("{line:<94}\n")).collect()
}

/// Imports a NACHA file although its controls are missing.
async fn vouched_for(world: &World, source: &str, name: &str, file: String) -> proto::Import {
    let header = proto::ImportFileHeader {
        source: source.into(),
        file_name: name.into(),
        wait: proto::WaitLevel::Applied.into(),
        accept_missing_controls: true,
        request_id: String::new(),
        reason: "the bank has confirmed that it is whole".into(),
        ..proto::ImportFileHeader::default()
    };
    let answer = world.send_parts(header, file.into()).await.unwrap();
    answer.file_import.unwrap()
}

#[tokio::test]
async fn half_a_file_is_imported_only_when_a_person_vouches_for_it() {
    let world = world_of_two().await;
    let traces = ["231380100000017", "231380100000025"];
    let whole = traces
        .iter()
        .fold(Nacha::new(), |file, trace| file.returned(trace, "R01"));
    let whole = whole.text();
    let records: Vec<&str> = whole.lines().collect();
    let ends = |kind: char| {
        records
            .iter()
            .position(|record| record.starts_with(kind))
            .unwrap()
    };
    // Cut off between two entries, and before the end.
    for lines in [ends('8') - 2, ends('9')] {
        let half = format!("{}\n", records[..lines].join("\n"));
        let why = world.rejection("nacha", "half.ach", half.clone()).await;
        assert!(why.message.contains("control ("), "{why:?}");
        assert!(why.message.contains("accept-missing-controls"), "{why:?}");
        assert_eq!(world.reversals("TR1").await, "0");
    }

    let half = format!("{}\n", records[..ends('8') - 2].join("\n"));
    let unnamed = proto::ImportFileHeader {
        source: "nacha".into(),
        file_name: "half.ach".into(),
        accept_missing_controls: true,
        request_id: String::new(),
        ..proto::ImportFileHeader::default()
    };
    let refused = world
        .send_parts(unnamed, half.clone().into())
        .await
        .unwrap_err();
    assert_eq!(
        refused.code(),
        Code::InvalidArgument,
        "no reason: {refused}"
    );
    let import = vouched_for(&world, "nacha", "half.ach", half).await;
    assert_eq!(import.controls_accepted_by, "anonymous");
    assert_eq!(import.totals.unwrap().reversed.unwrap().count, 1);
    assert_eq!(world.reversals("TR1").await, "1");
    let operations = OperationsServiceClient::connect(world.stack.url()).await;
    let ask = proto::ListAuditRequest::default();
    let audit = operations.unwrap().list_audit(ask).await.unwrap();
    let recorded = &audit.into_inner().records[0];
    assert_eq!(recorded.action, "accept_missing_controls");
    assert_eq!(recorded.subject, format!("import:{}", import.import_id));
}

#[tokio::test]
async fn what_the_bank_rejected_before_the_network_fails_its_payment() {
    let world = World::start().await;
    let payment = Payment::debit("TR1").ach_trace("231380100000071");
    world.add(payment.state("PENDING")).await;
    let (name, file) = ("rejects.ach", forward("0REJ040050000071"));
    let import = vouched_for(&world, "nacha", name, file).await;
    let totals = import.totals.unwrap();
    assert_eq!(totals.failed.unwrap().count, 1, "{import:?}");
    assert_eq!(world.state("TR1").await, "FAILED");
}

#[tokio::test]
async fn a_file_of_which_everything_is_left_out_is_not_a_quiet_day() {
    let world = World::start_with(|options| {
        options
            .returns
            .push_str("\n[sources.all]\nformat = \"nacha\"\nallow_empty = [\"left_out\"]\n");
    })
    .await;
    let file = forward("0231380100000071");
    let rejected = vouched_for(&world, "nacha", "f.ach", file.clone()).await;
    let why = rejected.rejection.unwrap();
    assert!(why.message.contains("\"left_out\""), "{why:?}");
    let import = vouched_for(&world, "all", "f.ach", file).await;
    assert_eq!(import.emptiness(), proto::Emptiness::LeftOut);
    assert_eq!(import.left_out, 1, "{import:?}");
    let mut kinds = import.findings.iter().map(|finding| &finding.field);
    assert!(kinds.any(|kind| kind == "entries that are not returns"));
}

#[tokio::test]
async fn a_match_that_the_trace_contradicts_moves_no_money() {
    let world = World::start_with(|options| {
        options.returns.push_str(
            "\n[sources.by_id]\nformat = \"nacha\"\n\
             match = [\"original_trace:ach_trace\", \"individual_id:trace_id\"]\n",
        );
    })
    .await;
    world
        .add(Payment::debit("TR1").ach_trace("231380100000017"))
        .await;
    let file = Nacha::new().returned("231380100000088", "R01").text();
    let file = file.replace("ID0   ", "FNXTR1");
    let import = world.import("by_id", "r.ach", file).await;
    assert_eq!(import.totals.unwrap().held.unwrap().count, 1, "{import:?}");
    let hold = world.hold().await;
    assert_eq!(hold.reason(), proto::HoldReason::IdsContradict);
    for trace in ["231380100000017", "231380100000088"] {
        assert!(hold.detail.contains(trace), "{}", hold.detail);
    }
    assert_eq!(world.reversals("TR1").await, "0");
}

/// What the database of the returns service keeps of unreadable lines, in bytes.
async fn recorded_bytes(world: &World) -> u64 {
    let file = world.options.data.join("returns.db");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
    let database = sqlx::SqlitePool::connect_with(options).await.unwrap();
    let sql =
        "SELECT CAST(COALESCE(SUM(LENGTH(rejected)), 0) AS INTEGER) FROM import_rejected_lines";
    sqlx::query_scalar::<_, i64>(sql)
        .fetch_one(&database)
        .await
        .unwrap()
        .unsigned_abs()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_thousand_unreadable_lines_are_counted_and_listed_page_by_page() {
    const LINES: usize = 100_000;
    let world = World::start().await;
    let mut text = Worldpay::new().text();
    // A megabyte of them.
    text.push_str(&"not,a,row\n".repeat(LINES));
    let size = text.len() as u64;
    let sent = world.import(RETURNS, "r.csv", text).await;
    assert_eq!(sent.totals.unwrap().rejected.unwrap().count, LINES as u64);
    assert!(recorded_bytes(&world).await < 32 * size);

    let ask = proto::GetImportRequest {
        import_id: sent.import_id.clone(),
    };
    let answer = world.client.clone().get_import(ask).await.unwrap();
    let import = answer.into_inner().file_import.unwrap();
    let mut lines: Vec<u64> = import.rejected_lines.iter().map(|one| one.line).collect();
    assert_eq!(lines.len(), 100);
    let mut page_token = import.rejected_lines_token;
    while !page_token.is_empty() {
        let ask = proto::ListRejectedLinesRequest {
            import_id: sent.import_id.clone(),
            page_size: 500,
            page_token,
        };
        let page = world.client.clone().list_rejected_lines(ask).await.unwrap();
        let page = page.into_inner();
        lines.extend(page.rejected_lines.iter().map(|one| one.line));
        page_token = page.next_page_token;
    }
    let expected: Vec<u64> = (2..LINES as u64 + 2).collect();
    assert!(lines == expected, "{} lines", lines.len());
    world.stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_megabyte_of_rows_that_would_become_many_times_that_is_rejected_whole() {
    let world = World::start().await;
    let mut text = Worldpay::new().text();
    text.push_str(&"x\n".repeat(500_000));
    let why = world.rejection(RETURNS, "r.csv", text).await;
    assert_eq!(why.line, 2);
    assert!(
        why.message.contains("more than 32 times the file"),
        "{why:?}"
    );
    assert_eq!(recorded_bytes(&world).await, 0);
    world.stack.stop().await.unwrap();
}
