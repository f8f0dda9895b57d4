//! NACHA files. (placeholder of the reader)
use super::{Item, ReadError, Summary};
use chrono::NaiveDate;
use std::io::Read;
/// x
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tolerance {}
/// x
pub struct Reader<R> {
    input: R,
}
impl<R: Read> Reader<R> {
    /// x
    pub fn new(input: R, _t: Tolerance, _d: NaiveDate) -> Self {
        Self { input }
    }
    /// x
    pub fn summary(&self) -> Summary {
        let _ = &self.input;
        unimplemented!()
    }
}
impl<R: Read> Iterator for Reader<R> {
    type Item = Result<Item, ReadError>;
    fn next(&mut self) -> Option<Self::Item> {
        None
    }
}
