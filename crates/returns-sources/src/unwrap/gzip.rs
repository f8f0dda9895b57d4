//! gzip. A file may be made of several members, one after another; its checksums are checked.

use std::io::{BufReader, Read};

use flate2::bufread::MultiGzDecoder;

pub(super) fn open(wrapped: impl Read) -> impl Read {
    MultiGzDecoder::new(BufReader::with_capacity(256 << 10, wrapped))
}
