//! What must be broken before the job starts.

use std::time::Duration;

use chrono::TimeDelta;
use echeck_test_servers::http::{Answer, HttpReceiver};
use echeck_test_servers::own_postgres::OwnPostgres;
use echeck_test_servers::proxy::{BlackHole, Proxy};
use echeck_test_servers::s3;
use echeck_test_servers::sshd::{Account, Sshd};
use echeck_tests::{Tmpfs, Worldpay};

use super::Outage;
use super::props::Props;
use super::strike::postgres;
use crate::setup::{Credentials, Setup};

pub(super) const FILE: &str = "ECheckReturnReport_1_20261120.csv";

/// The size of the disk below the returns database's own server.
pub(super) const DISK_KIB: u32 = 80 << 10;

/// A file with one return.
pub(super) fn good_file() -> String {
    Worldpay::new().returned("TR1", "R01").text()
}

/// A good file of about two million bytes.
fn large_file() -> String {
    let rows = (0..20_000).fold(Worldpay::new(), |file, _| file.returned("TR1", "R01"));
    rows.text()
}

/// The SFTP server that an outage needs.
pub(super) fn server(outage: Outage) -> Sshd {
    let usual = Sshd::options();
    match outage {
        Outage::KeyRefused => usual.refusing_the_key(),
        Outage::PasswordExpired => usual.with_passwords().with_shells(),
        Outage::PasswordExpiredMute | Outage::PasswordWrong => usual.with_passwords(),
        Outage::AccountWithoutShell => usual.with_passwords().misbehaving(),
        Outage::LogInHangs => usual.refusing_the_key().hanging_at_log_in(),
        Outage::DirectoryUnreadable => usual.denying(&["opendir"]),
        Outage::FileMayNotBeRead => usual.denying(&["open"]),
        Outage::CannotArchive => usual.denying(&["rename", "posix-rename"]),
        Outage::ServerSilent | Outage::FileOfAbsurdSize => usual.misbehaving(),
        _ => usual,
    }
    .start()
}

/// Breaks what must be broken before the job starts.
pub(super) async fn prepare(outage: Outage, setup: &mut Setup) -> Props {
    let mut props = Props::default();
    the_server(outage, setup, &mut props).await;
    the_file(outage, setup, &mut props);
    the_bucket(outage, setup, &mut props).await;
    the_rest(outage, setup, &mut props);
    the_returns_database(outage, setup, &mut props).await;
    props
}

async fn the_server(outage: Outage, setup: &mut Setup, props: &mut Props) {
    match outage {
        Outage::HostNameGone => setup.host = "sftp.gone.invalid".to_owned(),
        Outage::NameServerFails | Outage::NameServerSilent => {
            setup.host = "sftp.acquirer.example".to_owned();
        }
        Outage::PortClosed => setup.sshd.stop(),
        Outage::BlackHoledHost => {
            let hole = BlackHole::open();
            setup.port = hole.port();
            props.hole = Some(hole);
        }
        // Nothing is behind the proxy.
        Outage::PortClosesConnections => {
            setup.sshd.stop();
            let proxy = Proxy::start(setup.sshd.port());
            setup.port = proxy.port();
            props.proxy = Some(proxy);
        }
        Outage::NotAnSshServer => {
            let web = HttpReceiver::start().await;
            setup.port = web.address().port();
            props.web = Some(web);
        }
        Outage::SftpServerFrozen => setup.sshd.freeze(),
        Outage::WrongHostKey => setup.host_key = format!("SHA256:{}", "A".repeat(43)),
        Outage::KeyFileGone | Outage::KeyFileGarbled => {
            let copy = setup.folder.path().join("key");
            std::fs::copy(setup.sshd.key_file(), &copy).unwrap();
            setup.credentials = Credentials::Key(copy);
        }
        Outage::PasswordExpired
        | Outage::PasswordExpiredMute
        | Outage::PasswordWrong
        | Outage::AccountWithoutShell => {
            let account = Account::create();
            match outage {
                Outage::PasswordExpired | Outage::PasswordExpiredMute => account.expire(),
                Outage::PasswordWrong => account.set_password("another"),
                _ => account.set_shell("/bin/false"),
            }
            setup.credentials = Credentials::Password(account);
        }
        Outage::DirectoryMissing => setup.directory = "nowhere",
        Outage::ServerSilent => setup.sshd.behave("{\"silent\": [\"readdir\"]}"),
        _ => {}
    }
}

fn the_file(outage: Outage, setup: &mut Setup, props: &mut Props) {
    match outage {
        Outage::NoFile | Outage::ChannelDown | Outage::BucketDownAtRest => {
            setup.publish("Other_20261120.csv", "something else");
        }
        Outage::FileUnmarked => {
            setup.more_sftp = "complete = \"marker\"\nmarker_suffix = \".done\"";
            setup.publish(FILE, good_file());
        }
        Outage::FileStillGrowing => props.growing = Some(grow(setup)),
        Outage::ZeroByteFile => setup.publish(FILE, ""),
        Outage::FileRejected => {
            setup.publish(FILE, "Case ID,Merchant Order Number\n'70001,FNXTR1\n");
        }
        Outage::FileIsHtml => {
            let page = "<!DOCTYPE html>\n<html><body>Log in first</body></html>\n";
            setup.publish(FILE, page);
        }
        Outage::FileIsPdf => setup.publish(FILE, b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n"),
        Outage::FileGarbled => {
            setup.publish(
                &format!("{FILE}.gz"),
                [b"\x1f\x8b\x08\0".as_slice(), &[7; 400]].concat(),
            );
        }
        Outage::WrongProfile => setup.publish(FILE, echeck_tests::funding_rejects(&["TR1"])),
        Outage::FileOfAbsurdSize => {
            let behavior = format!("{{\"list\": \"huge\", \"name\": {FILE:?}}}");
            setup.sshd.behave(&behavior);
        }
        Outage::EverythingHeld => {
            let ids = ["TR7", "TR8", "TR9"].into_iter();
            let file = ids.fold(Worldpay::new(), |file, id| file.returned(id, "R01"));
            setup.publish(FILE, file.text());
        }
        Outage::ConnectionCutInMidDownload
        | Outage::DownloadStalls
        | Outage::ServerSlowToACrawl => {
            setup.publish(FILE, large_file());
            let proxy = Proxy::start(setup.sshd.port());
            match outage {
                Outage::ConnectionCutInMidDownload => proxy.cut_after(600_000),
                Outage::DownloadStalls => proxy.hold_after(600_000),
                _ => proxy.throttle(14_000),
            }
            setup.port = proxy.port();
            props.proxy = Some(proxy);
        }
        // Its rows need more room than small tables have to spare.
        Outage::DiskFull | Outage::DatabaseDiskFull => setup.publish(FILE, large_file()),
        _ => setup.publish(FILE, good_file()),
    }
}

async fn the_bucket(outage: Outage, setup: &mut Setup, props: &mut Props) {
    let answered = |answer: Answer| async {
        let web = HttpReceiver::start().await;
        web.answer(answer);
        web
    };
    let xml = |code: &str, message: &str| {
        format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>")
    };
    match outage {
        Outage::BucketKeyIdWrong => setup.key.id = "AKIANOBODYKNOWSIT000".to_owned(),
        Outage::BucketSecretWrong => setup.key.secret = "this-is-not-the-secret".to_owned(),
        Outage::BucketMissing => setup.bucket = s3::no_bucket(),
        Outage::BucketForbidden => setup.key = setup.bucket.reader.clone(),
        Outage::BucketDown
        | Outage::BucketDownAtRest
        | Outage::BucketSilent
        | Outage::ReportReadableButWrong => {
            let proxy = Proxy::start(port_of(&setup.bucket.endpoint));
            if outage == Outage::ReportReadableButWrong {
                // What is read back names another outcome; it is as long as the right one.
                proxy.replace(b"reversed", b"returned");
            }
            setup.bucket.endpoint = format!("http://127.0.0.1:{}", proxy.port());
            props.proxy = Some(proxy);
        }
        Outage::BucketBehindWebPage | Outage::BucketBusy | Outage::BucketOddAnswer => {
            let web = answered(match outage {
                Outage::BucketBehindWebPage => {
                    Answer::With(200, "content-type: text/html\r\n".to_owned())
                }
                Outage::BucketBusy => {
                    Answer::Status(503, xml("SlowDown", "Please reduce your request rate."))
                }
                _ => Answer::Status(500, xml("we are closed", "")),
            });
            let web = web.await;
            setup.bucket.endpoint = web.url("");
            props.web = Some(web);
        }
        _ => {}
    }
}

fn the_rest(outage: Outage, setup: &mut Setup, props: &mut Props) {
    let spool = setup.folder.path().join("spool");
    let databases = &mut setup.databases;
    match outage {
        Outage::DatabaseDown | Outage::DatabaseSilent => {
            props.proxy = databases.returns_db.as_mut().map(put_a_proxy_before);
        }
        Outage::TargetDown | Outage::TargetSilent => {
            props.proxy = databases.rallypay_db.as_mut().map(put_a_proxy_before);
        }
        Outage::GatewayDown => {
            props.proxy = databases.gateway_db.as_mut().map(put_a_proxy_before);
        }
        Outage::AdapterFrozen => {
            let port = echeck_test_servers::port();
            let proxy = Proxy::start(port);
            setup.rallypay_line = Some((port, ([127, 0, 0, 1], proxy.port()).into()));
            props.proxy = Some(proxy);
        }
        Outage::DiskFull | Outage::DiskWithoutInodes | Outage::SpoolReadOnly => {
            props.disk = Some(Tmpfs::mount(&spool, 1_024, 300));
        }
        Outage::ClockAhead => setup.machine_ahead = TimeDelta::seconds(95),
        Outage::ChannelDown => {
            setup.more = "[alerts.channels.hook]\nkind = \"webhook\"\n\
                          url = \"http://127.0.0.1:9/\"\n"
                .to_owned();
        }
        _ => {}
    }
}

async fn the_returns_database(outage: Outage, setup: &mut Setup, props: &mut Props) {
    match outage {
        Outage::DatabaseWithoutSlot
        | Outage::DatabaseRightTaken
        | Outage::DatabaseRunsRightTaken
        | Outage::DatabaseNoLogIn
        | Outage::DatabaseTimesOut => with_a_role(setup, props).await,
        Outage::DatabaseDiskFull => {
            let server = OwnPostgres::new();
            props.disk = Some(Tmpfs::mount(&server.data(), DISK_KIB, 5_000));
            setup.databases.returns_db = Some(server.start());
            props.server = Some(server);
        }
        _ => {}
    }
}

/// Only a role that is not the superuser has limits.
async fn with_a_role(setup: &mut Setup, props: &mut Props) {
    let url = setup.databases.returns_db.clone().unwrap();
    let (server, name) = url.rsplit_once('/').unwrap();
    let server = format!("{server}/postgres");
    let role = format!("role_{name}");
    let create = format!("CREATE ROLE {role} LOGIN PASSWORD 'secret'");
    postgres(&server, &create).await;
    let own = format!("ALTER DATABASE {name} OWNER TO {role}");
    postgres(&server, &own).await;
    let port = port_of(&url);
    let url = format!("postgres://{role}:secret@127.0.0.1:{port}/{name}");
    setup.databases.returns_db = Some(url);
    props.role = Some(role);
}

pub(super) fn put_a_proxy_before(database: &mut String) -> Proxy {
    let port = port_of(database);
    let proxy = Proxy::start(port);
    *database = database.replace(&format!(":{port}/"), &format!(":{}/", proxy.port()));
    proxy
}

/// The port in an address such as `http://127.0.0.1:9000` or `postgres://…:5432/name`.
pub(super) fn port_of(url: &str) -> u16 {
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
