//! The reader: checks the envelopes and makes an entry of each transaction set.

use std::io::Read;

use chrono::NaiveDate;

use super::Profile;
use super::segments::{Segment, Segments, cut_off};
use crate::entry::{Direction, FilePosition, KeyField};
use crate::format::draft::Draft;
use crate::format::{Emptiness, FileRejected, Item, ReadError, Summary, codes};

/// How dates are written.
const DATE: &str = "%Y%m%d";

/// Reads an X12 file. It holds one segment and one entry, for a file of any size.
pub(in crate::format) struct X12Reader<R> {
    segments: Segments<R>,
    profile: Profile,
    received_on: NaiveDate,
    summary: Summary,
    /// The envelopes that are open, from the outside: interchange, group, transaction set.
    open: Vec<Envelope>,
    draft: Option<Notice>,
    last: FilePosition,
    finished: bool,
}

/// An envelope: what it is, its control number, and how much is in it.
struct Envelope {
    kind: EnvelopeKind,
    control: String,
    count: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum EnvelopeKind {
    Interchange,
    Group,
    ReturnNotice,
    OtherSet,
}

/// The notice of one transaction set.
struct Notice {
    draft: Draft,
    code: Option<String>,
    currency: String,
    amount: String,
}

impl<R: Read> X12Reader<R> {
    pub(in crate::format) fn new(input: R, profile: Profile, received_on: NaiveDate) -> Self {
        Self {
            segments: Segments::new(input),
            profile,
            received_on,
            summary: Summary {
                format: "x12".to_owned(),
                ..Summary::default()
            },
            open: Vec::new(),
            draft: None,
            last: FilePosition { line: 1, byte: 0 },
            finished: false,
        }
    }

    pub(in crate::format) fn summary(&self) -> Summary {
        self.summary.clone()
    }

    fn advance(&mut self) -> Result<Option<Item>, ReadError> {
        while let Some(segment) = self.segments.next()? {
            self.last = segment.at;
            if let Some(item) = self.segment(&segment)? {
                return Ok(Some(item));
            }
        }
        if !self.open.is_empty() {
            return Err(cut_off(self.last).into());
        }
        if self.summary.entries + self.summary.rejected == 0 {
            self.summary.emptiness = Some(match (self.last.byte, self.summary.left_out) {
                (0, _) => Emptiness::NoBytes,
                (_, 0) => Emptiness::HeaderOnly,
                (_, _) => Emptiness::LeftOut,
            });
        }
        Ok(None)
    }

    fn segment(&mut self, segment: &Segment) -> Result<Option<Item>, FileRejected> {
        use EnvelopeKind::{Group, Interchange, OtherSet, ReturnNotice};
        if let Some(set) = self.set() {
            set.count += 1;
        }
        match segment.name() {
            "ISA" => self.enter(segment, Interchange, 13, None)?,
            "GS" => self.enter(segment, Group, 6, Some(Interchange))?,
            "ST" if segment.element(1) == "827" => {
                self.enter(segment, ReturnNotice, 2, Some(Group))?;
                self.draft = Some(Notice::new(segment.at, self.received_on));
            }
            "ST" => self.enter(segment, OtherSet, 2, Some(Group))?,
            "SE" => return self.leave_set(segment),
            "GE" => drop(self.leave(segment, &[Group], "transaction sets")?),
            "IEA" => drop(self.leave(segment, &[Interchange], "groups")?),
            _ if self.set().is_none() => {
                let why = "a segment stands outside of any transaction set";
                return Err(FileRejected::new(why)
                    .at(segment.at)
                    .in_field(segment.name()));
            }
            _ => {
                if let Some(notice) = &mut self.draft {
                    notice.read(segment, &self.profile);
                }
            }
        }
        Ok(None)
    }

    /// The transaction set that is open.
    fn set(&mut self) -> Option<&mut Envelope> {
        self.open.last_mut().filter(|last| match last.kind {
            EnvelopeKind::ReturnNotice | EnvelopeKind::OtherSet => true,
            EnvelopeKind::Interchange | EnvelopeKind::Group => false,
        })
    }

    /// Opens an envelope in the one that it belongs to, which counts it. A set counts its segments,
    /// its own first and last ones too.
    fn enter(
        &mut self,
        segment: &Segment,
        kind: EnvelopeKind,
        control: usize,
        outer: Option<EnvelopeKind>,
    ) -> Result<(), FileRejected> {
        if self.open.last().map(|last| last.kind) != outer {
            let why = "the segment is not where it belongs: ISA, GS, ST, SE, GE and IEA enclose each \
                       other in this order";
            return Err(FileRejected::new(why)
                .at(segment.at)
                .in_field(segment.name()));
        }
        if let Some(outer) = self.open.last_mut() {
            outer.count += 1;
        }
        let is_set = matches!(kind, EnvelopeKind::ReturnNotice | EnvelopeKind::OtherSet);
        self.open.push(Envelope {
            kind,
            control: segment.element(control).to_owned(),
            count: u64::from(is_set),
        });
        Ok(())
    }

    /// Closes an envelope, whose end must say what was in it.
    fn leave(
        &mut self,
        segment: &Segment,
        kinds: &[EnvelopeKind],
        counted: &str,
    ) -> Result<EnvelopeKind, FileRejected> {
        let fault = |why: String| {
            Err(FileRejected::new(why)
                .at(segment.at)
                .in_field(segment.name()))
        };
        let Some(envelope) = self.open.pop_if(|last| kinds.contains(&last.kind)) else {
            return fault("the segment ends what did not begin".to_owned());
        };
        let (said, control) = (segment.element(1), segment.element(2));
        if said.parse() != Ok(envelope.count) {
            return fault(format!(
                "it says {} {counted} and there are {}: parts are missing or doubled; fetch the file \
                 again",
                crate::format::shown(said),
                envelope.count
            ));
        }
        if control != envelope.control {
            let why = "its control number is not the one at its beginning: parts are missing; fetch \
                       the file again";
            return fault(why.to_owned());
        }
        Ok(envelope.kind)
    }

    fn leave_set(&mut self, segment: &Segment) -> Result<Option<Item>, FileRejected> {
        let kinds = [EnvelopeKind::ReturnNotice, EnvelopeKind::OtherSet];
        if self.leave(segment, &kinds, "segments")? == EnvelopeKind::OtherSet {
            self.summary.left_out += 1;
            self.summary
                .note(Some(segment.at), "other transaction sets", || {
                    "only 827 (Financial Return Notice) is read".to_owned()
                });
            return Ok(None);
        }
        let notice = self.draft.take();
        let item = notice.map(|notice| notice.finish(&self.profile, &mut self.summary));
        item.transpose()
    }
}

impl<R: Read> Iterator for X12Reader<R> {
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

impl Notice {
    fn new(at: FilePosition, received_on: NaiveDate) -> Self {
        Self {
            draft: Draft::new(at, received_on),
            code: None,
            currency: "USD".to_owned(),
            amount: String::new(),
        }
    }

    fn read(&mut self, segment: &Segment, profile: &Profile) {
        let (first, second) = (segment.element(1), segment.element(2));
        match segment.name() {
            "RIC" => self.returned(segment),
            "CUR" => second.clone_into(&mut self.currency),
            "TRN" => match first {
                "1" => self.draft.id(KeyField::ReturnTrace, "TRN02", second),
                "2" => self.draft.id(KeyField::OriginalTrace, "TRN02", second),
                _ => {}
            },
            "REF" => {
                if let Some(key) = profile.references.get(first) {
                    self.draft.id(*key, "REF02", second);
                }
            }
            // When the original took effect; the other dates are of its order.
            "DTM" if first == "007" => {
                self.draft.entry.original_date = self.draft.date("DTM02", second, DATE);
            }
            "NTE" => self.draft.describe(second),
            _ => {}
        }
    }

    /// The code, and after it the amount, its side and the account.
    fn returned(&mut self, segment: &Segment) {
        const PLACES: std::ops::RangeInclusive<usize> = 1..=4;
        let is_code = |place: &usize| {
            let code = segment.element(*place).to_uppercase();
            crate::entry::EntryKind::of_network(&code).is_some()
        };
        let place = PLACES.into_iter().find(is_code).unwrap_or(1);
        self.draft.entry.at = segment.at;
        self.code = Some(segment.element(place).to_owned());
        segment.element(place + 1).clone_into(&mut self.amount);
        self.draft.entry.direction = match segment.element(place + 2) {
            "D" => Direction::Debit,
            "C" => Direction::Credit,
            _ => Direction::Unknown,
        };
        self.draft.account(segment.element(place + 3));
    }

    fn finish(mut self, profile: &Profile, summary: &mut Summary) -> Result<Item, FileRejected> {
        if self.code.is_some() {
            let amount = self.draft.amount("RIC", &self.amount, &self.currency);
            self.draft.entry.amount = amount;
        }
        let kind = match self.code.filter(|code| !code.is_empty()) {
            Some(code) => codes::kind(&code, &profile.code_map),
            None => Err("the transaction set has no RIC segment with a code".to_owned()),
        };
        self.draft.finish(kind, summary)
    }
}
