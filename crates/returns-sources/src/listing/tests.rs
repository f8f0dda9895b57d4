use std::time::Duration;

use super::*;

fn file(name: &str, size_bytes: u64, second: i64) -> RemoteEntry {
    RemoteEntry {
        name: RemoteName::new(name),
        kind: RemoteEntryKind::File,
        size_bytes,
        modified_at: DateTime::from_timestamp(second, 0),
    }
}

fn csv() -> Pattern {
    Pattern::new("*.csv").unwrap()
}

fn stable() -> Completeness {
    let settle = Duration::from_secs(1);
    Completeness::Stable { settle }
}

fn names(files: &[RemoteFile]) -> Vec<String> {
    files.iter().map(|file| file.name.text()).collect()
}

#[test]
fn what_is_no_finished_file_is_left_alone_and_told_why() {
    let folder = RemoteEntry {
        kind: RemoteEntryKind::Folder,
        ..file("old.csv", 4096, 1)
    };
    let link = RemoteEntry {
        kind: RemoteEntryKind::Link,
        ..file("link.csv", 9, 1)
    };
    let entries = vec![
        file("a.csv", 5, 1),
        file(".hidden.csv", 5, 1),
        file("b.csv.tmp", 5, 1),
        file("b.csv.FILEPART", 5, 1),
        file("c.part", 5, 1),
        file("readme.txt", 5, 1),
        file("../../x.csv", 5, 1),
        file("nul\0.csv", 5, 1),
        file("bell\u{7}.csv", 5, 1),
        file(&format!("{}.csv", "x".repeat(300)), 5, 1),
        folder,
        link,
        file("zero.csv", 0, 1),
    ];
    let sorted = sort_out(entries, &csv(), &stable());
    assert_eq!(names(&sorted.candidates), ["a.csv"]);
    assert_eq!(names(&sorted.empty), ["zero.csv"]);
    let why: Vec<&str> = sorted.left_alone.iter().map(|left| left.why).collect();
    let unfinished = "its name says that it is unfinished";
    assert_eq!(
        why,
        [
            "it is hidden",
            unfinished,
            unfinished,
            unfinished,
            "its name does not match the pattern",
            "its name has a slash in it",
            "its name has a NUL in it",
            "its name has a control character in it",
            "its name has more than 255 bytes",
            "it is a folder",
            "it is a symbolic link",
        ]
    );
}

#[test]
fn names_with_odd_letters_match_like_others() {
    let latin1 = RemoteEntry {
        name: RemoteName::new(b"retour_\xe9.csv".to_vec()),
        ..file("", 5, 2)
    };
    let entries = vec![file("returns\u{202e}.csv", 5, 1), latin1];
    let sorted = sort_out(entries, &csv(), &stable());
    assert_eq!(sorted.candidates.len(), 2);
}

#[test]
fn two_equal_looks_make_a_file_complete() {
    let looks = |size, second| sort_out(vec![file("a.csv", size, second)], &csv(), &stable());
    let listing = compare(&looks(5, 1), looks(5, 1));
    assert_eq!(names(&listing.complete), ["a.csv"]);

    let listing = compare(&looks(5, 1), looks(9, 1));
    let growing = Growing {
        name: RemoteName::new("a.csv"),
        from_bytes: 5,
        to_bytes: 9,
    };
    assert_eq!(
        (listing.complete.len(), listing.growing),
        (0, vec![growing])
    );

    let listing = compare(&looks(5, 1), looks(5, 2));
    assert_eq!(
        listing.growing.len(),
        1,
        "it was written again, with as many bytes"
    );
}

#[test]
fn a_file_that_only_the_second_look_saw_waits() {
    let first = sort_out(vec![file("a.csv", 5, 1)], &csv(), &stable());
    let second = vec![
        file("a.csv", 5, 1),
        file("b.csv", 7, 1),
        file("c.csv", 0, 1),
    ];
    let listing = compare(&first, sort_out(second, &csv(), &stable()));
    assert_eq!(names(&listing.complete), ["a.csv"]);
    let growing: Vec<_> = listing
        .growing
        .iter()
        .map(|growing| (growing.name.text(), growing.from_bytes, growing.to_bytes))
        .collect();
    assert_eq!(
        growing,
        [("b.csv".to_owned(), 0, 7), ("c.csv".to_owned(), 0, 0)]
    );
}

#[test]
fn an_empty_file_differs_from_one_that_is_still_growing() {
    let look = |size| sort_out(vec![file("a.csv", size, 1)], &csv(), &stable());
    assert_eq!(names(&compare(&look(0), look(0)).empty), ["a.csv"]);
    let listing = compare(&look(0), look(3));
    assert_eq!((listing.empty.len(), listing.growing.len()), (0, 1));
}

#[test]
fn a_file_waits_for_its_marker_and_the_marker_is_no_file() {
    let suffix = ".done".to_owned();
    let completeness = Completeness::Marker { suffix };
    let entries = vec![
        file("a.csv", 5, 1),
        file("a.csv.done", 0, 1),
        file("b.csv", 5, 1),
    ];
    let all = Pattern::new("*").unwrap();
    let sorted = sort_out(entries, &all, &completeness);
    assert_eq!(names(&sorted.candidates), ["a.csv"]);
    assert_eq!(names(&sorted.unmarked), ["b.csv"]);
    assert_eq!(sorted.left_alone.len(), 1);
}

#[test]
fn files_come_the_oldest_first() {
    let entries = vec![
        file("b.csv", 5, 3),
        file("a.csv", 5, 7),
        file("c.csv", 5, 1),
    ];
    let listing = at_once(sort_out(entries, &csv(), &Completeness::Rename));
    assert_eq!(names(&listing.complete), ["c.csv", "b.csv", "a.csv"]);
}
