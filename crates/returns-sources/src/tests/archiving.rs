use super::*;
use crate::archive_remote::RemoteArchival;

/// A file at each kind of place, with the given ending; the sshd keeps the folder alive.
fn places(more: &str) -> (Sshd, Vec<Bank>) {
    let sshd = Sshd::start();
    std::fs::create_dir(sshd.data().join("done")).unwrap();
    let by_folder = format!("directory = {:?}\nsettle_ms = 10\n{more}", sshd.data());
    let sources = vec![
        source("sftp", &keys(&sshd, more)),
        source("folder", &by_folder),
    ];
    (sshd, sources)
}

async fn open(source: &Bank) -> Session {
    source.location.open().await.unwrap()
}

const MOVE: &str = "after = \"move\"\nmove_to = \"done\"\npattern = \"*.csv\"\n";

#[tokio::test]
async fn a_file_is_moved_once_and_a_second_time_is_fine() {
    let (sshd, sources) = places(MOVE);
    for source in sources {
        sshd.put("r.csv", "1");
        let mut session = open(&source).await;
        let file = only(&session.list_complete().await.unwrap());
        let moved = session.archive_remote(&file).await.unwrap();
        assert_eq!(moved, RemoteArchival::Moved(RemoteName::new("r.csv")));
        assert_eq!(
            session.archive_remote(&file).await.unwrap(),
            RemoteArchival::Gone
        );
        assert_eq!(sshd.names("done"), ["r.csv"]);
        std::fs::remove_file(sshd.data().join("done/r.csv")).unwrap();
    }
}

#[tokio::test]
async fn a_move_never_overwrites() {
    let (sshd, sources) = places(MOVE);
    for source in sources {
        for (day, name) in [("1", "r.csv"), ("2", "r.csv.2"), ("3", "r.csv.3")] {
            sshd.put("r.csv", day);
            let mut session = open(&source).await;
            let file = only(&session.list_complete().await.unwrap());
            let moved = session.archive_remote(&file).await.unwrap();
            assert_eq!(moved, RemoteArchival::Moved(RemoteName::new(name)));
        }
        for (name, day) in [("r.csv", "1"), ("r.csv.2", "2"), ("r.csv.3", "3")] {
            let path = sshd.data().join("done").join(name);
            assert_eq!(std::fs::read_to_string(&path).unwrap(), day);
            std::fs::remove_file(path).unwrap();
        }
    }
}

#[tokio::test]
async fn another_file_of_the_same_name_stays_for_the_next_run() {
    for more in [MOVE, "after = \"delete\"\npattern = \"*.csv\"\n"] {
        let (sshd, sources) = places(more);
        for source in sources {
            sshd.put("r.csv", "1");
            let mut session = open(&source).await;
            let file = only(&session.list_complete().await.unwrap());
            sshd.put("r.csv", "the next one");
            assert_eq!(
                session.archive_remote(&file).await.unwrap(),
                RemoteArchival::Replaced
            );
            assert_eq!(sshd.names(""), ["done", "r.csv"]);
        }
    }
}

#[tokio::test]
async fn a_file_is_deleted_or_left_as_configured() {
    let (sshd, sources) = places("after = \"delete\"\npattern = \"*.csv\"\n");
    for source in sources {
        sshd.put("r.csv", "1");
        let mut session = open(&source).await;
        let file = only(&session.list_complete().await.unwrap());
        assert_eq!(
            session.archive_remote(&file).await.unwrap(),
            RemoteArchival::Deleted
        );
        assert_eq!(
            session.archive_remote(&file).await.unwrap(),
            RemoteArchival::Gone
        );
        assert_eq!(sshd.names(""), ["done"]);
    }
    let (sshd, sources) = places("");
    for source in sources {
        sshd.put("r.csv", "1");
        let mut session = open(&source).await;
        let file = listed(&mut session, "r.csv").await;
        assert_eq!(
            session.archive_remote(&file).await.unwrap(),
            RemoteArchival::Left
        );
        assert_eq!(sshd.names(""), ["done", "r.csv"]);
    }
}

#[tokio::test]
async fn a_marker_goes_with_its_file() {
    let more = format!("{MOVE}complete = \"marker\"\nmarker_suffix = \".ok\"\n");
    let (sshd, sources) = places(&more);
    for source in sources {
        sshd.put("r.csv", "1");
        sshd.put("r.csv.ok", "");
        let mut session = open(&source).await;
        let file = only(&session.list_complete().await.unwrap());
        session.archive_remote(&file).await.unwrap();
        assert_eq!(sshd.names(""), ["done"]);
        std::fs::remove_file(sshd.data().join("done/r.csv")).unwrap();
    }
}

#[tokio::test]
async fn a_server_that_lets_us_only_read_is_reported_and_the_file_stays() {
    for more in [MOVE, "after = \"delete\"\n"] {
        let sshd = Sshd::options().read_only().start();
        std::fs::create_dir(sshd.data().join("done")).unwrap();
        sshd.put("r.csv", "1");
        let mut session = open(&source("sftp", &keys(&sshd, more))).await;
        let file = listed(&mut session, "r.csv").await;
        let error = session.archive_remote(&file).await.unwrap_err();
        assert_eq!(error.cause().kind(), "NOT_ARCHIVED_REMOTELY");
        assert_eq!(sshd.names(""), ["done", "r.csv"]);
    }
}

#[tokio::test]
async fn a_directory_to_move_to_that_is_missing_is_named() {
    let (sshd, sources) = places("after = \"move\"\nmove_to = \"nowhere\"\npattern = \"*.csv\"\n");
    sshd.put("r.csv", "1");
    for source in sources {
        let mut session = open(&source).await;
        let file = listed(&mut session, "r.csv").await;
        let error = session.archive_remote(&file).await.unwrap_err().to_string();
        assert!(
            error.contains("nowhere") && error.contains("move_to"),
            "{error}"
        );
    }
    assert_eq!(sshd.names(""), ["done", "r.csv"]);
}
