//! The bucket: each file is archived once and opens to its bytes, each report is what was
//! recorded of it, and nothing else is there but what a crash explains.

use std::collections::{BTreeMap, HashSet};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context as _, Result};
use sha2::{Digest as _, Sha256};

use super::snapshot::{Import, Snapshot};
use super::{Findings, Invariant};
use crate::db::hex;
use crate::rig::Rig;

/// What is in the bucket.
pub(super) struct Objects {
    folder: PathBuf,
    /// When each was written, by key.
    written: BTreeMap<String, SystemTime>,
    /// Reports that were put and, for a crash, never recorded.
    pub(super) leftovers: u64,
}

impl Objects {
    fn list(folder: &Path) -> Result<Self> {
        let mut objects = Self {
            folder: folder.to_owned(),
            written: BTreeMap::new(),
            leftovers: 0,
        };
        objects.walk(folder)?;
        Ok(objects)
    }

    fn walk(&mut self, folder: &Path) -> Result<()> {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let path = entry.path();
            if entry.file_type()?.is_dir() {
                self.walk(&path)?;
                continue;
            }
            let key = path
                .strip_prefix(&self.folder)?
                .to_string_lossy()
                .into_owned();
            // A put that is cut off leaves `key#1`, which is no object to those who list. The
            // diagnosis puts a marker and deletes it, unless it is killed between.
            if !key.contains('#') && !key.starts_with(".echeck-probe/") {
                self.written.insert(key, entry.metadata()?.modified()?);
            }
        }
        Ok(())
    }

    /// The bytes of an object.
    pub(super) fn read(&self, key: &str) -> Option<Vec<u8>> {
        self.written.contains_key(key).then_some(())?;
        std::fs::read(self.folder.join(key)).ok()
    }
}

pub(super) fn check(snapshot: &Snapshot, rig: &Rig, findings: &mut Findings) -> Result<Objects> {
    let mut objects = Objects::list(&rig.bucket)?;
    let identity = std::fs::read_to_string(&rig.spool_key)?
        .trim()
        .parse::<age::x25519::Identity>()
        .map_err(anyhow::Error::msg)
        .context("the key of the spool")?;
    let mut known: HashSet<&str> = HashSet::new();
    for import in &snapshot.imports {
        let Some(filed) = snapshot.filed.get(&import.import_id) else {
            continue;
        };
        let opened = filed.archive.as_ref().map(|archive| {
            known.insert(&archive.key);
            opens(
                &objects,
                &archive.key,
                &archive.sha256,
                import,
                rig,
                &identity,
            )
        });
        let right = matches!(opened, Some(Ok(())));
        let spooled = rig
            .spool_key
            .with_file_name("spool")
            .join(&import.spool_name);
        let kept = spooled.exists();
        findings.expect(Invariant::Archived, right && filed.done && !kept, || {
            format!(
                "the file of {} in the bucket: {opened:?}, done {}, still in the spool {kept}",
                import.file_name, filed.done
            )
        });
        if let Some(report) = &filed.report {
            known.extend([report.key.as_str(), filed.totals_key.as_str()]);
        }
    }
    let mut leftovers = 0;
    for (key, written) in &objects.written {
        if known.contains(key.as_str()) {
            continue;
        }
        let explained = leftover(key, *written, snapshot, &objects, rig);
        leftovers += u64::from(explained.is_ok() && key.ends_with(".csv"));
        let invariant = if key.starts_with("reports/") {
            Invariant::Reported
        } else {
            Invariant::Archived
        };
        findings.expect(invariant, explained.is_ok(), || {
            format!(
                "{key} is in the bucket and was never recorded: {}",
                explained.err().unwrap_or_default()
            )
        });
    }
    objects.leftovers = leftovers;
    Ok(objects)
}

/// Whether an archived object is as it was recorded, and opens to the bytes that came.
fn opens(
    objects: &Objects,
    key: &str,
    sha256: &str,
    import: &Import,
    rig: &Rig,
    identity: &age::x25519::Identity,
) -> Result<(), String> {
    let object = objects.read(key).ok_or("it is not there")?;
    let hash = hex(&Sha256::digest(&object));
    if hash != sha256 {
        return Err(format!("its hash is {hash}, recorded was {sha256}"));
    }
    let mut opened = rig
        .opened
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    if opened.get(key) == Some(&hash) {
        return Ok(());
    }
    let mut bytes = Vec::new();
    age::Decryptor::new_buffered(object.as_slice())
        .and_then(|decryptor| decryptor.decrypt(std::iter::once(identity as &dyn age::Identity)))
        .map_err(|error| error.to_string())?
        .read_to_end(&mut bytes)
        .map_err(|error| error.to_string())?;
    let files = rig.world.files();
    let file = files.iter().find(|file| file.sha256 == import.sha256);
    if file.is_none_or(|file| file.bytes != bytes) {
        return Err("it opens to other bytes".to_owned());
    }
    opened.insert(key.to_owned(), hash);
    Ok(())
}

/// Why an object that was never recorded may be there. It is another edition of a report, and
/// between its writing and that of the edition which counts, a process of the returns service
/// was felled or paused, or its database was: that is where "put" and "recorded" came apart.
/// Without such a moment in between, nothing but a report that was put twice explains it.
fn leftover(
    key: &str,
    written: SystemTime,
    snapshot: &Snapshot,
    objects: &Objects,
    rig: &Rig,
) -> Result<(), String> {
    let name = key
        .starts_with("reports/")
        .then(|| key.rsplit('/').next())
        .flatten()
        .ok_or("no object has such a key")?;
    let stem = name
        .strip_suffix(".csv")
        .or_else(|| name.strip_suffix(".totals.json"))
        .ok_or("no report has such a name")?;
    let import_id = stem.split('-').next().unwrap_or(stem);
    let recorded = snapshot
        .filed
        .get(import_id)
        .and_then(|filed| filed.report.as_ref())
        .ok_or("no report of its import is recorded")?;
    let counts = objects
        .written
        .get(&recorded.key)
        .ok_or("the recorded one is not there")?;
    if rig.upsets.between(written, *counts) {
        Ok(())
    } else {
        Err(format!(
            "{} is, and nothing happened between the two",
            recorded.key
        ))
    }
}
