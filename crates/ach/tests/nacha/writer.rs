//! A small writer of return files, for the tests with random files.

/// One return, as it is to be written.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    pub(crate) transaction_code: &'static str,
    pub(crate) amount_minor: u32,
    pub(crate) code: String,
    pub(crate) sequence: u32,
    pub(crate) individual_id: String,
    pub(crate) name: String,
    pub(crate) information: String,
}

impl Written {
    pub(crate) fn is_debit(&self) -> bool {
        self.transaction_code.ends_with('6')
    }

    pub(crate) fn original_trace(&self) -> String {
        format!("06100005{:07}", self.sequence)
    }

    fn records(&self) -> [String; 2] {
        let Self {
            transaction_code,
            amount_minor,
            code,
            sequence,
            individual_id,
            name,
            information,
        } = self;
        [
            format!(
                "6{transaction_code}061000052987654321012     {amount_minor:010}\
                 {individual_id:<15}{name:<22}  107100030{sequence:07}"
            ),
            format!(
                "799{code}06100005{sequence:07}      07100030{information:<44}\
                 07100030{sequence:07}"
            ),
        ]
    }
}

#[derive(Default, Clone, Copy)]
struct Totals {
    records: usize,
    hash: u64,
    debit: u64,
    credit: u64,
}

impl Totals {
    fn of(entries: &[Written]) -> Self {
        let sum = |debit: bool| {
            let side = entries.iter().filter(|entry| entry.is_debit() == debit);
            side.map(|entry| u64::from(entry.amount_minor)).sum()
        };
        let hash = 6_100_005 * entries.len() as u64;
        Self {
            records: 2 * entries.len(),
            hash,
            debit: sum(true),
            credit: sum(false),
        }
    }

    fn add(self, other: Self) -> Self {
        Self {
            records: self.records + other.records,
            hash: self.hash + other.hash,
            debit: self.debit + other.debit,
            credit: self.credit + other.credit,
        }
    }

    fn shown(self, records_width: usize) -> String {
        let Self {
            records,
            hash,
            debit,
            credit,
        } = self;
        let hash = hash % 10_000_000_000;
        format!("{records:0records_width$}{hash:010}{debit:012}{credit:012}")
    }
}

/// The records of a file with these batches.
pub(crate) fn records(batches: &[Vec<Written>]) -> Vec<String> {
    let mut records = vec![format!(
        "101 06100005200710003012607060215A094101{:<23}{:<23}{:8}",
        "ORCHARD PAYMENTS", "FIRST LAKE BANK", ""
    )];
    let mut all = Totals::default();
    for (index, batch) in batches.iter().enumerate() {
        let number = index + 1;
        let totals = Totals::of(batch);
        all = all.add(totals);
        records.push(format!(
            "5200{:<36}1452036987WEB{:<10}260701260702184107100030{number:07}",
            "ORCHARD SUPPLY", "FRUIT"
        ));
        records.extend(batch.iter().flat_map(Written::records));
        records.push(format!(
            "8200{}1452036987{:25}07100030{number:07}",
            totals.shown(6),
            ""
        ));
    }
    let blocks = (records.len() + 1).div_ceil(10);
    records.push(format!(
        "9{:06}{blocks:06}{}{:39}",
        batches.len(),
        all.shown(8),
        ""
    ));
    while records.len() % 10 > 0 {
        records.push("9".repeat(94));
    }
    for record in &records {
        assert_eq!(record.chars().count(), 94, "{record:?}");
    }
    records
}
