//! Archive and report, end to end: from a file to what GetReport sends.

use echeck_proto::returns::v1 as proto;
use echeck_tests::{Payment, World, Worldpay, eventually};
use proto::get_report_response::Part;
use tonic::{Code, Status};

async fn report(world: &World, import_id: &str) -> Result<(proto::ReportHeader, Vec<u8>), Status> {
    let ask = proto::GetReportRequest {
        import_id: import_id.to_owned(),
    };
    let mut parts = world.client.clone().get_report(ask).await?.into_inner();
    let Some(Part::Header(header)) = parts.message().await?.and_then(|one| one.part) else {
        panic!("the header comes first")
    };
    let mut bytes = Vec::new();
    while let Some(message) = parts.message().await? {
        let Some(Part::Chunk(chunk)) = message.part else {
            panic!("after the header come only chunks")
        };
        assert!(chunk.len() <= 256 << 10);
        bytes.extend(chunk);
    }
    Ok((header, bytes))
}

async fn import(world: &World, import_id: &str) -> proto::Import {
    let ask = proto::GetImportRequest {
        import_id: import_id.to_owned(),
    };
    let answer = world.client.clone().get_import(ask).await.unwrap();
    answer.into_inner().file_import.unwrap()
}

async fn reported(world: &World, import_id: &str) -> proto::Import {
    eventually("it is reported", || async {
        !import(world, import_id).await.report_key.is_empty()
    })
    .await;
    import(world, import_id).await
}

#[tokio::test]
async fn a_report_says_what_became_of_each_entry_and_is_sent_as_it_was_written() {
    let world = World::start().await;
    world.add(Payment::debit("TR1")).await;
    world.add(Payment::debit("TR2").state("PENDING")).await;
    let file = Worldpay::new()
        .returned("TR1", "R01")
        .returned("TR2", "R02")
        .returned("TR9", "R03");
    let done = world.import("worldpay_returns", "r.csv", file).await;
    let shown = reported(&world, &done.import_id).await;
    assert!(shown.archive_key.starts_with("raw/worldpay_returns/"));
    assert!(shown.reported_at.is_some());

    let (header, bytes) = report(&world, &done.import_id).await.unwrap();
    assert_eq!(header.key, shown.report_key);
    assert_eq!((header.rows, header.ties_out), (3, true), "{header:?}");
    assert_eq!(header.size_bytes, bytes.len() as u64);
    let count = |word: &str| {
        let found = header.outcomes.iter().find(|one| one.outcome == word);
        found.unwrap().tally.unwrap().count
    };
    assert_eq!(
        (count("reversed"), count("returned"), count("held")),
        (1, 1, 1)
    );
    let names: Vec<&str> = header
        .databases
        .iter()
        .map(|one| one.database.as_str())
        .collect();
    assert_eq!(names, ["gateway", "rallypay"]);
    let text = String::from_utf8(bytes).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 4);
    assert!(
        lines[1].contains("'TR1") && lines[1].ends_with(",reversed,,,,,,,,,,applied,applied"),
        "{text}"
    );
    assert!(lines[3].contains("held:unknown_transfer"), "{text}");
}

#[tokio::test]
async fn an_import_without_a_report_says_why() {
    let world = World::start().await;
    let none = report(&world, "imp_none").await.unwrap_err();
    assert_eq!(none.code(), Code::NotFound);
    world
        .import("worldpay_returns", "bad.csv", "no,report\n")
        .await;
    let ask = proto::ListImportsRequest::default();
    let listed = world
        .client
        .clone()
        .list_imports(ask)
        .await
        .unwrap()
        .into_inner();
    let rejected = report(&world, &listed.imports[0].import_id)
        .await
        .unwrap_err();
    assert_eq!(rejected.code(), Code::FailedPrecondition);
    assert!(rejected.message().contains("refused whole"), "{rejected:?}");
}

#[tokio::test]
async fn a_bucket_that_fails_is_reported_with_the_import_and_catches_up() {
    let world = World::start().await;
    world.add(Payment::debit("TR1")).await;
    let bucket = world.options.data.join("bucket");
    std::fs::remove_dir_all(&bucket).unwrap();
    let file = Worldpay::new().returned("TR1", "R01");
    let done = world.import("worldpay_returns", "r.csv", file).await;
    assert_eq!(
        done.state(),
        proto::ImportState::Applied,
        "returns do not wait for a bucket"
    );
    eventually("the fault shows", || async {
        import(&world, &done.import_id)
            .await
            .fault
            .contains("There is no bucket")
    })
    .await;
    let waits = report(&world, &done.import_id).await.unwrap_err();
    assert_eq!(waits.code(), Code::FailedPrecondition);
    assert!(waits.message().contains("There is no bucket"), "{waits:?}");
    std::fs::create_dir_all(&bucket).unwrap();
    let shown = reported(&world, &done.import_id).await;
    eventually("the fault is over", || async {
        import(&world, &done.import_id).await.fault.is_empty()
    })
    .await;
    assert!(!shown.archive_key.is_empty());
}

#[tokio::test]
async fn a_report_that_was_changed_in_the_bucket_is_not_passed_off_as_ours() {
    let world = World::start().await;
    world.add(Payment::debit("TR1")).await;
    let file = Worldpay::new().returned("TR1", "R01");
    let done = world.import("worldpay_returns", "r.csv", file).await;
    let shown = reported(&world, &done.import_id).await;
    let path = world.options.data.join("bucket").join(&shown.report_key);
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("reversed", "returned")).unwrap();
    let changed = report(&world, &done.import_id).await.unwrap_err();
    assert_eq!(changed.code(), Code::DataLoss);
    std::fs::remove_file(&path).unwrap();
    let gone = report(&world, &done.import_id).await.unwrap_err();
    assert_eq!(gone.code(), Code::Unavailable);
    assert!(gone.message().contains("is gone"), "{gone:?}");
}
