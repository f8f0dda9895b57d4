//! Outages, each real: what breaks is a server, a key, a file, a disk or a line, never a stand-in.
//! Everything that may wait does so as long as it does where nobody sets it, and each alert's first
//! line must name the cause soon after the failure. `echeck diagnose` must find it at the
//! same moment. `scripts/outages` records how long each alert took in docs/alerts.md.

mod prepare;
mod props;
mod recovery;
mod strike;
mod together;

use std::time::Duration;

use echeck_proto::returns::v1 as proto;
use echeck_test_servers::dns::{self, Answering};
use echeck_tests::eventually;
use tokio::time::Instant;

use super::running::{Job, first_line, noon};
use super::setup::{Credentials, Setup};
use prepare::{prepare, server};
use props::Props;
use strike::strike;

/// How long an alert may take from the failure on, on a machine that does much else. The promise is
/// ten seconds; `scripts/outages` holds them to it.
const WITHIN: Duration = Duration::from_secs(15);

/// One row of the table is a test, what breaks, and what the first line of the alert must say.
macro_rules! outages {
    ($($name:ident: $outage:ident => $headline:expr,)*) => {
        /// What breaks.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        enum Outage {
            $($outage,)*
        }

        impl Outage {
            /// What the first line of the alert must say.
            const fn headline(self) -> &'static str {
                match self {
                    $(Self::$outage => $headline,)*
                }
            }

            /// The name of its test.
            const fn test(self) -> &'static str {
                match self {
                    $(Self::$outage => stringify!($name),)*
                }
            }
        }

        $(#[test]
        fn $name() {
            run(Outage::$outage);
        })*
    };
}

outages! {
    a_host_name_that_is_gone: HostNameGone => "The host name \"sftp.gone.invalid\" does not exist",
    a_name_server_that_fails: NameServerFails
        => "cannot be resolved: the name server answers with a failure",
    a_name_server_that_is_silent: NameServerSilent
        => "cannot be resolved: the name server does not answer",
    a_closed_port: PortClosed => "nothing listens on port",
    a_black_holed_host: BlackHoledHost => "does not answer at all",
    a_port_that_closes_each_connection: PortClosesConnections => "the SSH handshake fails",
    a_web_server_in_place_of_the_sftp_server: NotAnSshServer => "the SSH handshake fails",
    a_frozen_sftp_server: SftpServerFrozen => "takes connections, but does not answer the SSH handshake",
    a_wrong_host_key: WrongHostKey => "is not the pinned one",
    a_key_that_is_refused: KeyRefused => "refuses our SSH key for user",
    a_key_file_that_is_gone: KeyFileGone => "Our own private_key cannot be used",
    a_key_file_that_is_garbled: KeyFileGarbled => "Our own private_key cannot be used",
    a_wrong_password: PasswordWrong => "refuses our password for user",
    an_expired_password: PasswordExpired => "The password of user",
    an_expired_password_of_which_the_server_says_nothing: PasswordExpiredMute
        => "as for a password that has expired, or a user whose shell is /bin/false",
    an_account_without_a_shell: AccountWithoutShell => "but gives it no SFTP service",
    a_log_in_that_hangs: LogInHangs => "does not answer the log-in",
    a_missing_directory: DirectoryMissing => "does not exist at the acquirer",
    an_unreadable_directory: DirectoryUnreadable => "cannot be listed",
    a_folder_that_is_gone: FolderGone => "/beat\" does not exist",
    no_file: NoFile => "No new file matching \"ECheckReturnReport_*\"",
    only_a_stale_file: OnlyAStaleFile => "There is only an old file",
    a_file_without_its_marker: FileUnmarked => "is there, but its marker",
    a_file_that_still_grows: FileStillGrowing => "is still being written",
    a_file_without_bytes: ZeroByteFile => "is there, but has no bytes",
    a_file_that_may_not_be_read: FileMayNotBeRead => "refused the request to read",
    a_file_that_is_rejected: FileRejected => "was rejected as a whole",
    a_web_page_in_place_of_the_file: FileIsHtml => "HTML",
    a_pdf_in_place_of_the_file: FileIsPdf => "PDF",
    a_garbled_gzip_file: FileGarbled => "could not be unpacked",
    a_wrong_profile: WrongProfile => "does not fit the source's format",
    a_file_said_to_be_two_to_the_63_bytes_long: FileOfAbsurdSize
        => "was rejected as a whole: it has 9223372036854775808 bytes, and the limit is",
    a_file_that_may_not_be_moved: CannotArchive => "could not be archived at the acquirer",
    a_file_that_is_held_whole: EverythingHeld
        => "3 of 3 entries of \"ECheckReturnReport_1_20261120.csv\" are held",
    a_connection_cut_in_mid_download: ConnectionCutInMidDownload
        => "The connection broke during the download",
    a_download_that_stalls: DownloadStalls => "did not answer the request for more of",
    a_server_slow_to_a_crawl: ServerSlowToACrawl => "The SFTP server is too slow",
    a_server_that_is_silent: ServerSilent
        => "took our connection, but did not answer the list of",
    a_wrong_key_id_of_the_bucket: BucketKeyIdWrong => "The access key id for the bucket",
    a_wrong_secret_of_the_bucket: BucketSecretWrong => "The secret access key for the bucket",
    a_missing_bucket: BucketMissing => "There is no bucket named",
    a_forbidden_bucket: BucketForbidden => "may not",
    a_bucket_that_is_down: BucketDown => "cannot be reached: Connection refused",
    a_bucket_that_goes_down_while_nothing_is_stored: BucketDownAtRest
        => "cannot be reached: Connection refused",
    a_bucket_that_is_silent: BucketSilent => "cannot be reached: no answer within",
    a_web_page_in_place_of_the_bucket: BucketBehindWebPage
        => "cannot be reached: something else answers in its place",
    a_bucket_that_is_too_busy: BucketBusy => "Please reduce your request rate. (SlowDown)",
    a_bucket_with_an_answer_that_nobody_knows: BucketOddAnswer => "we are closed",
    a_report_that_reads_back_wrong: ReportReadableButWrong
        => "in the bucket differs from what was written",
    a_database_that_is_down: DatabaseDown
        => "The returns database is unavailable: ",
    a_database_that_is_silent: DatabaseSilent
        => "The returns database is unavailable: it does not answer within",
    a_database_that_takes_no_connections: DatabaseClosed
        => "is not currently accepting connections",
    a_database_without_a_free_slot: DatabaseWithoutSlot
        => "The returns database is unavailable: it has no connection slot free",
    a_database_whose_account_lacks_a_right: DatabaseRightTaken
        => "The returns database is unavailable: its account lacks a right",
    a_database_whose_account_may_not_record_runs: DatabaseRunsRightTaken
        => "The returns database is unavailable: its account lacks a right (INSERT on job_runs)",
    a_database_that_takes_no_log_in_any_more: DatabaseNoLogIn
        => "is not permitted to log in",
    a_database_with_a_locked_row: DatabaseRowLocked
        => "The returns database is unavailable: another session holds a lock that our work waits \
            for (process ",
    a_database_that_cancels_statements: DatabaseTimesOut
        => "The returns database is unavailable: it canceled the statement",
    a_database_on_a_full_disk: DatabaseDiskFull
        => "The returns database is unavailable: its disk is full",
    a_database_that_is_read_only: DatabaseReadOnly
        => "The returns database is unavailable: it takes no writes",
    a_database_that_is_locked: DatabaseLocked
        => "The returns database is unavailable: another session has locked its tables",
    a_database_with_a_locked_table: DatabaseTableLocked
        => "The returns database is unavailable: another session has locked its tables",
    an_adapter_that_is_down: AdapterDown
        => "The adapter of the database \"rallypay\" does not answer",
    an_adapter_that_is_frozen: AdapterFrozen
        => "The adapter of the database \"rallypay\" does not answer",
    a_target_that_is_down: TargetDown => "The database \"rallypay\" is not being updated: ",
    a_target_that_is_silent: TargetSilent => "no answer within 1500 ms",
    a_target_that_is_read_only: TargetReadOnly => "The database \"rallypay\" is read-only",
    a_target_with_a_locked_table: TargetTableLocked
        => "another session has locked the table \"transactions\"",
    a_target_without_its_table: TargetTableGone
        => "The database \"rallypay\" is not being updated: ",
    a_target_that_refuses_the_change: TargetRefuses
        => "The database \"rallypay\" refused 1 change",
    a_target_that_was_emptied: TargetEmptied
        => "The adapter of the database \"rallypay\" points at another database",
    a_target_that_is_known_under_another_name: TargetSwapped => "were swapped",
    a_target_of_another_installation: TargetOfAnotherInstallation => "it follows another journal",
    a_system_of_record_that_is_down: GatewayDown => "The database \"gateway\" is not being updated",
    a_system_of_record_with_a_locked_table: GatewayTableLocked
        => "another session has locked the table \"transfers\"",
    a_system_of_record_that_refuses_the_change: GatewayRefuses
        => "The database \"gateway\" refused 1 change",
    a_full_disk: DiskFull => "The disk is full",
    a_disk_without_room_for_another_file: DiskWithoutInodes => "The disk is full",
    a_spool_that_is_gone: SpoolGone => "The spool ",
    a_spool_that_is_read_only: SpoolReadOnly => "The spool ",
    a_clock_that_is_ahead: ClockAhead => "The clock of this machine is wrong: it is 95 s ahead of",
    an_alert_channel_that_is_down: ChannelDown => "Alerts cannot be delivered by hook",
}

impl Outage {
    /// The name server behind which it happens, if it is one.
    fn name_server(self) -> Option<Answering> {
        match self {
            Self::NameServerFails => Some(Answering::Failure),
            Self::NameServerSilent => Some(Answering::Silence),
            _ => None,
        }
    }

    /// Whether something must have been taken and applied before.
    fn needs_a_run_before(self) -> bool {
        matches!(self, Self::OnlyAStaleFile | Self::TargetEmptied)
    }

    /// How long the job works until it meets the outage: it lists twice first, settle_ms apart.
    fn lead(self) -> Duration {
        match self {
            Self::DownloadStalls
            | Self::ServerSlowToACrawl
            | Self::BucketSilent
            | Self::DatabaseRowLocked => Duration::from_secs(5),
            _ => Duration::ZERO,
        }
    }
}

fn run(outage: Outage) {
    let test = format!("outages::{}", outage.test());
    if let Some(answering) = outage.name_server()
        && dns::ran_behind(answering, &test)
    {
        return;
    }
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.enable_all().build().unwrap();
    runtime.block_on(is_named_in_the_first_line(outage));
}

async fn is_named_in_the_first_line(outage: Outage) {
    let (mut job, mut props) = begin(outage).await;
    if outage.needs_a_run_before() {
        let run = job.run().await;
        assert_eq!(run.files.len(), 1, "yesterday's file is taken: {run:?}");
    }
    let failed_at = Instant::now();
    strike(outage, &mut job, &mut props).await;
    // The clock moves past the due time, and the job meets the outage.
    job.clock.set(noon(0));
    let lead = outage.lead();
    let alert = job.alert(outage.headline(), WITHIN + lead).await;
    let took = failed_at.elapsed().saturating_sub(lead);
    // An alert says more than its first line, and never a secret.
    if outage != Outage::ChannelDown {
        assert!(alert.contains("What to do"), "{alert}");
    }
    assert!(!alert.contains(&job.setup.key.secret), "{alert}");
    if let Credentials::Password(account) = &job.setup.credentials {
        assert!(!alert.contains(&account.password), "{alert}");
    }
    is_found_by_diagnose(&job, first_line(&alert)).await;
    record(outage, took, first_line(&alert));
    props.end();
}

/// A job that works, up to what must be broken before it starts.
async fn begin(outage: Outage) -> (Job, Props) {
    let mut setup = Setup::with_server(server(outage)).await;
    setup.shipped = true;
    let props = prepare(outage, &mut setup).await;
    let job = Job::start(setup).await;
    job.add_debits(&["TR1"]).await;
    // The service has met both databases.
    for target in [job.gateway(), job.rallypay()] {
        eventually("the database is claimed", async || {
            let mut connection = target.connect().await.unwrap();
            let claims = connection
                .value("SELECT count(*) FROM echeck_identity")
                .await;
            claims.unwrap().as_deref() == Some("1")
        })
        .await;
    }
    (job, props)
}

/// What an alert names, `echeck diagnose` finds at the same moment: as its first line, as a check that
/// failed, or as an incident that is open.
async fn is_found_by_diagnose(job: &Job, headline: &str) {
    let ask = proto::DiagnoseRequest::default();
    let found = job.operations.clone().diagnose(ask).await.unwrap();
    let found = found.into_inner();
    assert!(!found.healthy, "diagnose says that all works: {headline}");
    let failed = found.checks.iter().map(|check| &check.evidence);
    let open = found.incidents.iter().map(|incident| &incident.headline);
    // Some say how long was waited, or what was seen last.
    let start: String = headline.chars().take(60).collect();
    let named = |text: &String| text.contains(&start) || *text == found.headline;
    assert!(
        failed.chain(open).chain([&found.headline]).any(named),
        "{headline} is not in {found:#?}"
    );
}

/// Keeps how long an alert took, for `scripts/outages`.
fn record(outage: Outage, took: Duration, line: &str) {
    if let Some(folder) = std::env::var_os("ECHECK_RECORD_OUTAGES") {
        let file = std::path::Path::new(&folder).join(outage.test());
        let text = format!("{:.1}\t{line}\n", took.as_secs_f64());
        std::fs::write(file, text).unwrap();
    }
}
