use std::os::unix::ffi::OsStrExt as _;

use super::*;

/// A folder source with its folder.
fn folder(more: &str) -> (tempfile::TempDir, Bank) {
    let folder = tempfile::tempdir().unwrap();
    let keys = format!("directory = {:?}\nsettle_ms = 200\n{more}", folder.path());
    let source = source("folder", &keys);
    (folder, source)
}

async fn listing(source: &Bank) -> Listing {
    let mut session = source.location.open().await.unwrap();
    session.list_complete().await.unwrap()
}

#[tokio::test]
async fn a_file_that_grows_between_two_looks_is_not_taken() {
    let (folder, source) = folder("");
    let growing = folder.path().join("growing.csv");
    std::fs::write(&growing, "1").unwrap();
    std::fs::write(folder.path().join("done.csv"), "1").unwrap();
    std::fs::write(folder.path().join("empty.csv"), "").unwrap();
    let writing = async {
        loop {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            let mut text = std::fs::read(&growing).unwrap();
            text.push(b'1');
            // In one step, so that no look sees it empty.
            let next = folder.path().join(".next");
            std::fs::write(&next, text).unwrap();
            std::fs::rename(next, &growing).unwrap();
        }
    };
    let listing = tokio::select! {
        listing = listing(&source) => listing,
        () = writing => unreachable!("it writes for ever"),
    };
    assert_eq!(only(&listing).name, RemoteName::new("done.csv"));
    assert_eq!(listing.empty.len(), 1);
    let growing: Vec<_> = listing
        .growing
        .iter()
        .map(|growing| (growing.from_bytes, growing.to_bytes))
        .collect();
    assert!(
        matches!(growing[..], [(from, to)] if from < to),
        "{growing:?}"
    );
}

#[tokio::test]
async fn nothing_to_wait_for_is_not_waited_for() {
    let (folder, source) = folder("");
    std::fs::create_dir(folder.path().join("archive")).unwrap();
    let keys = format!("directory = {:?}\nsettle_ms = 60000\n", folder.path());
    let patient = super::source("folder", &keys);
    let started = std::time::Instant::now();
    assert_eq!(listing(&patient).await.left_alone.len(), 1);
    assert!(started.elapsed() < std::time::Duration::from_secs(10));
    drop(source);
}

#[tokio::test]
async fn a_marker_completes_a_file() {
    let (folder, source) = folder("complete = \"marker\"\nmarker_suffix = \".ok\"\n");
    std::fs::write(folder.path().join("a.csv"), "1").unwrap();
    std::fs::write(folder.path().join("b.csv"), "1").unwrap();
    std::fs::write(folder.path().join("b.csv.ok"), "").unwrap();
    let listing = listing(&source).await;
    assert_eq!(only(&listing).name, RemoteName::new("b.csv"));
    assert_eq!(listing.unmarked.len(), 1);
}

#[tokio::test]
async fn a_renamed_file_is_complete_at_once() {
    let sshd = Sshd::start();
    sshd.put("a.csv.part", "1");
    sshd.put("b.csv", "1");
    let source = source("sftp", &keys(&sshd, "complete = \"rename\"\n"));
    assert_eq!(only(&listing(&source).await).name, RemoteName::new("b.csv"));
}

#[tokio::test]
async fn over_sftp_folders_links_hidden_and_unfinished_files_are_left_alone() {
    let sshd = Sshd::start();
    sshd.put("r.csv", "1");
    sshd.put(".r.csv", "1");
    sshd.put("r.csv.filepart", "1");
    std::fs::create_dir(sshd.data().join("d.csv")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", sshd.data().join("l.csv")).unwrap();
    let source = source("sftp", &keys(&sshd, ""));
    let listing = listing(&source).await;
    assert_eq!(only(&listing).name, RemoteName::new("r.csv"));
    let mut why: Vec<_> = listing.left_alone.iter().map(|left| left.why).collect();
    why.sort_unstable();
    assert_eq!(
        why,
        [
            "it is a folder",
            "it is a symbolic link",
            "it is hidden",
            "its name says that it is unfinished"
        ]
    );
}

#[tokio::test]
async fn hostile_names_are_data_over_sftp_and_in_folders() {
    let sshd = Sshd::start();
    let longest = format!("{}.csv", "x".repeat(251));
    let odd: [&[u8]; 6] = [
        b"-rf *.csv",
        "gnirts\u{202e}vsc.csv".as_bytes(),
        b"retour_\xe9\xff.csv",
        longest.as_bytes(),
        b"..csv..csv",
        b"$(reboot);`x`'\".csv",
    ];
    let control: [&[u8]; 3] = [
        b"bell\x07.csv",
        b"line\nbreak.csv",
        "del\u{9b}.csv".as_bytes(),
    ];
    for name in odd.iter().chain(&control) {
        let path = sshd.data().join(std::ffi::OsStr::from_bytes(name));
        std::fs::write(path, name).unwrap();
    }
    let by_folder = format!("directory = {:?}\nsettle_ms = 10\n", sshd.data());
    for source in [
        source("sftp", &keys(&sshd, "")),
        source("folder", &by_folder),
    ] {
        let incidents = IncidentReporter::new();
        let mut session = source.location.open().await.unwrap();
        let listing = session.list_complete().await.unwrap();
        // The one that begins with a dot is hidden, whatever else it is.
        assert_eq!(listing.complete.len(), odd.len() - 1, "{listing:?}");
        assert_eq!(listing.left_alone.len(), control.len() + 1, "{listing:?}");
        let mut kept = Vec::new();
        for file in &listing.complete {
            let new = incidents.fetch(&mut session, file, &source).await.unwrap();
            assert_eq!(incidents.content(&new), file.name.as_bytes());
            assert_eq!(new.file_name, file.name.text());
            assert!(!format!("{file:?}").contains('\u{202e}'));
            kept.push(new);
        }
        assert_eq!(incidents.files().len(), odd.len() - 1);
        session.close().await;
    }
}

#[tokio::test]
async fn a_file_that_changes_or_goes_before_it_is_read_is_not_taken() {
    let (folder, source) = folder("");
    let path = folder.path().join("r.csv");
    std::fs::write(&path, "123").unwrap();
    let incidents = IncidentReporter::new();
    let mut session = source.location.open().await.unwrap();
    let file = only(&session.list_complete().await.unwrap());

    std::fs::write(&path, "12345").unwrap();
    let error = incidents
        .fetch(&mut session, &file, &source)
        .await
        .unwrap_err();
    let SourceError::Growing { to_bytes, .. } = &error else {
        panic!("{error}")
    };
    assert_eq!(*to_bytes, 5);
    std::fs::write(&path, "12").unwrap();
    let error = incidents
        .fetch(&mut session, &file, &source)
        .await
        .unwrap_err();
    assert!(matches!(error, SourceError::Growing { .. }), "{error}");
    std::fs::write(&path, "321").unwrap();
    let error = incidents
        .fetch(&mut session, &file, &source)
        .await
        .unwrap_err();
    assert!(
        matches!(error, SourceError::Growing { .. }),
        "as many bytes, but others: {error}"
    );

    std::fs::remove_file(&path).unwrap();
    let error = incidents
        .fetch(&mut session, &file, &source)
        .await
        .unwrap_err();
    assert!(matches!(error, SourceError::Vanished { .. }), "{error}");
    assert!(incidents.files().is_empty());
}
