//! Uploads whose caller goes away at every moment: what stays in the spool is an import's.

use std::time::Duration;

use echeck_proto::returns::v1 as proto;
use echeck_tests::{World, Worldpay, eventually, spooled};
use proto::import_file_request::Part;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};

/// Sends a file, and goes away `after` its last chunk was handed over.
async fn cancelled(world: &World, name: &str, dry_run: bool, after: Duration) {
    let header = proto::ImportFileHeader {
        source: "worldpay_returns".to_owned(),
        file_name: name.to_owned(),
        dry_run,
        ..Default::default()
    };
    // The name makes the bytes of each file its own.
    let file = Worldpay::new().returned(name, "R01").text();
    let parts = [Part::Header(header), Part::Chunk(file.into_bytes())];
    let parts = parts.map(|part| proto::ImportFileRequest { part: Some(part) });
    let mut client = world.client.clone();
    let call = client.import_file(tokio_stream::iter(parts));
    // Too late is one of the moments as well.
    let _ = tokio::time::timeout(after, call).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_upload_leaves_no_file_that_no_import_names() {
    let world = World::start().await;
    let folder = world.options.data.join("spool");
    for moment in 0..60_u64 {
        let after = Duration::from_micros(400 * moment);
        cancelled(&world, &format!("TR{moment}"), moment % 4 == 0, after).await;
    }
    let database = SqliteConnectOptions::new().filename(world.options.data.join("returns.db"));
    let database = SqlitePool::connect_with(database).await.unwrap();
    // A call that was cancelled may still be at work.
    let (database, folder) = (&database, &folder);
    eventually("every file in the spool is an import's", || async move {
        let named: Vec<String> = sqlx::query_scalar("SELECT spool_name FROM imports")
            .fetch_all(database)
            .await
            .unwrap();
        spooled(folder).iter().all(|file| named.contains(file))
    })
    .await;
    world.stack.stop().await.unwrap();
}
