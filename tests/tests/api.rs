//! What callers of the API rely on: pages, watching, answers by trace id, and whose facts a
//! decision rests on.

use std::time::Duration;

use echeck_proto::returns::v1 as proto;
use echeck_tests::{Nacha, Payment, World, Worldpay, eventually};
use tonic::Code;

async fn world_with_returns(count: usize) -> World {
    let world = World::start().await;
    let mut file = Worldpay::new();
    for number in 0..count {
        let id = format!("TR{number}");
        world.add(Payment::debit(&id)).await;
        file = file.returned(&id, "R01");
    }
    world.import("worldpay_returns", "r.csv", file).await;
    world
}

#[tokio::test]
async fn pages_of_returns_hold_every_return_once_newest_first() {
    let world = world_with_returns(5).await;
    let mut ask = proto::ListReturnsRequest {
        page_size: 2,
        ..Default::default()
    };
    let mut positions = Vec::new();
    loop {
        let page = world
            .client
            .clone()
            .list_returns(ask.clone())
            .await
            .unwrap()
            .into_inner();
        positions.extend(page.ach_returns.iter().map(|one| one.position));
        if page.next_page_token.is_empty() {
            break;
        }
        ask.page_token = page.next_page_token;
    }
    assert_eq!(positions, [5, 4, 3, 2, 1]);
    ask.page_token = "nonsense".into();
    let status = world.client.clone().list_returns(ask).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn pages_of_holds_and_imports_hold_each_once() {
    let world = World::start().await;
    for number in 0..3 {
        let file = Worldpay::new().returned(&format!("unknown{number}"), "R97");
        world
            .import("worldpay_returns", &format!("{number}.csv"), file)
            .await;
    }
    let mut client = world.client.clone();
    let mut ask = proto::ListHoldsRequest {
        page_size: 1,
        ..Default::default()
    };
    let mut holds = std::collections::BTreeSet::new();
    for _ in 0..3 {
        let page = client.list_holds(ask.clone()).await.unwrap().into_inner();
        holds.extend(page.holds.into_iter().map(|hold| hold.hold_id));
        ask.page_token = page.next_page_token;
    }
    assert_eq!(holds.len(), 3);
    let mut ask = proto::ListImportsRequest {
        page_size: 2,
        ..Default::default()
    };
    let first = client.list_imports(ask.clone()).await.unwrap().into_inner();
    ask.page_token = first.next_page_token;
    let second = client.list_imports(ask).await.unwrap().into_inner();
    let names: Vec<_> = first
        .imports
        .iter()
        .chain(&second.imports)
        .map(|one| one.file_name.as_str())
        .collect();
    assert_eq!(names, ["2.csv", "1.csv", "0.csv"]);
}

#[tokio::test]
async fn watching_an_import_ends_when_it_is_applied_and_an_unknown_one_is_not_found() {
    let world = World::start().await;
    world.add(Payment::debit("TR1")).await;
    let file = Worldpay::new().returned("TR1", "R01");
    let sent = world
        .send(
            "worldpay_returns",
            "r.csv",
            file,
            proto::WaitLevel::Unspecified,
        )
        .await
        .unwrap();
    let import_id = sent.file_import.unwrap().import_id;
    let mut client = world.client.clone();
    let ask = proto::WatchImportRequest { import_id };
    let mut changes = client.watch_import(ask).await.unwrap().into_inner();
    let mut last = None;
    while let Some(change) = changes.message().await.unwrap() {
        last = change.file_import;
    }
    assert_eq!(last.unwrap().state(), proto::ImportState::Applied);
    let ask = proto::WatchImportRequest {
        import_id: "imp_none".into(),
    };
    assert_eq!(
        client.watch_import(ask).await.unwrap_err().code(),
        Code::NotFound
    );
}

#[tokio::test]
async fn a_watched_import_that_cannot_go_on_ends_at_the_callers_deadline() {
    let world = World::start().await;
    world.add(Payment::debit("TR1")).await;
    let busy = world.gateway.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let file = Worldpay::new().returned("TR1", "R01");
    let sent = world
        .send("worldpay_returns", "r.csv", file, proto::WaitLevel::Decided)
        .await
        .unwrap();
    let ask = proto::WatchImportRequest {
        import_id: sent.file_import.unwrap().import_id,
    };
    let mut request = tonic::Request::new(ask);
    request
        .metadata_mut()
        .insert("grpc-timeout", "2S".parse().unwrap());
    let mut changes = world
        .client
        .clone()
        .watch_import(request)
        .await
        .unwrap()
        .into_inner();
    let status = loop {
        match changes.message().await {
            Ok(Some(change)) => {
                assert_eq!(
                    change.file_import.unwrap().state(),
                    proto::ImportState::Decided
                );
            }
            Ok(None) => panic!("it ended without an error"),
            Err(status) => break status,
        }
    };
    assert_eq!(status.code(), Code::DeadlineExceeded);
    busy.rollback().await.unwrap();
}

#[tokio::test]
async fn a_transfer_is_found_by_its_trace_id_and_a_return_by_its_id() {
    let world = world_with_returns(1).await;
    let mut client = world.client.clone();
    let key = proto::get_transfer_request::Key::TraceId("FNXTR0".into());
    let ask = proto::GetTransferRequest {
        key: Some(key),
        ..Default::default()
    };
    let transfer = client
        .get_transfer(ask)
        .await
        .unwrap()
        .into_inner()
        .transfer
        .unwrap();
    assert_eq!(transfer.id, "TR0");
    assert_eq!(transfer.links["self"], "/transfers/TR0");
    assert_eq!(transfer.links["reversals"], "/transfers/TR0/reversals");
    let id = transfer.ach_return.unwrap().ach_return_id;
    let ask = proto::GetReturnRequest {
        ach_return_id: id,
        ..Default::default()
    };
    let found = client
        .get_return(ask)
        .await
        .unwrap()
        .into_inner()
        .ach_return
        .unwrap();
    assert_eq!(found.transfer_id, "TR0");
    assert!(found.account_tail.is_empty() || found.account_tail.starts_with("***"));
    let ask = proto::GetReturnRequest {
        ach_return_id: "ret_none".into(),
        ..Default::default()
    };
    assert_eq!(
        client.get_return(ask).await.unwrap_err().code(),
        Code::NotFound
    );
    let ask = proto::GetTransferRequest::default();
    assert_eq!(
        client.get_transfer(ask).await.unwrap_err().code(),
        Code::InvalidArgument
    );
}

#[tokio::test]
async fn a_late_return_is_past_its_deadline_and_an_early_one_is_in_time() {
    let world = World::start().await;
    let mut file = Nacha::new();
    for (id, settled_on) in [("TR1", "2026-11-10"), ("TR2", "2026-11-12")] {
        let trace = format!("23138010000000{}", &id[2..]);
        world
            .add(Payment::debit(id).ach_trace(&trace).settled_on(settled_on))
            .await;
        file = file.returned(&trace, "R01");
    }
    world.import("nacha", "r.ach", file).await;
    // Both returns settled on Monday 2026-11-16. A debit that settled on Thursday may come back
    // until then.
    let late = world.transfer("TR1").await.ach_return.unwrap();
    assert_eq!(
        (late.deadline.as_str(), late.timeliness()),
        ("2026-11-13", proto::Timeliness::PastDeadline)
    );
    let early = world.transfer("TR2").await.ach_return.unwrap();
    assert_eq!(
        (early.deadline.as_str(), early.timeliness()),
        ("2026-11-16", proto::Timeliness::InTime)
    );

    // The day on which the acquirer received it is not the day on which it settled.
    world
        .add(Payment::debit("TR3").settled_on("2026-10-01"))
        .await;
    let file = Worldpay::new().returned("TR3", "R01");
    world.import("worldpay_returns", "r.csv", file).await;
    let undated = world.transfer("TR3").await.ach_return.unwrap();
    assert_eq!(undated.settlement_date, "");
    assert_eq!(
        (undated.deadline.as_str(), undated.timeliness()),
        ("2026-10-05", proto::Timeliness::Unspecified)
    );
}

#[tokio::test]
async fn a_deposit_built_between_lookup_and_apply_cannot_slip_through() {
    let world = World::start_with(|options| {
        options.gateway = "profile = \"rainforest\"\n".to_owned();
    })
    .await;
    world.add(Payment::debit("TR1")).await;
    let mut building = world.gateway.begin_with("BEGIN IMMEDIATE").await.unwrap();
    for sql in [
        "INSERT INTO deposits (id, created_at) VALUES ('DEP1', '2026-11-20')",
        "UPDATE transfers SET deposit_id = 'DEP1' WHERE id = 'TR1'",
    ] {
        sqlx::query(sql).execute(&mut *building).await.unwrap();
    }
    let decided = world
        .send(
            "worldpay_returns",
            "r.csv",
            Worldpay::new().returned("TR1", "R01"),
            proto::WaitLevel::Decided,
        )
        .await
        .unwrap();
    let totals = decided.file_import.unwrap().totals.unwrap();
    assert_eq!(
        totals.returned.unwrap().count,
        1,
        "decided when it was in no deposit"
    );
    building.commit().await.unwrap();
    eventually("it is reversed", || async {
        world.reversals("TR1").await == "1"
    })
    .await;
    assert_eq!(world.state("TR1").await, "SUCCEEDED");
}

#[tokio::test]
async fn a_gateway_that_cannot_be_reached_stops_nothing_for_good_and_is_named() {
    let world = World::start_with(|options| {
        options.returns.push_str("\n[feed]\ntimeout_ms = 500\n");
    })
    .await;
    world.add(Payment::debit("TR1")).await;
    sqlx::query("ALTER TABLE transfers RENAME TO gone")
        .execute(&world.gateway)
        .await
        .unwrap();
    let sent = world
        .send(
            "worldpay_returns",
            "r.csv",
            Worldpay::new().returned("TR1", "R01"),
            proto::WaitLevel::Unspecified,
        )
        .await
        .unwrap();
    let import_id = sent.file_import.unwrap().import_id;
    let ask = proto::GetImportRequest { import_id };
    eventually("the fault is told", || async {
        let import = world
            .client
            .clone()
            .get_import(ask.clone())
            .await
            .unwrap()
            .into_inner();
        import.file_import.unwrap().fault.contains("gateway")
    })
    .await;
    sqlx::query("ALTER TABLE gone RENAME TO transfers")
        .execute(&world.gateway)
        .await
        .unwrap();
    eventually("the import goes on", || async {
        world.status("TR1").await == "returned"
    })
    .await;
    assert_eq!(world.reversals("TR1").await, "1");
}

/// The processor time that this process has used.
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    // After the name, which is in parentheses: utime and stime are the 12th and 13th field.
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    let mut fields = fields.split(' ').skip(11);
    let mut ticks = || fields.next().unwrap().parse::<u64>().unwrap();
    Duration::from_millis((ticks() + ticks()) * 10)
}

#[tokio::test(flavor = "multi_thread")]
async fn many_callers_that_watch_a_stalled_import_cost_no_more_than_one() {
    let mut world = World::start().await;
    let adapter = echeck::stack::Service::GatewayAdapter;
    world.stack.stop_service(adapter).await.unwrap();
    let file = Worldpay::new().returned("TR1", "R01");
    let sent = world
        .send(
            "worldpay_returns",
            "r.csv",
            file,
            proto::WaitLevel::Unspecified,
        )
        .await
        .unwrap();
    let import_id = sent.file_import.unwrap().import_id;
    let mut watching = Vec::new();
    // One address may watch no more.
    for _ in 0..250 {
        let ask = proto::WatchImportRequest {
            import_id: import_id.clone(),
        };
        let mut changes = world.client.watch_import(ask).await.unwrap().into_inner();
        let first = changes.message().await.unwrap().unwrap();
        assert_eq!(first.file_import.unwrap().import_id, import_id);
        watching.push(changes);
    }
    let (before, span) = (processor_time(), Duration::from_secs(4));
    tokio::time::sleep(span).await;
    let used = processor_time() - before;
    assert!(used < span / 4, "{used:?} of processor time in {span:?}");
}
