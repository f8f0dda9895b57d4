//! What is over is told, once.

use std::time::Duration;

use super::prepare::{FILE, good_file};
use super::{Outage, WITHIN, begin, strike};
use crate::running::{Job, first_line, noon};

/// The mails that say that something is over.
fn recoveries(job: &Job) -> Vec<String> {
    let mails = job.setup.mail.mails().into_iter();
    let lines = mails.map(|mail| first_line(&mail.body).to_owned());
    lines
        .filter(|line| line.starts_with("Recovered after"))
        .collect()
}

/// The mails that say that something is wrong.
fn alarms(job: &Job) -> Vec<String> {
    let mails = job.setup.mail.mails().into_iter();
    let lines = mails.map(|mail| first_line(&mail.body).to_owned());
    lines
        .filter(|line| !line.starts_with("Recovered after"))
        .collect()
}

/// It is told that it is over, and then nothing else: what had waited meanwhile is no new problem.
async fn its_recovery_is_told_once(outage: Outage) {
    let (mut job, mut props) = begin(outage).await;
    strike(outage, &mut job, &mut props).await;
    job.clock.set(noon(0));
    job.alert(outage.headline(), WITHIN + outage.lead()).await;
    // The line works again, the lock is gone.
    if let Some(proxy) = &props.proxy {
        proxy.pass();
    }
    drop((props.postgres.take(), props.mariadb.take()));
    job.alert("Recovered after", Duration::from_secs(60)).await;
    job.wait_for_a_look().await;
    let over = recoveries(&job);
    assert_eq!(over.len(), 1, "{over:#?}");
    let alarms = alarms(&job);
    assert_eq!(alarms.len(), 1, "{alarms:#?}");
    props.end();
}

macro_rules! recoveries {
    ($($name:ident: $outage:ident,)*) => {
        $(#[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            its_recovery_is_told_once(Outage::$outage).await;
        })*
    };
}

recoveries! {
    a_target_that_was_silent_and_answers: TargetSilent,
    an_adapter_that_was_frozen_and_is_not: AdapterFrozen,
    a_database_that_was_silent_and_answers: DatabaseSilent,
    a_database_that_was_locked_and_is_not: DatabaseLocked,
    a_target_that_was_locked_and_is_not: TargetTableLocked,
    a_system_of_record_that_was_locked_and_is_not: GatewayTableLocked,
    a_bucket_that_was_silent_and_answers: BucketSilent,
}

/// The run of another source that finds nothing writes nothing, and so shows nothing of the disk.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_well_again_when_a_file_was_written_and_not_before() {
    let (job, props) = begin(Outage::DiskFull).await;
    job.clock.set(noon(0));
    job.alert(Outage::DiskFull.headline(), WITHIN).await;
    job.wait_for_a_look().await;
    let early = recoveries(&job);
    assert!(early.is_empty(), "{early:?}");

    // A smaller file fits.
    job.setup.publish(FILE, good_file());
    echeck_tests::eventually("the file is taken", async || {
        job.run().await;
        let files = job.runs().await.into_iter().flat_map(|run| run.files);
        let mut imports = files.map(|file| file.import_id);
        imports.any(|import_id| !import_id.is_empty())
    })
    .await;
    job.alert("Recovered after", WITHIN).await;
    props.end();
}
