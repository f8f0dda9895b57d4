//! Delimited files. (placeholder of the reader)
use super::{Item, ReadError, Summary};
use std::io::Read;
/// x
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {}
/// x
pub struct Reader<R> {
    input: R,
}
impl<R: Read> Reader<R> {
    /// x
    pub fn new(input: R, _p: Profile) -> Self {
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
