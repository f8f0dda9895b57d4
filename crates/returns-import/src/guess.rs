//! What a refused file looks like instead: the beginning of it is read with every other format
//! that is known here. This decides nothing; it helps staff to find the reason.

use ach::format::{Format, Item, worldpay};
use chrono::NaiveDate;

use super::batches::SpooledFile;
use super::spool::Spool;
use crate::source::Source;

/// This many entries in a row that another format can read are no accident.
const ENTRIES: usize = 20;

/// Names the first other format that reads the beginning of the file, if one does.
pub(crate) async fn guess(file: &SpooledFile<'_>, others: Vec<(String, Format)>) -> Option<String> {
    let (spool, spool_name) = (file.spool.clone(), file.name.to_owned());
    let (own, received_on) = (file.source.format.clone(), file.received_on);
    let reading = tokio::task::spawn_blocking(move || {
        others
            .into_iter()
            .filter(|(_, format)| !is_alike(format, &own))
            .find(|(_, format)| reads(&spool, &spool_name, format, received_on))
            .map(|(name, _)| name)
    });
    // A panic of a reader would be its own bug; here it only means that nothing is known.
    reading.await.ok().flatten()
}

/// The formats that are built in, and those of the sources, each with what people call it.
pub(crate) fn known_formats<'a>(
    sources: impl Iterator<Item = &'a Source>,
) -> Vec<(String, Format)> {
    let built_in = [
        (
            "a NACHA file".to_owned(),
            // Half a file looks like one too.
            Format::Nacha(ach::format::nacha::Tolerance::default()).without_controls(),
        ),
        (
            "Worldpay's eCheck return report".to_owned(),
            Format::Delimited(Box::new(worldpay::echeck_return())),
        ),
        (
            "Worldpay's funding reject report".to_owned(),
            Format::Delimited(Box::new(worldpay::funding_reject())),
        ),
        (
            "a message of ISO 20022".to_owned(),
            Format::Iso20022(Box::default()),
        ),
        ("an X12 827".to_owned(), Format::X12(Box::default())),
        ("a BAI2 report".to_owned(), Format::Bai2(Box::default())),
    ];
    let configured = sources.map(|source| {
        let name = format!("{} (source {:?})", source.format_name(), source.name);
        (name, source.format.clone())
    });
    built_in.into_iter().chain(configured).collect()
}

/// The configured sources, by name, whose files look so: `looks_like` is what [`guess`] gave.
pub fn sources_like<'a>(
    looks_like: &str,
    sources: impl Iterator<Item = &'a Source> + Clone,
) -> Vec<String> {
    let known = known_formats(sources.clone());
    let Some((_, format)) = known.into_iter().find(|(name, _)| name == looks_like) else {
        return Vec::new();
    };
    let mut names: Vec<String> = sources
        .filter(|source| is_alike(&source.format, &format))
        .map(|source| source.name.clone())
        .collect();
    names.sort_unstable();
    names
}

/// Whether two formats read the same kind of file. How much a source tolerates makes no other.
fn is_alike(one: &Format, other: &Format) -> bool {
    match (one, other) {
        (Format::Nacha(_), Format::Nacha(_))
        | (Format::Iso20022(_), Format::Iso20022(_))
        | (Format::X12(_), Format::X12(_))
        | (Format::Bai2(_), Format::Bai2(_)) => true,
        (
            Format::Nacha(_)
            | Format::Delimited(_)
            | Format::Iso20022(_)
            | Format::X12(_)
            | Format::Bai2(_),
            _,
        ) => one == other,
    }
}

/// Whether the beginning of the file reads as entries of this format, without a single line
/// that does not.
fn reads(spool: &Spool, spool_name: &str, format: &Format, received_on: NaiveDate) -> bool {
    let Ok(file) = spool.read(spool_name) else {
        return false;
    };
    let mut entries = 0;
    for item in format.open(file, received_on).take(ENTRIES) {
        match item {
            Ok(Item::Entry(_)) => entries += 1,
            Ok(Item::Rejected(_)) | Err(_) => return false,
        }
    }
    entries > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looks_like(own: Format, bytes: &[u8]) -> Option<String> {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::open(folder.path(), &Spool::new_identity()).unwrap();
        let mut incoming = spool.begin("a").unwrap();
        incoming.write(bytes).unwrap();
        incoming.keep("a.age").unwrap();
        let source = Source {
            name: "bank".to_owned(),
            format: own,
            rules: Vec::new(),
            ours: crate::source::Ours::default(),
            role: crate::source::Role::Decide,
            is_conforming: true,
            allow_empty: Vec::new(),
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let file = SpooledFile {
            spool: &spool,
            name: "a.age",
            source: &source,
            received_on: NaiveDate::from_ymd_opt(2026, 11, 20).unwrap(),
            batch_size: 1,
            size_bytes: 0,
            without_controls: false,
        };
        runtime.block_on(guess(&file, known_formats([].iter())))
    }

    const FUNDING: &[u8] = b"Return Date,Original Date,Attempted Funds Transfer Date,Merchant Name,\
Sub Merchant Business Name,Funding Sub Merchant ID,Funds Transfer Request ID,Vantiv Payment ID,Txn Type,\
Funds Transfer Amount,Reason Code,Reason Message,Routing Number,Account Number,Account Name\n\
11/20/2026,11/18/2026,11/18/2026,ACME,ACME,12345678,FNX1,'83997656989609888,FIPC,500.00,R03,No Account,\
021000021,xxxx6081,ANN\n";

    #[test]
    fn a_report_of_another_kind_is_named() {
        let own = Format::Delimited(Box::new(worldpay::echeck_return()));
        let seen = looks_like(own, FUNDING);
        assert_eq!(seen.as_deref(), Some("Worldpay's funding reject report"));
    }

    #[test]
    fn half_a_nacha_file_is_named_to_others_and_not_to_a_source_of_such_files() {
        let half = include_bytes!("../../ach/tests/nacha/fixtures/no_file_control.ach");
        let report = Format::Delimited(Box::new(worldpay::echeck_return()));
        assert_eq!(looks_like(report, half).as_deref(), Some("a NACHA file"));
        let nacha = Format::Nacha(ach::format::nacha::Tolerance::default());
        assert_eq!(looks_like(nacha, half), None);
    }

    #[test]
    fn a_file_of_no_kind_that_is_known_is_not_named() {
        let own = Format::Delimited(Box::new(worldpay::echeck_return()));
        assert_eq!(
            looks_like(own.clone(), b"dear sirs,\nno file today\n"),
            None
        );
        assert_eq!(looks_like(own, b""), None);
    }
}
