//! Reads the reference tables in `data/`, against which our own tables are tested.

use std::collections::BTreeMap;

/// One data row: its values by the names of the columns.
pub(crate) type Row = BTreeMap<String, String>;

/// The rows of a CSV text whose first line names the columns.
pub(crate) fn rows(csv: &str) -> Vec<Row> {
    let mut records = records(csv).into_iter();
    let columns = records.next().expect("a header line");
    records
        .map(|record| {
            assert_eq!(record.len(), columns.len(), "{record:?}");
            columns.iter().cloned().zip(record).collect()
        })
        .collect()
}

fn records(csv: &str) -> Vec<Vec<String>> {
    let (mut reader, mut input) = (csv_core::Reader::new(), csv.as_bytes());
    let (mut records, mut record, mut field) = (Vec::new(), Vec::new(), Vec::new());
    loop {
        let mut buffer = [0; 256];
        let (result, read, written) = reader.read_field(input, &mut buffer);
        input = &input[read..];
        field.extend_from_slice(&buffer[..written]);
        match result {
            csv_core::ReadFieldResult::InputEmpty | csv_core::ReadFieldResult::OutputFull => {}
            csv_core::ReadFieldResult::Field { record_end } => {
                record.push(String::from_utf8(std::mem::take(&mut field)).expect("UTF-8"));
                if record_end {
                    records.push(std::mem::take(&mut record));
                }
            }
            csv_core::ReadFieldResult::End => return records,
        }
    }
}
