//! What an import costs, and what a service costs that has nothing to do.

use std::time::Duration;

use echeck::database::DatabaseArguments;
use echeck_proto::returns::v1 as proto;
use echeck_tests::{Fleet, Worldpay};
use proto::import_file_request::Part;
use proto::returns_service_client::ReturnsServiceClient;
use sqlx::{Connection as _, Executor as _, PgConnection};

use crate::counted::{executed, executed_since, name_of, scanned};

/// The payments of each database: so many that scanning them would be a fault.
const PAYMENTS: usize = 100_000;

const RETURNS: usize = 10_000;

/// The most statements of each database for all returns. Batches have 1,000 rows, and nothing is
/// executed for each return. What a service executes by the clock is among them: on a slow machine
/// an import of half a minute had 1,100 in the returns database.
const MOST: [(&str, i64); 3] = [("returns", 2_000), ("gateway", 800), ("rallypay", 800)];

/// How long the idle services are watched, and the most statements of all databases in that time.
const IDLE: (Duration, i64) = (Duration::from_secs(10), 1_000);

async fn fill(gateway: &str, rallypay: &str) {
    for (url, insert, analyze) in [
        (
            gateway,
            "INSERT INTO transfers (id, type, state, amount, trace_id, payment_id, application, \
             merchant_identity, created_at, updated_at) SELECT 'TR' || n, 'DEBIT', 'SUCCEEDED', 5000, \
             'FNXTR' || n, '8399TR' || n, 'AP', 'ID', now(), now() FROM generate_series(1, 100000) n",
            "ANALYZE transfers",
        ),
        (
            rallypay,
            "INSERT INTO transactions (transfer_id, status, amount_cents, created_at, updated_at) \
             SELECT 'TR' || n, 'succeeded', 5000, now(), now() FROM generate_series(1, 100000) n",
            "ANALYZE transactions",
        ),
    ] {
        let mut owner = PgConnection::connect(url).await.unwrap();
        owner.execute(insert).await.unwrap();
        owner.execute(analyze).await.unwrap();
        owner.close().await.unwrap();
    }
}

/// A file with a return of every tenth payment.
fn file() -> Vec<u8> {
    let every_tenth = (0..RETURNS).map(|number| number * (PAYMENTS / RETURNS) + 1);
    let file = every_tenth.fold(Worldpay::new(), |file, number| {
        let case_id = format!("C{number}");
        file.returned(&format!("TR{number}"), "R01")
            .case_id(&case_id)
    });
    file.into()
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_returns_cost_statements_by_the_batch_and_scan_no_table() {
    let folder = tempfile::tempdir().unwrap();
    let urls = [
        echeck_test_servers::postgres().await,
        echeck_test_servers::postgres().await,
        echeck_test_servers::postgres().await,
    ];
    let [returns, gateway, rallypay] = urls.clone();
    let databases = DatabaseArguments {
        returns_db: Some(returns),
        gateway_db: Some(gateway.clone()),
        rallypay_db: Some(rallypay.clone()),
    };
    let fleet = Fleet::start_on(folder.path(), &databases, |program| match program {
        "returns-service" => "[sources.worldpay_returns]\nformat = \"worldpay_echeck_return\"\n\
                              [reversals]\nready = \"by_hand\"\n"
            .to_owned(),
        _ => String::new(),
    })
    .await;
    fill(&gateway, &rallypay).await;
    let channel = fleet.connect().await;
    let names: Vec<String> = urls.iter().map(|url| name_of(url)).collect();

    let header = proto::ImportFileHeader {
        source: "worldpay_returns".to_owned(),
        file_name: "r.csv".to_owned(),
        wait: proto::WaitLevel::Applied.into(),
        ..proto::ImportFileHeader::default()
    };
    let file = file();
    let chunks = file
        .chunks(512 << 10)
        .map(|chunk| Part::Chunk(chunk.to_vec()));
    let parts: Vec<_> = [Part::Header(header)]
        .into_iter()
        .chain(chunks)
        .map(|part| proto::ImportFileRequest { part: Some(part) })
        .collect();
    let before = executed(&names).await;
    let imported = ReturnsServiceClient::new(channel)
        .import_file(tokio_stream::iter(parts))
        .await
        .unwrap()
        .into_inner()
        .file_import
        .unwrap();
    assert_eq!(imported.totals.unwrap().reversed.unwrap().count, 10_000);
    let all = executed_since(&names, &before).await;
    for (name, (what, most)) in names.iter().zip(MOST) {
        let of_it: Vec<_> = all
            .iter()
            .filter(|(sql, _)| sql.starts_with(name))
            .collect();
        let calls: i64 = of_it.iter().map(|(_, calls)| calls).sum();
        eprintln!("{what}: {calls} statements");
        assert!(calls > 0 && calls <= most, "{what}: {calls}: {of_it:#?}");
    }

    let (watched, most) = IDLE;
    let before = executed(&names).await;
    tokio::time::sleep(watched).await;
    let all = executed_since(&names, &before).await;
    let calls: i64 = all.iter().map(|(_, calls)| calls).sum();
    eprintln!("idle: {calls} statements in {watched:?}");
    assert!(calls <= most, "{calls}: {all:#?}");

    for process in [fleet.returns, fleet.gateway, fleet.rallypay] {
        process.kill();
    }
    for url in &urls {
        for (table, read, rows) in scanned(url, RETURNS as i64).await {
            eprintln!("{table}: {read} rows read by scans of all {rows}");
            assert!(read < RETURNS as i64, "{table}: {read} of {rows}");
        }
    }
}
