//! How fast a file comes from a real sshd on this machine into the spool, encrypted, hashed and
//! on disk. It is measured in release mode, by hand:
//!
//! ```text
//! cargo test --release -p returns-service --lib -- --ignored --nocapture sftp_throughput
//! ```
//!
//! `ECHECK_BENCH_MB` sets the file's size (524) and `ECHECK_BENCH_ROUNDS` how often it is taken
//! (3).

use std::time::Instant;

use super::*;

fn number(variable: &str, default: u64) -> u64 {
    let set = std::env::var(variable).ok();
    set.map_or(default, |text| text.parse().unwrap())
}

#[tokio::test]
#[ignore = "a measurement, to be run in release mode on an idle machine"]
async fn sftp_throughput() {
    let megabytes = number("ECHECK_BENCH_MB", 524);
    let sshd = Sshd::start();
    let block: Vec<u8> = (0..250_000_u32).flat_map(u32::to_le_bytes).collect();
    let mut file = std::fs::File::create(sshd.data().join("r.csv")).unwrap();
    for _ in 0..megabytes {
        std::io::Write::write_all(&mut file, &block).unwrap();
    }
    let source = source("sftp", &format!("{}complete = \"rename\"\n", sshd.toml()));
    let incidents = IncidentReporter::new();
    let mut session = source.location.open().await.unwrap();
    let file = only(&session.list_complete().await.unwrap());
    for round in 1..=number("ECHECK_BENCH_ROUNDS", 3) {
        let started = Instant::now();
        let new = incidents.fetch(&mut session, &file, &source).await.unwrap();
        let took = started.elapsed();
        assert_eq!(new.size_bytes, megabytes * 1_000_000);
        let per_second = u128::from(megabytes) * 1_000 / took.as_millis().max(1);
        println!("round {round}: {megabytes} MB in {took:.2?} = {per_second} MB/s");
        incidents.spool.remove(&new.spool_name).unwrap();
    }
    session.close().await;
}
