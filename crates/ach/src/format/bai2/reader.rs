//! The reader: goes through groups and accounts, and makes an entry of each return.

use std::io::Read;
use std::iter::Peekable;

use chrono::NaiveDate;

use super::control::Levels;
use super::records::{Record, Records};
use super::{NO_CODE, Profile};
use crate::entry::{EntryKind, FilePosition};
use crate::format::draft::Draft;
use crate::format::foreign::Foreign;
use crate::format::{Emptiness, FileRejected, Item, ReadError, Summary, codes, shown};
use crate::money::{Currency, Money};

/// Reads a BAI2 file. It holds one record, for a file of any size.
pub(in crate::format) struct Bai2Reader<R> {
    records: Records<R>,
    profile: Profile,
    received_on: NaiveDate,
    summary: Summary,
    levels: Levels,
    /// What the headers of the group and the account say.
    as_of: Option<NaiveDate>,
    group_currency: String,
    currency: String,
    last: Option<FilePosition>,
    finished: bool,
}

impl<R: Read> Bai2Reader<R> {
    pub(in crate::format) fn new(input: R, profile: Profile, received_on: NaiveDate) -> Self {
        Self {
            received_on,
            records: Records::new(input),
            profile,
            summary: Summary {
                format: "bai2".to_owned(),
                ..Summary::default()
            },
            levels: Levels::default(),
            as_of: None,
            group_currency: String::new(),
            currency: String::new(),
            last: None,
            finished: false,
        }
    }

    pub(in crate::format) fn summary(&self) -> Summary {
        self.summary.clone()
    }

    fn advance(&mut self) -> Result<Option<Item>, ReadError> {
        while let Some(record) = self.records.next()? {
            let is_first = self.last.replace(record.at).is_none();
            if is_first && record.kind != "01" {
                let why = match self.records.passage.foreign(Foreign::Bai2) {
                    Some(foreign) => format!("this is not a BAI2 file: {foreign}"),
                    None => {
                        "this is not a BAI2 file: it does not begin with a record 01".to_owned()
                    }
                };
                return Err(FileRejected::new(why).at(record.at).into());
            }
            if let Some(item) = self.record(&record)? {
                return Ok(Some(item));
            }
        }
        if self.levels.innermost().is_some() {
            let why =
                "the file ends without its record 99: it was probably cut off; fetch it again";
            return Err(FileRejected::new(why).into());
        }
        if self.summary.entries + self.summary.rejected == 0 {
            self.summary.emptiness = Some(match (self.last, self.summary.left_out) {
                (None, _) => Emptiness::NoBytes,
                (Some(_), 0) => Emptiness::HeaderOnly,
                (Some(_), _) => Emptiness::LeftOut,
            });
        }
        Ok(None)
    }

    fn record(&mut self, record: &Record) -> Result<Option<Item>, FileRejected> {
        match record.kind.as_str() {
            "01" => self.levels.open(record, "01", None)?,
            "02" => {
                self.levels.open(record, "02", Some("01"))?;
                let field = |index| record.fields().nth(index).unwrap_or_default();
                self.as_of = NaiveDate::parse_from_str(field(3), "%y%m%d").ok();
                field(5).clone_into(&mut self.group_currency);
            }
            "03" => {
                self.levels.open(record, "03", Some("02"))?;
                let own = record.fields().nth(1).unwrap_or_default();
                let currency = if own.is_empty() {
                    &self.group_currency
                } else {
                    own
                };
                self.currency = if currency.is_empty() { "USD" } else { currency }.to_owned();
                let total = self.account_total(record)?;
                // The record itself was counted when the account was opened.
                let nothing = Record {
                    lines: 0,
                    ..record.clone()
                };
                self.levels.count(&nothing, total)?;
            }
            "16" if self.levels.innermost() == Some("03") => return self.transaction(record),
            "49" => self.levels.close(record, "03")?,
            "98" => self.levels.close(record, "02")?,
            "99" => self.levels.close(record, "01")?,
            _ => {
                let why = format!("{} is no record of BAI2 here", shown(&record.kind));
                return Err(FileRejected::new(why).at(record.at));
            }
        }
        Ok(None)
    }

    /// The sum of the balances and summaries of an account.
    fn account_total(&self, record: &Record) -> Result<i64, FileRejected> {
        let mut fields = record.fields().skip(2).peekable();
        let mut total = 0;
        while fields.peek().is_some() {
            let (_kind, amount, _count) = (fields.next(), fields.next(), fields.next());
            let amount = amount.unwrap_or_default();
            total = crate::format::summary::plus(total, signed(amount, record)?, record.at)?;
            skip_funds(&mut fields, record)?;
        }
        Ok(total)
    }

    fn transaction(&mut self, record: &Record) -> Result<Option<Item>, FileRejected> {
        let mut fields = record.fields().peekable();
        let kind = fields.next().unwrap_or_default();
        let amount = fields.next().unwrap_or_default();
        let minor = signed(amount, record)?;
        self.levels.count(record, minor)?;
        let Some(direction) = self.profile.returns.get(kind).copied() else {
            self.summary.left_out += 1;
            let shown = shown(kind);
            self.summary.note(Some(record.at), "transaction types", || {
                format!("transactions that are not returns; the first is of type {shown}")
            });
            return Ok(None);
        };
        skip_funds(&mut fields, record)?;
        let (bank, customer) = (
            fields.next().unwrap_or_default(),
            fields.next().unwrap_or_default(),
        );
        let text = fields.collect::<Vec<_>>().join(",");
        let mut draft = Draft::new(record.at, self.received_on);
        draft.entry.direction = direction;
        draft.entry.settlement_date = self.as_of;
        draft.id(self.profile.bank_reference, "bank reference", bank);
        draft.id(
            self.profile.customer_reference,
            "customer reference",
            customer,
        );
        draft.describe(&text);
        match self.currency.parse::<Currency>() {
            Ok(currency) => draft.entry.amount = Some(Money::new(minor.abs(), currency)),
            Err(_) => draft.wrong(
                "currency",
                format!(
                    "{} is not a currency code of three letters",
                    shown(&self.currency)
                ),
            ),
        }
        let kind = match codes::in_text(&text).or_else(|| self.own_code(&text)) {
            Some(code) => codes::kind(&code, &self.profile.code_map),
            None => Ok(EntryKind::unknown_return(NO_CODE)),
        };
        draft.finish(kind, &mut self.summary).map(Some)
    }

    /// A code of the bank's own that its text names.
    fn own_code(&self, text: &str) -> Option<String> {
        let words = text.split(|letter: char| !letter.is_ascii_alphanumeric());
        let mut words = words.map(str::to_uppercase);
        words.find(|word| self.profile.code_map.contains_key(word))
    }
}

impl<R: Read> Iterator for Bai2Reader<R> {
    type Item = Result<Item, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.finished {
            return None;
        }
        let item = self.advance().transpose();
        self.finished = !matches!(item, Some(Ok(_)));
        item
    }
}

/// An amount in minor units, with its sign; a blank one is zero.
fn signed(text: &str, record: &Record) -> Result<i64, FileRejected> {
    if text.is_empty() {
        return Ok(0);
    }
    // More than any account has could be an account number in a wrong place.
    const MOST_DIGITS: usize = 18;
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_number = digits.len() <= MOST_DIGITS && digits.bytes().all(|b| b.is_ascii_digit());
    match text.parse() {
        Ok(minor) if is_number => Ok(minor),
        Ok(_) | Err(_) => {
            let why = format!(
                "{} is not an amount: BAI2 has whole numbers of minor units",
                shown(text)
            );
            Err(FileRejected::new(why).at(record.at).in_field("amount"))
        }
    }
}

/// Passes over when the money is available: a type, and what belongs to it.
fn skip_funds<'a, I: Iterator<Item = &'a str>>(
    fields: &mut Peekable<I>,
    record: &Record,
) -> Result<(), FileRejected> {
    let more = match fields.next().unwrap_or_default() {
        "" | "0" | "1" | "2" | "Z" => 0,
        "V" => 2,
        "S" => 3,
        "D" => {
            let days: usize = fields.next().unwrap_or_default().parse().unwrap_or(0);
            2 * days.min(1_000)
        }
        other => {
            let why = format!(
                "{} is not a funds type (0, 1, 2, V, S, D or Z)",
                shown(other)
            );
            return Err(FileRejected::new(why).at(record.at).in_field("funds type"));
        }
    };
    for _ in 0..more {
        fields.next();
    }
    Ok(())
}
