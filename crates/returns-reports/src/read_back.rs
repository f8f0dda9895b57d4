//! Reading a report back from the bucket: its bytes, its rows, and what they add up to, without
//! regard to what was written.

use std::io::Read;

use futures_util::StreamExt as _;
use tokio::sync::mpsc;

use super::ReportError;
use super::bucket::Bucket;
use super::columns::{AMOUNT_MINOR, FIRST_DATABASE, OUTCOME, header};
use super::outcome::{OutcomeClass, Status};
use super::render::Rendered;
use super::totals::ReportTotals;
use crate::bucket::Digesting;

/// ReportChunks that may wait between the bucket and the parser.
const CHUNKS_AHEAD: usize = 4;

/// Checks that the report under `key` is the one that was written.
pub(super) async fn verify(
    bucket: &Bucket,
    key: &str,
    written: &Rendered,
    databases: &[String],
) -> Result<(), ReportError> {
    let wrong = |what: String| ReportError::Wrong {
        key: key.to_owned(),
        what,
    };
    let (_, mut bytes) = bucket.get(key).await?;
    let (sender, receiver) = mpsc::channel(CHUNKS_AHEAD);
    let expected = databases.to_vec();
    let parsing = tokio::task::spawn_blocking(move || {
        let input = ReportChunks {
            receiver,
            current: bytes::Bytes::new(),
        };
        add_up(input, &expected)
    });
    let mut digesting = Digesting::default();
    while let Some(chunk) = bytes.next().await {
        let chunk = chunk?;
        digesting.take(&chunk);
        // A parser that has given up wants no more, but the bytes still count.
        let _ = sender.send(chunk).await;
    }
    drop(sender);
    let there = digesting.finish();
    let mut totals = parsing
        .await
        .map_err(|error| ReportError::Unmakable(error.to_string()))?
        .map_err(wrong)?;
    // No line says these.
    totals.left_out = written.totals.left_out;
    totals.currencies.clone_from(&written.totals.currencies);
    if totals.read.count != written.totals.read.count {
        return Err(wrong(format!(
            "{} rows were written, {} are there",
            written.totals.read.count, totals.read.count
        )));
    }
    if totals != written.totals {
        return Err(wrong(first_difference(&written.totals, &totals)));
    }
    if there != written.digest {
        return Err(wrong(written.digest.difference(&there)));
    }
    Ok(())
}

fn first_difference(written: &ReportTotals, there: &ReportTotals) -> String {
    for ((word, written), (_, there)) in written.outcomes().iter().zip(there.outcomes()) {
        if *written != there {
            return format!(
                "{word}: {} rows with {} minor units were written, {} with {} are there",
                written.count, written.amount_minor, there.count, there.amount_minor
            );
        }
    }
    "the databases' columns add up differently".to_owned()
}

/// Adds a report up; an error names the row that cannot be read.
fn add_up(input: impl Read, databases: &[String]) -> Result<ReportTotals, String> {
    let mut reader = csv::Reader::from_reader(input);
    let columns = reader.headers().map_err(|error| error.to_string())?;
    let expected = header(databases);
    if columns.iter().ne(expected.iter().map(String::as_str)) {
        return Err("its header is a different one".to_owned());
    }
    let mut totals = ReportTotals::new(databases);
    for (record, number) in reader.records().zip(1_u64..) {
        let record = record.map_err(|error| error.to_string())?;
        let unreadable = |what: &str| format!("row {number}: {what}");
        let class = record
            .get(OUTCOME)
            .and_then(OutcomeClass::of_text)
            .ok_or_else(|| unreadable("its outcome is not a known word"))?;
        let amount_minor = match record.get(AMOUNT_MINOR).unwrap_or_default() {
            "" => 0,
            digits => digits
                .parse()
                .map_err(|_| unreadable("its amount is not a number"))?,
        };
        let statuses: Option<Vec<Status>> = (0..databases.len())
            .map(|index| Status::of_text(record.get(FIRST_DATABASE + index)?))
            .collect();
        let statuses = statuses.ok_or_else(|| unreadable("a status is not a known word"))?;
        totals.add(class, &statuses, amount_minor);
    }
    Ok(totals)
}

/// ReportChunks from an asynchronous stream, for a parser that has a thread of its own.
struct ReportChunks {
    receiver: mpsc::Receiver<bytes::Bytes>,
    current: bytes::Bytes,
}

impl Read for ReportChunks {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while self.current.is_empty() {
            match self.receiver.blocking_recv() {
                Some(chunk) => self.current = chunk,
                None => return Ok(0),
            }
        }
        let length = self.current.len().min(buffer.len());
        let chunk = self.current.split_to(length);
        if let Some(place) = buffer.get_mut(..length) {
            place.copy_from_slice(&chunk);
        }
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use returns_model::import::Tally;

    use super::*;

    fn sheet(rows: &[(&str, &str, &str)]) -> Vec<u8> {
        let databases = ["gateway".to_owned()];
        let columns = header(&databases);
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(&columns).unwrap();
        for (outcome, amount, status) in rows {
            let mut cells = vec![String::new(); columns.len()];
            cells[OUTCOME] = (*outcome).to_owned();
            cells[AMOUNT_MINOR] = (*amount).to_owned();
            cells[FIRST_DATABASE] = (*status).to_owned();
            writer.write_record(&cells).unwrap();
        }
        writer.into_inner().unwrap()
    }

    fn added(bytes: &[u8]) -> Result<ReportTotals, String> {
        add_up(bytes, &["gateway".to_owned()])
    }

    #[test]
    fn rows_add_up_by_their_outcome() {
        let totals = added(&sheet(&[
            ("reversed", "500", "applied"),
            ("held:unknown_transfer", "", "skipped"),
            ("returned", "7", "exception:refused"),
        ]))
        .unwrap();
        assert_eq!(
            totals.read,
            Tally {
                count: 3,
                amount_minor: 507
            }
        );
        assert_eq!(totals.databases[0].exception.amount_minor, 7);
    }

    #[test]
    fn what_this_program_never_writes_is_reported_with_its_row() {
        for (row, what) in [
            (("lost", "1", "applied"), "outcome"),
            (("returned", "1.00", "applied"), "amount"),
            (("returned", "1", "done"), "status"),
        ] {
            let said = added(&sheet(&[("failed", "1", "applied"), row])).unwrap_err();
            assert!(said.contains("row 2") && said.contains(what), "{said}");
        }
        assert!(added(b"a,b\n1,2\n").unwrap_err().contains("header"));
        let cut = sheet(&[("failed", "1", "applied")]);
        assert!(added(&cut[..cut.len() - 3]).is_err());
    }
}
