use std::time::{Duration, Instant};

use echeck_test_servers::proxy::Proxy;
use returns_model::incident::Cause;

use super::*;

/// Bytes that no cipher and no checksum mistakes for others.
fn content(bytes: usize) -> Vec<u8> {
    (0..bytes.div_ceil(4))
        .flat_map(|number| u32::try_from(number).unwrap().to_le_bytes())
        .take(bytes)
        .collect()
}

/// A server with a large file behind a proxy, and a session that goes through it.
struct Line {
    proxy: Proxy,
    source: Bank,
    session: Session,
    file: RemoteFile,
    incidents: IncidentReporter,
    _sshd: Sshd,
}

impl Line {
    async fn new(bytes: usize) -> Self {
        Self::with(bytes, "").await
    }

    /// With more keys of the place.
    async fn with(bytes: usize, more: &str) -> Self {
        let sshd = Sshd::start();
        sshd.put("r.csv", content(bytes));
        let proxy = Proxy::start(sshd.port());
        let source = source(
            "sftp",
            &format!("{}{QUICK}{more}", sshd.toml_for(proxy.port())),
        );
        let mut session = source.location.open().await.unwrap();
        let file = only(&session.list_complete().await.unwrap());
        Self {
            proxy,
            source,
            session,
            file,
            incidents: IncidentReporter::new(),
            _sshd: sshd,
        }
    }

    async fn fetch(&mut self) -> Result<KeptFile, SourceError> {
        self.incidents
            .fetch(&mut self.session, &self.file, &self.source)
            .await
    }
}

#[tokio::test]
async fn a_connection_that_is_cut_in_the_middle_is_reported_and_leaves_nothing() {
    let mut line = Line::new(6 << 20).await;
    line.proxy.cut_after(2 << 20);
    let error = line.fetch().await.unwrap_err();
    let SourceError::Cut {
        at_bytes, of_bytes, ..
    } = error
    else {
        panic!("{error}")
    };
    assert_eq!(of_bytes, 6 << 20);
    // What libssh2 held in its hands when the line broke does not count.
    assert!(at_bytes < 2 << 20, "{at_bytes}");
    assert!(line.incidents.files().is_empty());

    // The session is of no use any more, and says so without waiting.
    assert!(line.session.list().await.is_err());
    line.proxy.pass();
    let mut again = line.source.location.open().await.unwrap();
    let new = line
        .incidents
        .fetch(&mut again, &line.file, &line.source)
        .await
        .unwrap();
    assert!(line.incidents.content(&new) == content(6 << 20));
}

#[tokio::test]
async fn a_server_that_crawls_is_reported_with_its_speed() {
    let mut line = Line::new(1 << 20).await;
    line.proxy.throttle(500);
    let started = Instant::now();
    let error = line.fetch().await.unwrap_err();
    let Cause::DownloadSlow {
        bytes_per_second,
        least,
        ..
    } = error.cause()
    else {
        panic!("{error}")
    };
    assert!(bytes_per_second < 1_024 && least == 16_384, "{error}");
    assert!(started.elapsed() < Duration::from_secs(8));
    assert!(line.incidents.files().is_empty());
}

#[tokio::test]
async fn a_download_that_takes_too_long_altogether_is_given_up() {
    let mut line = Line::with(1 << 20, "longest_download_ms = 2000\n").await;
    // Ten seconds in all, and never a crawl.
    line.proxy.throttle(100 << 10);
    let started = Instant::now();
    let error = line.fetch().await.unwrap_err();
    let Cause::DownloadSlow {
        bytes_per_second,
        least,
        ..
    } = error.cause()
    else {
        panic!("{error}")
    };
    assert_eq!(least, 512 << 10, "with which it would have come in time");
    assert!(bytes_per_second < least, "{error}");
    assert!(started.elapsed() < Duration::from_secs(8));
    assert!(line.incidents.files().is_empty());
}

#[tokio::test]
async fn a_slow_server_that_is_fast_enough_is_waited_for() {
    let mut line = Line::new(300 << 10).await;
    // Three seconds, in windows of one.
    line.proxy.throttle(100 << 10);
    let started = Instant::now();
    let new = line.fetch().await.unwrap();
    assert!(started.elapsed() > Duration::from_millis(1_500));
    assert!(line.incidents.content(&new) == content(300 << 10));
}

#[tokio::test]
async fn a_server_that_falls_silent_in_a_file_is_reported() {
    let mut line = Line::new(6 << 20).await;
    line.proxy.hold_up();
    let started = Instant::now();
    let error = line.fetch().await.unwrap_err();
    // The request to open the file is not answered.
    assert!(matches!(error, SourceError::ServerSilent { .. }), "{error}");
    assert!(started.elapsed() < Duration::from_secs(8));
    assert!(line.incidents.files().is_empty());
}

#[tokio::test]
async fn a_server_that_falls_silent_in_the_middle_of_a_file_is_reported() {
    let line = Line::new(6 << 20).await;
    line.proxy.throttle(1 << 20);
    let Line {
        proxy,
        source,
        mut session,
        file,
        incidents,
        _sshd,
    } = line;
    let before = proxy.bytes();
    let (fetched, ()) = tokio::join!(incidents.fetch(&mut session, &file, &source), async {
        while proxy.bytes() < before + (1 << 20) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        proxy.hold_up();
    });
    let error = fetched.unwrap_err();
    assert!(matches!(error, SourceError::Slow { .. }), "{error}");
    assert!(incidents.files().is_empty());
}

#[tokio::test]
async fn a_dropped_session_stops_the_download_and_leaves_nothing() {
    let mut line = Line::new(4 << 20).await;
    line.proxy.throttle(200 << 10);
    let before = line.proxy.bytes();
    // Given up in the middle: the first bytes have come.
    let proxy = &line.proxy;
    let some_came = async {
        while proxy.bytes() < before + (32 << 10) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::select! {
        fetched = line.incidents.fetch(&mut line.session, &line.file, &line.source) => {
            panic!("it takes twenty seconds: {fetched:?}")
        }
        () = some_came => {}
    }
    let Line {
        session, incidents, ..
    } = line;
    drop(session);
    let started = Instant::now();
    while !incidents.files().is_empty() {
        assert!(
            started.elapsed() < Duration::from_secs(8),
            "{:?}",
            incidents.files()
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_file_that_is_too_large_is_not_even_begun() {
    let mut line = Line::new(1 << 20).await;
    let before = line.proxy.bytes();
    let (limit, nonce) = (1 << 19, Uuid::new_v4());
    let error = line
        .incidents
        .fetch_as(&mut line.session, &line.file, &line.source, limit, nonce)
        .await
        .unwrap_err();
    assert!(matches!(error, SourceError::TooLarge { limit_bytes, .. } if limit_bytes == limit));
    assert_eq!(error.cause().kind(), "FILE_REJECTED");
    assert!(line.proxy.bytes() - before < 10_000);
}

#[tokio::test]
async fn a_full_disk_is_reported_as_such() {
    let mut line = Line::new(1 << 20).await;
    let nonce = Uuid::new_v4();
    let part = line.incidents.folder.path().join(format!("{nonce}.part"));
    // Every write to it fails for lack of room.
    std::os::unix::fs::symlink("/dev/full", &part).unwrap();
    let error = line
        .incidents
        .fetch_as(
            &mut line.session,
            &line.file,
            &line.source,
            LIMIT_BYTES,
            nonce,
        )
        .await
        .unwrap_err();
    let path = part.display().to_string();
    assert_eq!(error.cause(), Cause::DiskFull { path }, "{error}");
    assert!(line.incidents.files().is_empty());
}

#[tokio::test]
async fn an_idle_session_stays_alive() {
    let sshd = Sshd::start();
    sshd.put("r.csv", "1");
    let keys = keys(&sshd, "keepalive_ms = 50\n");
    let mut session = location("sftp", &keys).open().await.unwrap();
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert_eq!(session.list().await.unwrap().len(), 1);
    session.close().await;
}

/// The memory of this process, in KiB. Each test has a process of its own under nextest.
fn memory_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_large_file_is_streamed_in_flat_memory() {
    const BYTES: u64 = 200 << 20;
    let sshd = Sshd::start();
    // A file of holes costs no disk, and is as long to whoever reads it.
    let path = sshd.put("r.csv", "");
    let file = std::fs::File::options().write(true).open(path).unwrap();
    file.set_len(BYTES).unwrap();
    let source = source("sftp", &keys(&sshd, "complete = \"rename\"\n"));
    let incidents = IncidentReporter::new();
    let mut session = source.location.open().await.unwrap();
    let file = only(&session.list_complete().await.unwrap());

    let before = memory_kib();
    let measuring = tokio::spawn(async move {
        let mut most = 0;
        loop {
            most = memory_kib().max(most);
            if tokio::time::timeout(Duration::from_millis(50), std::future::pending::<()>())
                .await
                .is_err()
                && STOP.load(std::sync::atomic::Ordering::SeqCst)
            {
                return most;
            }
        }
    });
    let new = incidents.fetch(&mut session, &file, &source).await.unwrap();
    STOP.store(true, std::sync::atomic::Ordering::SeqCst);
    let most = measuring.await.unwrap();
    assert_eq!(new.size_bytes, BYTES);
    assert!(most - before < 80 << 10, "{before} KiB became {most} KiB");
}

static STOP: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);
