//! Thirty-one outages, each real: what breaks is a server, a key, a file or a disk, never a
//! stand-in. Each alert's first line must name the cause within ten seconds of the failure.

use std::time::Duration;

use echeck::stack::Service;
use echeck_test_servers::proxy::{BlackHole, Proxy};
use echeck_test_servers::s3;
use echeck_test_servers::sshd::{Account, Sshd};
use echeck_tests::{Tmpfs, Worldpay};

use super::running::{Job, first_line, noon};
use super::setup::{Credentials, Setup};

/// How long an alert may take from the failure on.
const WITHIN: Duration = Duration::from_secs(10);

/// What breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outage {
    HostNameGone,
    PortClosed,
    BlackHoledHost,
    WrongHostKey,
    KeyRefused,
    PasswordExpired,
    DirectoryMissing,
    DirectoryUnreadable,
    NoFile,
    OnlyAStaleFile,
    FileStillGrowing,
    ZeroByteFile,
    FileRejected,
    WrongProfile,
    ConnectionCutInMidDownload,
    ServerSlowToACrawl,
    ServerSilent,
    FileOfAbsurdSize,
    BucketKeyIdWrong,
    BucketSecretWrong,
    BucketMissing,
    BucketForbidden,
    ReportReadableButWrong,
    DatabaseDown,
    DatabaseReadOnly,
    DatabaseLocked,
    AdapterDown,
    TargetDown,
    TargetReadOnly,
    DiskFull,
    EverythingHeld,
}

impl Outage {
    /// What the first line of the alert must say.
    const fn headline(self) -> &'static str {
        match self {
            Self::HostNameGone => "The host name \"sftp.gone.invalid\" does not exist",
            Self::PortClosed => "nothing listens on port",
            Self::BlackHoledHost => "does not answer at all",
            Self::WrongHostKey => "is not the pinned one",
            Self::KeyRefused => "refuses our SSH key for user",
            Self::PasswordExpired => "The password of user",
            Self::DirectoryMissing => "does not exist at the acquirer",
            Self::DirectoryUnreadable => "cannot be listed",
            Self::NoFile => "No new file matching \"ECheckReturnReport_*\"",
            Self::OnlyAStaleFile => "There is only an old file",
            Self::FileStillGrowing => "is still being written",
            Self::ZeroByteFile => "is there, but has no bytes",
            Self::FileRejected => "was rejected as a whole",
            Self::WrongProfile => "does not fit the source's format",
            Self::ConnectionCutInMidDownload => "The connection broke during the download",
            Self::ServerSlowToACrawl => "The SFTP server is too slow",
            Self::ServerSilent => "took our connection, but did not answer the list of",
            Self::FileOfAbsurdSize => {
                "was rejected as a whole: it has 9223372036854775808 bytes, and the limit is"
            }
            Self::BucketKeyIdWrong => "The access key id for the bucket",
            Self::BucketSecretWrong => "The secret access key for the bucket",
            Self::BucketMissing => "There is no bucket named",
            Self::BucketForbidden => "may not",
            Self::ReportReadableButWrong => "in the bucket differs from what was written",
            Self::DatabaseDown => "The returns database is unavailable",
            Self::DatabaseReadOnly => "The returns database is unavailable: it takes no writes",
            Self::DatabaseLocked => {
                "The returns database is unavailable: another session has locked its tables"
            }
            Self::EverythingHeld => {
                "3 of 3 entries of \"ECheckReturnReport_1_20261120.csv\" are held"
            }
            Self::AdapterDown => "The adapter of the database \"rallypay\" does not answer",
            Self::TargetDown => "The database \"rallypay\" is not being updated: ",
            Self::TargetReadOnly => "The database \"rallypay\" is read-only",
            Self::DiskFull => "The disk is full",
        }
    }
}

/// What an outage needs to live as long as its test.
#[derive(Default)]
struct Props {
    proxy: Option<Proxy>,
    _hole: Option<BlackHole>,
    _disk: Option<Tmpfs>,
    growing: Option<tokio::task::JoinHandle<()>>,
    _lock: Option<sqlx::PgConnection>,
}

const FILE: &str = "ECheckReturnReport_1_20261120.csv";

/// A file with one return.
fn good_file() -> String {
    Worldpay::new().returned("TR1", "R01").text()
}

/// A good file of about two million bytes.
fn large_file() -> String {
    let rows = (0..20_000).fold(Worldpay::new(), |file, _| file.returned("TR1", "R01"));
    rows.text()
}

/// The SFTP server that an outage needs.
fn server(outage: Outage) -> Sshd {
    match outage {
        Outage::KeyRefused => Sshd::options().refusing_the_key().start(),
        Outage::PasswordExpired => Sshd::options().with_passwords().start(),
        Outage::DirectoryUnreadable => Sshd::options().denying(&["opendir"]).start(),
        Outage::ServerSilent | Outage::FileOfAbsurdSize => Sshd::options().misbehaving().start(),
        _ => Sshd::start(),
    }
}

/// Breaks what must be broken before the job starts.
fn prepare(outage: Outage, setup: &mut Setup) -> Props {
    let mut props = Props::default();
    match outage {
        Outage::HostNameGone => setup.host = "sftp.gone.invalid".to_owned(),
        Outage::PortClosed => setup.sshd.stop(),
        Outage::BlackHoledHost => {
            let hole = BlackHole::open();
            setup.port = hole.port();
            props._hole = Some(hole);
        }
        Outage::WrongHostKey => setup.host_key = format!("SHA256:{}", "A".repeat(43)),
        Outage::KeyRefused
        | Outage::DirectoryUnreadable
        | Outage::AdapterDown
        | Outage::DatabaseReadOnly
        | Outage::DatabaseLocked
        | Outage::TargetReadOnly
        | Outage::OnlyAStaleFile => setup.publish(FILE, good_file()),
        Outage::EverythingHeld => {
            let ids = ["TR7", "TR8", "TR9"].into_iter();
            let file = ids.fold(Worldpay::new(), |file, id| file.returned(id, "R01"));
            setup.publish(FILE, file.text());
        }
        Outage::PasswordExpired => {
            let account = Account::create();
            account.expire();
            setup.credentials = Credentials::Password(account);
        }
        Outage::DirectoryMissing => setup.directory = "nowhere",
        Outage::NoFile => setup.publish("Other_20261120.csv", "something else"),
        Outage::FileStillGrowing => props.growing = Some(grow(setup)),
        Outage::ZeroByteFile => setup.publish(FILE, ""),
        Outage::FileRejected => {
            setup.publish(FILE, "Case ID,Merchant Order Number\n'70001,FNXTR1\n");
        }
        Outage::WrongProfile => setup.publish(FILE, echeck_tests::funding_rejects(&["TR1"])),
        Outage::ConnectionCutInMidDownload => {
            setup.publish(FILE, large_file());
            let proxy = Proxy::start(setup.sshd.port());
            proxy.cut_after(600_000);
            setup.port = proxy.port();
            props.proxy = Some(proxy);
        }
        Outage::ServerSlowToACrawl => {
            setup.publish(FILE, large_file());
            setup.more_sftp = "least_bytes_per_second = 100000\nslow_after_ms = 1500";
            let proxy = Proxy::start(setup.sshd.port());
            proxy.throttle(20_000);
            setup.port = proxy.port();
            props.proxy = Some(proxy);
        }
        Outage::ServerSilent => setup.sshd.behave("{\"silent\": [\"readdir\"]}"),
        Outage::FileOfAbsurdSize => {
            let behavior = format!("{{\"list\": \"huge\", \"name\": {FILE:?}}}");
            setup.sshd.behave(&behavior);
        }
        Outage::BucketKeyIdWrong => {
            setup.publish(FILE, good_file());
            setup.key.id = "AKIANOBODYKNOWSIT000".to_owned();
        }
        Outage::BucketSecretWrong => {
            setup.publish(FILE, good_file());
            setup.key.secret = "this-is-not-the-secret".to_owned();
        }
        Outage::BucketMissing => {
            setup.publish(FILE, good_file());
            setup.bucket = s3::no_bucket();
        }
        Outage::BucketForbidden => {
            setup.publish(FILE, good_file());
            setup.key = setup.bucket.reader.clone();
        }
        Outage::ReportReadableButWrong => {
            setup.publish(FILE, good_file());
            let proxy = Proxy::start(port_of(&setup.bucket.endpoint));
            // What is read back names another outcome; it is as long as the right one.
            proxy.replace(b"reversed", b"returned");
            setup.bucket.endpoint = format!("http://127.0.0.1:{}", proxy.port());
            props.proxy = Some(proxy);
        }
        Outage::DatabaseDown => {
            let url = setup.databases.returns_db.as_mut().unwrap();
            props.proxy = Some(put_a_proxy_before(url));
        }
        Outage::TargetDown => {
            setup.publish(FILE, good_file());
            let url = setup.databases.rallypay_db.as_mut().unwrap();
            props.proxy = Some(put_a_proxy_before(url));
        }
        Outage::DiskFull => {
            setup.publish(FILE, large_file());
            let spool = setup.folder.path().join("spool");
            props._disk = Some(Tmpfs::mount(&spool, 1_024));
        }
    }
    props
}

fn put_a_proxy_before(database: &mut String) -> Proxy {
    let port = port_of(database);
    let proxy = Proxy::start(port);
    *database = database.replace(&format!(":{port}/"), &format!(":{}/", proxy.port()));
    proxy
}

/// The port in an address such as `http://127.0.0.1:9000` or `postgres://…:5432/name`.
fn port_of(url: &str) -> u16 {
    let (_, end) = url.rsplit_once(':').unwrap();
    end.split('/').next().unwrap().parse().unwrap()
}

/// A file that somebody writes all the time.
fn grow(setup: &Setup) -> tokio::task::JoinHandle<()> {
    let path = setup.outgoing().join(FILE);
    tokio::spawn(async move {
        let mut text = good_file();
        loop {
            std::fs::write(&path, &text).unwrap();
            text.push_str("'70001,'8399TR1,FNXTR1,789,R01,NSF,11/16/2026,11/17/2026,USD,50.00\n");
            tokio::time::sleep(Duration::from_millis(40)).await;
        }
    })
}

/// Breaks what breaks while the job runs.
async fn strike(outage: Outage, job: &mut Job, props: &mut Props) {
    match outage {
        Outage::OnlyAStaleFile => {
            let run = job.run().await;
            assert_eq!(run.files.len(), 1, "yesterday's file is taken: {run:?}");
            // The next morning the acquirer still shows it.
            job.setup.publish(FILE, good_file());
        }
        // Nothing answers on its port any more.
        Outage::DatabaseDown | Outage::TargetDown => drop(props.proxy.take()),
        Outage::AdapterDown => job
            .stack
            .stop_service(Service::RallypayAdapter)
            .await
            .unwrap(),
        Outage::DatabaseReadOnly => {
            make_read_only(job.setup.databases.returns_db.as_ref().unwrap()).await
        }
        Outage::DatabaseLocked => {
            let url = job.setup.databases.returns_db.as_ref().unwrap();
            props._lock = Some(lock(url).await);
        }
        Outage::TargetReadOnly => {
            make_read_only(job.setup.databases.rallypay_db.as_ref().unwrap()).await
        }
        _ => {}
    }
}

/// Locks the end of the journal, as a change of the schema does.
async fn lock(url: &str) -> sqlx::PgConnection {
    use sqlx::{Connection as _, Executor as _};
    let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
    let sql = "BEGIN; LOCK TABLE journal_head IN ACCESS EXCLUSIVE MODE";
    connection.execute(sqlx::raw_sql(sql)).await.unwrap();
    connection
}

/// Sets a PostgreSQL database read-only, and ends the connections that began before.
async fn make_read_only(url: &str) {
    use sqlx::Connection as _;
    let (server, name) = url.rsplit_once('/').unwrap();
    let mut connection = sqlx::PgConnection::connect(&format!("{server}/postgres"))
        .await
        .unwrap();
    for sql in [
        format!("ALTER DATABASE {name} SET default_transaction_read_only = on"),
        format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"),
    ] {
        sqlx::query(sqlx::AssertSqlSafe(sql))
            .execute(&mut connection)
            .await
            .unwrap();
    }
}

async fn is_named_in_the_first_line(outage: Outage) {
    let mut setup = Setup::with_server(server(outage)).await;
    let mut props = prepare(outage, &mut setup);
    let mut job = Job::start(setup).await;
    job.add_debits(&["TR1"]).await;
    strike(outage, &mut job, &mut props).await;
    // The clock moves past the due time, and the job meets the outage.
    job.clock.set(noon(0));
    let alert = job.alert(outage.headline(), WITHIN).await;
    if outage == Outage::TargetDown {
        assert!(first_line(&alert).contains("Connection refused"), "{alert}");
    }
    // An alert says more than its first line, and never a secret.
    assert!(alert.contains("What to do"), "{alert}");
    assert!(!alert.contains(&job.setup.key.secret), "{alert}");
    if let Credentials::Password(account) = &job.setup.credentials {
        assert!(!alert.contains(&account.password), "{alert}");
    }
    assert!(!first_line(&alert).is_empty());
    if let Some(growing) = props.growing {
        growing.abort();
    }
}

/// The run of another source that finds nothing writes nothing, and so shows nothing of the disk.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_well_again_when_a_file_was_written_and_not_before() {
    let mut setup = Setup::with_server(server(Outage::DiskFull)).await;
    let props = prepare(Outage::DiskFull, &mut setup);
    let job = Job::start(setup).await;
    job.add_debits(&["TR1"]).await;
    job.clock.set(noon(0));
    job.alert(Outage::DiskFull.headline(), WITHIN).await;
    job.wait_for_a_look().await;
    let over = "Recovered after";
    let mails = job.setup.mail.mails();
    let early = mails.iter().find(|mail| mail.body.starts_with(over));
    assert!(early.is_none(), "{early:?}");

    // A smaller file fits.
    job.setup.publish(FILE, good_file());
    job.run().await;
    job.alert(over, WITHIN).await;
    drop(props);
}

/// One test for each row of the table.
macro_rules! outages {
    ($($name:ident: $outage:ident,)*) => {
        $(#[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            is_named_in_the_first_line(Outage::$outage).await;
        })*
    };
}

outages! {
    a_host_name_that_is_gone: HostNameGone,
    a_closed_port: PortClosed,
    a_black_holed_host: BlackHoledHost,
    a_wrong_host_key: WrongHostKey,
    a_key_that_is_refused: KeyRefused,
    an_expired_password: PasswordExpired,
    a_missing_directory: DirectoryMissing,
    an_unreadable_directory: DirectoryUnreadable,
    no_file: NoFile,
    only_a_stale_file: OnlyAStaleFile,
    a_file_that_still_grows: FileStillGrowing,
    a_file_without_bytes: ZeroByteFile,
    a_file_that_is_rejected: FileRejected,
    a_wrong_profile: WrongProfile,
    a_connection_cut_in_mid_download: ConnectionCutInMidDownload,
    a_server_slow_to_a_crawl: ServerSlowToACrawl,
    a_server_that_is_silent: ServerSilent,
    a_file_said_to_be_two_to_the_63_bytes_long: FileOfAbsurdSize,
    a_wrong_key_id_of_the_bucket: BucketKeyIdWrong,
    a_wrong_secret_of_the_bucket: BucketSecretWrong,
    a_missing_bucket: BucketMissing,
    a_forbidden_bucket: BucketForbidden,
    a_report_that_reads_back_wrong: ReportReadableButWrong,
    a_database_that_is_down: DatabaseDown,
    a_database_that_is_read_only: DatabaseReadOnly,
    a_database_that_is_locked: DatabaseLocked,
    a_file_that_is_held_whole: EverythingHeld,
    an_adapter_that_is_down: AdapterDown,
    a_target_that_is_down: TargetDown,
    a_target_that_is_read_only: TargetReadOnly,
    a_full_disk: DiskFull,
}
