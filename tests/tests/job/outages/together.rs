//! Several things at once: each is named, and one cause of several problems is told once.

use echeck_test_servers::proxy::Proxy;

use super::prepare::{FILE, good_file, port_of, put_a_proxy_before};
use super::{Outage, WITHIN, is_found_by_diagnose};
use crate::running::{Job, first_line, noon};
use crate::setup::Setup;

async fn shipped() -> Setup {
    let mut setup = Setup::new().await;
    setup.shipped = true;
    setup
}

async fn both_are_named(job: &Job, headlines: [&str; 2]) {
    job.clock.set(noon(0));
    for headline in headlines {
        let alert = job.alert(headline, WITHIN).await;
        is_found_by_diagnose(job, first_line(&alert)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_port_and_a_mirror_that_is_down() {
    let mut setup = shipped().await;
    setup.sshd.stop();
    let proxy = setup.databases.rallypay_db.as_mut().map(put_a_proxy_before);
    let job = Job::start(setup).await;
    drop(proxy);
    let headlines = [Outage::PortClosed, Outage::TargetDown].map(Outage::headline);
    both_are_named(&job, headlines).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_is_down_and_a_mirror_that_is_down() {
    let mut setup = shipped().await;
    setup.publish(FILE, good_file());
    let bucket = Proxy::start(port_of(&setup.bucket.endpoint));
    setup.bucket.endpoint = format!("http://127.0.0.1:{}", bucket.port());
    let mirror = setup.databases.rallypay_db.as_mut().map(put_a_proxy_before);
    let job = Job::start(setup).await;
    job.add_debits(&["TR1"]).await;
    drop((bucket, mirror));
    let headlines = [Outage::BucketDown, Outage::TargetDown].map(Outage::headline);
    both_are_named(&job, headlines).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_ahead_and_a_file_that_is_missing_for_it() {
    let mut setup = shipped().await;
    setup.machine_ahead = chrono::TimeDelta::seconds(95);
    let job = Job::start(setup).await;
    job.clock.set(noon(0));
    let alert = job.alert(Outage::ClockAhead.headline(), WITHIN).await;
    is_found_by_diagnose(&job, first_line(&alert)).await;
    // The file may be missing only because the clock is wrong.
    let found = |mails: Vec<echeck_test_servers::smtp::Mail>| {
        mails
            .into_iter()
            .any(|mail| mail.body.contains("Observed as") && mail.body.contains("No new file"))
    };
    echeck_tests::eventually("the missing file is told as a consequence", async || {
        found(job.setup.mail.mails())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn six_sources_on_one_dead_host_are_one_alert_with_six_sources() {
    let mut setup = shipped().await;
    setup.sshd.stop();
    six_sources_are_one_alert(setup, Outage::PortClosed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn six_sources_on_one_frozen_server_are_one_alert_with_six_sources() {
    let setup = shipped().await;
    setup.sshd.freeze();
    six_sources_are_one_alert(setup, Outage::SftpServerFrozen).await;
}

async fn six_sources_are_one_alert(mut setup: Setup, outage: Outage) {
    let own = setup.toml();
    let (_, section) = own.split_once("[sources.worldpay]").unwrap();
    let (section, _) = section.split_once("[sources.beat]").unwrap();
    for name in ["amex", "bofa", "chase", "citi", "usbank"] {
        let section = section.replace("sources.worldpay", &format!("sources.{name}"));
        setup.more.push_str(&format!("[sources.{name}]{section}"));
    }
    let job = Job::start(setup).await;
    job.clock.set(noon(0));
    let alert = job.alert(outage.headline(), WITHIN).await;
    let six = "amex, bofa, chase, citi, usbank, worldpay";
    assert!(alert.contains(six), "{alert}");
    // Each of the six has met it.
    echeck_tests::eventually("six runs have failed", async || {
        let mut failed = 0;
        for name in six.split(", ") {
            let runs = job.runs_of(name).await;
            failed += usize::from(runs.iter().any(|run| run.ended_at.is_some()));
        }
        failed == 6
    })
    .await;
    job.wait_for_a_look().await;
    let mails = job.setup.mail.mails();
    let lines: Vec<&str> = mails.iter().map(|mail| first_line(&mail.body)).collect();
    assert_eq!(lines.len(), 1, "{lines:#?}");
    let subject = mails[0].header("subject").unwrap();
    assert!(subject.contains("6 sources"), "{subject}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_was_killed_is_told_by_the_next_one() {
    let setup = shipped().await;
    let spool = setup.folder.path().join("spool");
    std::fs::create_dir_all(&spool).unwrap();
    let host = echeck_service::machine::host_name();
    let note = format!(
        "{{\"pid\": 4711, \"started_at\": \"2026-11-20T06:00:00Z\", \"started_ticks\": 1, \
         \"boot_id\": {:?}, \"failed\": null}}",
        echeck_service::machine::boot_id()
    );
    std::fs::write(spool.join(format!("process-{host}-0.json")), note).unwrap();
    let job = Job::start(setup).await;
    let alert = job
        .alert("it was killed or crashed (process 4711", WITHIN)
        .await;
    assert!(alert.contains("What to do"), "{alert}");
}
