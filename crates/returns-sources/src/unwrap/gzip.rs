//! gzip. A file may be made of several members, one after another; its checksums are checked.

use std::io::{BufReader, Read};

use flate2::bufread::MultiGzDecoder;
use returns_import::ReadBack;

pub(super) fn open(wrapped: ReadBack) -> impl Read {
    MultiGzDecoder::new(BufReader::with_capacity(256 << 10, wrapped))
}
