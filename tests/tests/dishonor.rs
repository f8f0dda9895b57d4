//! Returns that our bank may dishonor, end to end: from a file to the list, the command, the
//! return and the report, which all say the same.

use std::collections::{BTreeMap, HashMap};
use std::process::Command;

use chrono::{Datelike as _, Days, NaiveDate};
use echeck_proto::returns::v1 as proto;
use echeck_service::clock::{Clock as _, SystemClock};
use echeck_tests::{Nacha, NachaEntry, Payment, World, binary, eventually};
use serde_json::Value;

/// What is said of a marked line: code, fields and last day.
type Said = BTreeMap<u64, (String, String, String)>;

fn today() -> NaiveDate {
    SystemClock
        .now()
        .with_timezone(&chrono_tz::America::New_York)
        .date_naive()
}

/// A file that is made and settles on `day`.
fn settled_on(day: NaiveDate, file: &Nacha) -> String {
    file.text()
        .replace("2611170900", &format!("{}0900", day.format("%y%m%d")))
        .replace(
            "261116320",
            &format!("{}{:03}", day.format("%y%m%d"), day.ordinal()),
        )
}

fn returned(amount_minor: u64, original_trace: &str) -> NachaEntry {
    NachaEntry {
        transaction_code: "26",
        amount_minor,
        original_trace: original_trace.to_owned(),
        addenda: format!("99R01{original_trace}      09100001{:44}", ""),
    }
}

async fn list(world: &World, open_only: bool) -> Vec<proto::DishonorableReturn> {
    let ask = proto::ListDishonorableReturnsRequest {
        open_only,
        // So small that there are pages.
        page_size: 3,
        ..proto::ListDishonorableReturnsRequest::default()
    };
    let mut found = Vec::new();
    let mut page_token = String::new();
    loop {
        let ask = proto::ListDishonorableReturnsRequest {
            page_token,
            ..ask.clone()
        };
        let answer = world
            .client
            .clone()
            .list_dishonorable_returns(ask)
            .await
            .unwrap();
        let answer = answer.into_inner();
        found.extend(answer.dishonorable_returns);
        page_token = answer.next_page_token;
        if page_token.is_empty() {
            return found;
        }
    }
}

async fn echeck(world: &World, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(binary("echeck"));
    command
        .args(arguments)
        .env("ECHECK_SERVER", world.stack.url());
    let done = tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap();
    (done.status.code(), String::from_utf8(done.stdout).unwrap())
}

fn of_list(list: &[proto::DishonorableReturn]) -> Said {
    let said = |one: &proto::DishonorableReturn| {
        let strongest = &one.grounds[0];
        (
            strongest.code.clone(),
            strongest.fields.clone(),
            one.last_day.clone(),
        )
    };
    list.iter().map(|one| (one.line, said(one))).collect()
}

fn of_json(text: &str) -> Said {
    text.lines()
        .map(|line| {
            let one: Value = serde_json::from_str(line).unwrap();
            let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let strongest = &one["grounds"][0];
            let said = (
                word(&strongest["code"]),
                word(&strongest["fields"]),
                word(&one["last_day"]),
            );
            (one["line"].as_u64().unwrap(), said)
        })
        .collect()
}

/// The lines of a report by the names of their columns.
fn cells(csv: &str) -> Vec<HashMap<String, String>> {
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let header = reader.headers().unwrap().clone();
    reader
        .records()
        .map(|record| {
            let record = record.unwrap();
            let cells = record.iter().map(str::to_owned);
            header.iter().map(str::to_owned).zip(cells).collect()
        })
        .collect()
}

fn of_report(lines: &[HashMap<String, String>]) -> Said {
    lines
        .iter()
        .filter(|line| !line["dishonor_code"].is_empty())
        .map(|line| {
            let said = (
                line["dishonor_code"].clone(),
                line["dishonor_fields"].trim_start_matches('\'').to_owned(),
                line["dishonor_until"].clone(),
            );
            (line["line_number"].parse().unwrap(), said)
        })
        .collect()
}

/// A world and the import of a file with one return for each ground, and one without any.
async fn with_a_return_for_each_ground() -> (World, proto::Import) {
    let world = World::start().await;
    let day = today();
    let long_ago = day.checked_sub_days(Days::new(30)).unwrap();
    let traces = [
        "231380100000011",
        "231380100000012",
        "231380100000013",
        "121000350000014",
        "231380100000015",
    ];
    for (number, trace) in (1..).zip(traces) {
        let settled = if number == 1 { long_ago } else { day };
        let payment = Payment::debit(&format!("TR{number}"))
            .ach_trace(trace)
            .settled_on(&settled.to_string());
        world.add(payment).await;
    }
    let file = Nacha::new()
        // Untimely.
        .entry(returned(5_000, traces[0]))
        // The first return of its payment; the second one has another trace.
        .entry(returned(5_000, traces[1]))
        .entry(returned(5_000, traces[1]))
        // Another amount than the payment's.
        .entry(returned(4_000, traces[2]))
        // Addressed to us, of an entry of another bank.
        .entry(returned(5_000, traces[3]))
        // Right in everything.
        .entry(returned(5_000, traces[4]));
    let file = settled_on(day, &file);
    let import = world.import("nacha", "r.ach", file).await;
    assert_eq!(import.state(), proto::ImportState::Applied, "{import:?}");
    (world, import)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_the_command_the_return_and_the_report_say_the_same() {
    let (world, import) = with_a_return_for_each_ground().await;
    let found = list(&world, false).await;
    let last_day = ach_last_day();
    let expected: Said = [
        (3, "R68", ""),
        (7, "R67", ""),
        (9, "R69", "03"),
        (11, "R61", ""),
    ]
    .into_iter()
    .map(|(line, code, fields)| (line, (code.into(), fields.into(), last_day.clone())))
    .collect();
    assert_eq!(of_list(&found), expected, "{found:?}");
    assert_eq!(list(&world, true).await, found, "the last day is not past");

    let (code, json) = echeck(&world, &["dishonorable", "--json"]).await;
    assert_eq!((code, of_json(&json)), (Some(2), expected.clone()));
    let of_other = ["dishonorable", "--all", "--import", "imp_0", "--json"];
    // There is no such import, which is a mistake and no empty list.
    assert_eq!(echeck(&world, &of_other).await, (Some(1), String::new()));
    let (_, table) = echeck(&world, &["dishonorable"]).await;
    assert!(
        table.contains("R69 03") && table.contains("UNTIL"),
        "{table}"
    );

    for one in &found {
        assert_eq!(
            (one.banking_days_left, one.return_code.as_str()),
            (5, "R01")
        );
        assert_eq!(one.settlement_date, today().to_string());
        assert_eq!(one.import_id, import.import_id);
        if one.ach_return_id.is_empty() {
            let holds = world.holds().await;
            assert!(holds.iter().any(|hold| hold.hold_id == one.hold_id));
            continue;
        }
        let ask = proto::GetReturnRequest {
            ach_return_id: one.ach_return_id.clone(),
            ..proto::GetReturnRequest::default()
        };
        let shown = world.client.clone().get_return(ask).await.unwrap();
        let shown = shown.into_inner().ach_return.unwrap();
        assert_eq!(shown.dishonor_grounds, one.grounds);
        let transfer = world.transfer(&one.transfer_id).await;
        assert_eq!(transfer.ach_return.unwrap().dishonor_grounds, one.grounds);
    }

    eventually("it is reported", || async {
        let ask = proto::GetImportRequest {
            import_id: import.import_id.clone(),
        };
        let answer = world.client.clone().get_import(ask).await.unwrap();
        !answer
            .into_inner()
            .file_import
            .unwrap()
            .report_key
            .is_empty()
    })
    .await;
    let (code, csv) = echeck(&world, &["report", &import.import_id, "-o", "-"]).await;
    assert_eq!(code, Some(0));
    let lines = cells(&csv);
    assert_eq!(of_report(&lines), expected, "{csv}");
    assert_eq!(lines[0]["merchant_id"], "'IDmerchant");
    assert_eq!(lines[0]["attempts_used"], "1+");
    assert_eq!(lines[2]["attempts_used"], "", "it is not decided");
}

/// The fifth banking day after today.
fn ach_last_day() -> String {
    ach::calendar::add_banking_days(today(), 5)
        .unwrap()
        .to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mark_goes_when_a_person_finds_the_payment_that_fits() {
    let (world, _) = with_a_return_for_each_ground().await;
    world.add(Payment::debit("TR6").amount(4_000)).await;
    let differs = list(&world, false)
        .await
        .into_iter()
        .find(|one| one.grounds[0].code == "R69")
        .unwrap();
    assert_eq!(differs.transfer_id, "TR3");
    let retry = [
        "holds",
        "retry",
        &differs.hold_id,
        "--transfer",
        "TR6",
        "--json",
    ];
    let (code, shown) = echeck(&world, &retry).await;
    assert_eq!(code, Some(0), "{shown}");
    let left = list(&world, false).await;
    assert_eq!(left.len(), 3);
    assert!(left.iter().all(|one| one.line != differs.line), "{left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_return_that_waited_for_its_payment_is_marked_once_that_appears() {
    let world = World::start().await;
    let day = today();
    let long_ago = day.checked_sub_days(Days::new(30)).unwrap();
    let file = Nacha::new().entry(returned(5_000, "231380100000011"));
    world.import("nacha", "r.ach", settled_on(day, &file)).await;
    assert_eq!(list(&world, false).await, []);
    let late = Payment::debit("TR1")
        .ach_trace("231380100000011")
        .settled_on(&long_ago.to_string());
    world.add(late).await;
    eventually("it is marked", || async {
        !list(&world, false).await.is_empty()
    })
    .await;
    let found = list(&world, false).await;
    assert_eq!(of_list(&found)[&3].0, "R68");
    assert!(!found[0].ach_return_id.is_empty(), "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_was_presented_again_has_at_most_one_presentment_left() {
    let world = World::start_with(|options| {
        let conforming = "\n[sources.conforming]\nformat = \"nacha\"\nconforming = true\n";
        options.returns.push_str(conforming);
    })
    .await;
    for number in [1, 2] {
        let trace = format!("23138010000001{number}");
        world
            .add(Payment::debit(&format!("TR{number}")).ach_trace(&trace))
            .await;
    }
    let first = Nacha::new().returned("231380100000011", "R01");
    world.import("conforming", "first.ach", first).await;
    let again = Nacha::new().returned("231380100000012", "R01").text();
    let again = again.replace("PAYMENT   ", "RETRY PYMT");
    world.import("conforming", "again.ach", again).await;
    for (id, used, left, are_bounds) in [("TR1", 1, 2, false), ("TR2", 2, 1, true)] {
        let shown = world.transfer(id).await.ach_return.unwrap();
        assert_eq!(shown.represent_attempts_used, Some(used));
        assert_eq!(shown.represent_attempts_left, Some(left));
        assert_eq!(shown.represent_attempts_are_bounds, are_bounds);
    }
    let (_, text) = echeck(&world, &["transfer", "TR2"]).await;
    assert!(text.contains("at least 2 times, at most 1 left"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mark_goes_when_the_payment_moved_on_and_the_return_fits_it_now() {
    let world = World::start().await;
    let day = today();
    let long_ago = day.checked_sub_days(Days::new(30)).unwrap();
    let pending = Payment::debit("TR1")
        .state("PENDING")
        .ach_trace("231380100000011")
        .settled_on(&long_ago.to_string());
    world.add(pending).await;
    // The gateway is about to say that the payment settled only today.
    let mut settling = world.gateway.begin_with("BEGIN IMMEDIATE").await.unwrap();
    sqlx::query("UPDATE transfers SET state = 'SUCCEEDED', settlement_date = ? WHERE id = 'TR1'")
        .bind(day.to_string())
        .execute(&mut *settling)
        .await
        .unwrap();
    let file = Nacha::new().entry(returned(5_000, "231380100000011"));
    let wait = proto::WaitLevel::Decided;
    world
        .send("nacha", "r.ach", settled_on(day, &file), wait)
        .await
        .unwrap();
    assert_eq!(of_list(&list(&world, false).await)[&3].0, "R68");
    settling.commit().await.unwrap();
    eventually("it is reversed", || async {
        world.reversals("TR1").await == "1"
    })
    .await;
    assert_eq!(list(&world, false).await, []);
}
