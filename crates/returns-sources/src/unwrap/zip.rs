//! zip archives with one file in them. The names inside are never used as paths.

use std::io::{BufReader, Read, Seek as _, SeekFrom};

use returns_import::ReadBack;
use zip::ZipArchive;

/// An archive that says of itself that it has more is not listed: the list is held in memory.
const MOST_ENTRIES: u16 = 1_000;
/// The list of that many entries, with long names and extra fields.
const MOST_LIST_BYTES: u32 = 4 << 20;

pub(super) type Archive = ZipArchive<BufReader<ReadBack>>;

/// Opens the archive's list of files.
pub(super) fn open(mut wrapped: ReadBack) -> Result<Archive, String> {
    check_list(&mut wrapped)?;
    ZipArchive::new(BufReader::with_capacity(256 << 10, wrapped))
        .map_err(|error| format!("it is not a readable zip archive: {error}"))
}

/// Looks at the archive's end record (4.3.16 of PKWARE's APPNOTE) for how long its list is,
/// before anything is made of the list.
fn check_list(wrapped: &mut ReadBack) -> Result<(), String> {
    const RECORD_BYTES: u64 = 22;
    const COMMENT_BYTES: u64 = 65_535;
    let io = |error: std::io::Error| error.to_string();
    let end = wrapped.seek(SeekFrom::End(0)).map_err(io)?;
    let start = end.saturating_sub(RECORD_BYTES + COMMENT_BYTES);
    wrapped.seek(SeekFrom::Start(start)).map_err(io)?;
    let mut tail = Vec::new();
    wrapped.read_to_end(&mut tail).map_err(io)?;
    wrapped.rewind().map_err(io)?;
    for record in tail
        .windows(22)
        .filter(|bytes| bytes.starts_with(b"PK\x05\x06"))
    {
        let two = |at: usize| u16::from_le_bytes([record[at], record[at + 1]]);
        let entries = two(10);
        let list_bytes = u32::from(two(14)) << 16 | u32::from(two(12));
        if entries > MOST_ENTRIES || list_bytes > MOST_LIST_BYTES {
            return Err(format!(
                "the archive says that it has {entries} files; it should have one"
            ));
        }
    }
    Ok(())
}

/// The only file of the archive, with its name. Folders do not count.
pub(super) fn only_file(archive: &mut Archive) -> Result<(impl Read, Vec<u8>), String> {
    let broken = |error: zip::result::ZipError| format!("the archive cannot be read: {error}");
    let mut found = None;
    let mut files = 0_usize;
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index).map_err(broken)?;
        if entry.is_dir() {
            continue;
        }
        if entry.is_symlink() {
            return Err("the archive has a symbolic link in it".to_owned());
        }
        files += 1;
        found = Some((index, entry.name_raw().to_vec()));
    }
    match found {
        Some((index, name)) if files == 1 => {
            let file = archive.by_index(index).map_err(broken)?;
            Ok((file, name))
        }
        _ => Err(format!("the archive has {files} files; it should have one")),
    }
}
