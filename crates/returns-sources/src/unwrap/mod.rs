//! What files are wrapped in: gzip, zip and OpenPGP, by the ends of their names, up to
//! three in one another. Each layer is read from the spool and written to it, encrypted, so
//! memory stays flat; and what comes out is bounded, so a bomb fills no disk.

mod gzip;
pub(super) mod pgp;
mod zip;

use std::io::Read;

use pgp::PgpKey;
use returns_import::{ReadBack, Receiving};

use super::error::{SourceError, receiving};
use super::fetch::Fetch;

/// The maximum number of layers that are opened.
const MOST_LAYERS: usize = 3;

/// The size to which every file may unpack.
const FREE_BYTES: u64 = 64 << 20;

/// Beyond that, how many times its size. Return files repeat themselves, but less than that:
/// deflate makes at most 1,032 out of 1, and text of 94-character records some 20 to 60.
const MOST_RATIO: u64 = 250;

/// One layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layer {
    Gzip,
    Zip,
    Pgp,
}

/// The layers that a name speaks of, the outermost first.
pub(super) fn layers(name: &[u8]) -> Vec<Layer> {
    const ENDS: [(&str, Layer); 5] = [
        (".gz", Layer::Gzip),
        (".zip", Layer::Zip),
        (".pgp", Layer::Pgp),
        (".gpg", Layer::Pgp),
        (".asc", Layer::Pgp),
    ];
    let mut layers = Vec::new();
    let mut name = name.to_ascii_lowercase();
    while let Some((end, layer)) = ENDS.iter().find(|(end, _)| name.ends_with(end.as_bytes())) {
        layers.push(*layer);
        name.truncate(name.len() - end.len());
    }
    layers
}

/// The opening of one file.
pub(super) struct Unwrapping<'a> {
    pub(super) fetch: &'a Fetch,
    pub(super) pgp: Option<&'a PgpKey>,
}

impl Unwrapping<'_> {
    /// Opens all layers, and gives what is inside, received.
    pub(super) fn open(
        &self,
        wrapped: ReadBack,
        layers: &[Layer],
    ) -> Result<Receiving, SourceError> {
        self.peel(wrapped, layers, 1)
    }

    /// Opens the outermost of `layers`, which is the `depth`th of the file.
    fn peel(
        &self,
        wrapped: ReadBack,
        layers: &[Layer],
        depth: usize,
    ) -> Result<Receiving, SourceError> {
        let Some((outer, inner)) = layers.split_first() else {
            return self.pour(wrapped, &[], depth);
        };
        if depth > MOST_LAYERS {
            return Err(self.unopenable(format!("it is wrapped more than {MOST_LAYERS} times")));
        }
        match outer {
            Layer::Gzip => self.pour(gzip::open(wrapped), inner, depth),
            Layer::Zip => {
                let mut archive = zip::open(wrapped).map_err(|why| self.unopenable(why))?;
                let (file, name) =
                    zip::only_file(&mut archive).map_err(|why| self.unopenable(why))?;
                // The archive knows the name of what is inside better than its own name does.
                self.pour(file, &self::layers(&name), depth)
            }
            Layer::Pgp => {
                let key = self.pgp.ok_or_else(|| {
                    self.unopenable(
                        "it is encrypted with OpenPGP, and the source has no pgp_private_key",
                    )
                })?;
                let key = key.unlocked()?;
                let message = pgp::open(wrapped, &key).map_err(|why| self.unopenable(why))?;
                self.pour(message, inner, depth)
            }
        }
    }

    /// Writes what comes out of a layer: to be unwrapped further, or as what is received.
    fn pour(
        &self,
        from: impl Read,
        inner: &[Layer],
        depth: usize,
    ) -> Result<Receiving, SourceError> {
        let fetch = self.fetch;
        if inner.is_empty() {
            let mut received = fetch.begin()?;
            self.copy(from, |bytes| {
                received
                    .write(bytes)
                    .map_err(|error| receiving(&fetch.file.name, error, fetch.file.size_bytes))
            })?;
            return Ok(received);
        }
        let mut next = fetch.spool.begin(&format!("{}-{depth}", fetch.nonce))?;
        self.copy(from, |bytes| Ok(next.write(bytes)?))?;
        self.peel(next.read_back(&fetch.spool)?, inner, depth + 1)
    }

    fn copy(
        &self,
        mut from: impl Read,
        mut write: impl FnMut(&[u8]) -> Result<(), SourceError>,
    ) -> Result<(), SourceError> {
        let mut buffer = vec![0; 256 << 10];
        let mut written = 0;
        loop {
            let bytes = match from.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(bytes) => bytes,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(self.unopenable(error.to_string())),
            };
            written += bytes as u64;
            self.check_bounds(written)?;
            write(buffer.get(..bytes).unwrap_or_default())?;
        }
    }

    fn check_bounds(&self, written: u64) -> Result<(), SourceError> {
        let limit = self.fetch.limit_bytes;
        if written > limit {
            return Err(self.unopenable(format!(
                "it unpacks to more than {limit} bytes (import.max_file_bytes)"
            )));
        }
        let wrapped = self.fetch.file.size_bytes;
        if written > FREE_BYTES && written / MOST_RATIO > wrapped {
            return Err(self.unopenable(format!(
                "it unpacks to more than {MOST_RATIO} times its {wrapped} bytes, which return \
                 files do not: it may be a bomb"
            )));
        }
        Ok(())
    }

    fn unopenable(&self, why: impl Into<String>) -> SourceError {
        SourceError::Unopenable {
            name: self.fetch.file.name.clone(),
            why: why.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_a_name_are_its_layers() {
        let of = |name: &str| layers(name.as_bytes());
        assert_eq!(of("returns.csv"), []);
        assert_eq!(of("returns.csv.gz"), [Layer::Gzip]);
        assert_eq!(of("RETURNS.CSV.GZ.PGP"), [Layer::Pgp, Layer::Gzip]);
        assert_eq!(of("returns.zip.asc"), [Layer::Pgp, Layer::Zip]);
        assert_eq!(of("gz"), []);
        assert_eq!(of("x.gz.gz.gz.gz").len(), 4);
    }
}
