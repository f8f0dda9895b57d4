//! The keys under which files and reports are stored. A name that others chose is only the tail
//! of one, and only with its harmless characters; what makes a key unique is ours.

use returns_model::import::ImportRecord;

/// The maximum number of characters of a name.
const LONGEST_NAME: usize = 80;

/// Where an import's file is archived. As in the spool, the name says to which key it is encrypted.
pub(super) fn archive(import: &ImportRecord) -> String {
    let new = &import.new;
    let bytes = new.sha256.get(..16).unwrap_or(&new.sha256);
    format!(
        "raw/{}/{}/{}-{bytes}-{}{}.age",
        safe(&new.source),
        day(import),
        import.import_id,
        safe(&new.file_name),
        key_id(&new.spool_name)
    )
}

/// What names the key that a file of the spool is encrypted to: its id, after a dot.
fn key_id(spool_name: &str) -> &str {
    let name = spool_name.trim_end_matches(".age");
    name.rfind('.').map_or("", |at| &name[at..])
}

/// Where the `edition`-th report of an import is, counted from 1, and where its totals are.
pub(super) fn report(import: &ImportRecord, edition: u32) -> (String, String) {
    let again = if edition > 1 {
        format!("-{edition}")
    } else {
        String::new()
    };
    let stem = format!(
        "reports/{}/{}/{}{again}",
        safe(&import.new.source),
        day(import),
        import.import_id
    );
    (format!("{stem}.csv"), format!("{stem}.totals.json"))
}

/// The day on which the file came, as folders.
fn day(import: &ImportRecord) -> String {
    import.new.received_at.format("%Y/%m/%d").to_string()
}

/// What of a name can do no harm anywhere; `file` when that is nothing.
fn safe(name: &str) -> String {
    let kept: String = name
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || "._-".contains(*c))
        .collect();
    let kept: String = kept
        .trim_start_matches('.')
        .chars()
        .take(LONGEST_NAME)
        .collect();
    if kept.is_empty() {
        "file".to_owned()
    } else {
        kept
    }
}

#[cfg(test)]
mod tests {
    use echeck_test_fixtures::file;
    use returns_model::import::{Moves, Phase, Totals};

    use super::*;

    fn import(name: &str) -> ImportRecord {
        let mut new = file("0123456789abcdef0123");
        new.file_name = name.into();
        ImportRecord {
            import_id: "imp_1".into(),
            new,
            reissued: false,
            phase: Phase::Checking,
            done: 0,
            totals: Totals::default(),
            moves: Moves::default(),
        }
    }

    #[test]
    fn keys_say_source_day_import_and_name() {
        let import = import("Returns 2024.csv");
        assert_eq!(
            archive(&import),
            "raw/worldpay/2024/10/04/imp_1-0123456789abcdef-Returns2024.csv.age"
        );
        let (csv, totals) = report(&import, 1);
        assert_eq!(csv, "reports/worldpay/2024/10/04/imp_1.csv");
        assert_eq!(totals, "reports/worldpay/2024/10/04/imp_1.totals.json");
        assert_eq!(
            report(&import, 2).0,
            "reports/worldpay/2024/10/04/imp_1-2.csv"
        );
    }

    #[test]
    fn hostile_names_are_data_and_never_paths() {
        let long = "x".repeat(300);
        for (name, safe) in [
            ("../../etc/passwd", "etcpasswd"),
            ("..", "file"),
            ("", "file"),
            (".hidden", "hidden"),
            ("a\0b\u{202e}c/d\\e", "abcde"),
            ("räturn.csv", "rturn.csv"),
            (long.as_str(), &long[..80]),
        ] {
            let key = archive(&import(name));
            assert!(
                key.ends_with(&format!("-{safe}.age")),
                "{name:?} gave {key}"
            );
            assert_eq!(key.matches('/').count(), 5, "{key}");
        }
    }
}
