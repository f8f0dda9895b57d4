//! What files are wrapped in: gzip, zip and OpenPGP, by the ends of their names, up to
//! three in one another. Each layer is read from the spool and written to it, encrypted, so
//! memory stays flat; and what comes out is bounded, so a bomb fills no disk.

mod gzip;
pub(super) mod pgp;
mod zip;

use std::cell::Cell;
use std::io::Read;

use pgp::PgpKey;
use returns_import::{ReadBack, Receiving};
use uuid::Uuid;

use super::error::{SourceError, receiving};
use super::fetch::Fetch;
use super::name::RemoteName;

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
    fetch: &'a Fetch,
    pgp: Option<&'a PgpKey>,
    /// What all layers have unpacked to so far, in bytes.
    unpacked: Cell<u64>,
}

/// A file that was inside.
pub(super) struct Unwrapped {
    pub(super) received: Receiving,
    /// It keeps the files of one archive apart.
    pub(super) nonce: Uuid,
    /// Its name in an archive that has several.
    pub(super) member: Option<String>,
}

/// How deep a layer lies, and in which file of an archive that has several.
#[derive(Clone)]
struct Place {
    depth: usize,
    member: Option<String>,
}

impl<'a> Unwrapping<'a> {
    pub(super) fn new(fetch: &'a Fetch, pgp: Option<&'a PgpKey>) -> Self {
        Self {
            fetch,
            pgp,
            unpacked: Cell::new(0),
        }
    }

    /// Opens all layers, and gives the files that are inside, received.
    pub(super) fn open(
        &self,
        wrapped: ReadBack,
        layers: &[Layer],
    ) -> Result<Vec<Unwrapped>, SourceError> {
        let outermost = Place {
            depth: 1,
            member: None,
        };
        self.peel(wrapped, layers, outermost)
    }

    /// Opens the outermost of `layers`.
    fn peel(
        &self,
        wrapped: ReadBack,
        layers: &[Layer],
        at: Place,
    ) -> Result<Vec<Unwrapped>, SourceError> {
        let Some((outer, inner)) = layers.split_first() else {
            return self.pour(wrapped, &[], at);
        };
        if at.depth > MOST_LAYERS {
            return Err(self.unopenable(format!("it is wrapped more than {MOST_LAYERS} times")));
        }
        match outer {
            Layer::Gzip => self.pour(gzip::open(wrapped), inner, at),
            Layer::Zip => self.unzip(wrapped, &at),
            Layer::Pgp => {
                let key = self.pgp.ok_or_else(|| {
                    self.unopenable(
                        "it is encrypted with OpenPGP, and the source has no pgp_private_key",
                    )
                })?;
                let key = key.unlocked()?;
                let message =
                    pgp::message::open(wrapped, &key).map_err(|why| self.unopenable(why))?;
                self.pour(message, inner, at)
            }
        }
    }

    /// Opens each file of an archive. The archive knows their names better than its own name does.
    fn unzip(&self, wrapped: ReadBack, at: &Place) -> Result<Vec<Unwrapped>, SourceError> {
        let mut archive = zip::open(wrapped).map_err(|why| self.unopenable(why))?;
        let files = zip::files(&mut archive).map_err(|why| self.unopenable(why))?;
        let several = files.len() > 1;
        let mut inside = Vec::new();
        for (index, name) in files {
            let mut at = at.clone();
            if several {
                let name = RemoteName::new(name.clone()).text();
                at.member = Some(match &at.member {
                    Some(archive) => format!("{archive}/{name}"),
                    None => name,
                });
            }
            let file = zip::file(&mut archive, index).map_err(|why| self.unopenable(why))?;
            inside.extend(self.pour(file, &layers(&name), at)?);
            // There may be archives in the archive.
            if inside.len() > zip::MOST_FILES {
                return Err(self.unopenable(zip::too_many(inside.len())));
            }
        }
        Ok(inside)
    }

    /// Writes what comes out of a layer: to be unwrapped further, or as what is received.
    fn pour(
        &self,
        from: impl Read,
        inner: &[Layer],
        at: Place,
    ) -> Result<Vec<Unwrapped>, SourceError> {
        let fetch = self.fetch;
        if inner.is_empty() {
            let nonce = at.member.as_ref().map_or(fetch.nonce, |_| Uuid::new_v4());
            let mut received = fetch.begin(nonce)?;
            self.copy(from, |bytes| {
                received
                    .write(bytes)
                    .map_err(|error| receiving(&fetch.file.name, error, fetch.file.size_bytes))
            })?;
            return Ok(vec![Unwrapped {
                received,
                nonce,
                member: at.member,
            }]);
        }
        let mut next = fetch
            .spool
            .begin(&format!("{}-{}", fetch.nonce, at.depth))?;
        self.copy(from, |bytes| Ok(next.write(bytes)?))?;
        let depth = at.depth + 1;
        self.peel(next.read_back(&fetch.spool)?, inner, Place { depth, ..at })
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
            self.unpacked.set(self.unpacked.get() + bytes as u64);
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
        // All files of an archive together, and all layers of each.
        let (wrapped, unpacked) = (self.fetch.file.size_bytes, self.unpacked.get());
        if unpacked > FREE_BYTES && unpacked / MOST_RATIO > wrapped {
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
