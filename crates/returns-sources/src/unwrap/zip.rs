//! zip archives. The names inside are never used as paths.

use std::io::{BufReader, Read, Seek, SeekFrom};

use zip::ZipArchive;

/// An archive that says of itself that it has more is not listed: the list is held in memory.
const MOST_ENTRIES: u16 = 1_000;
/// The list of that many entries, with long names and extra fields.
const MOST_LIST_BYTES: u32 = 4 << 20;

/// So many files may be inside; each becomes an import.
pub(super) const MOST_FILES: usize = 100;

pub(super) type Archive<R> = ZipArchive<BufReader<R>>;

/// Opens the archive's list of files.
pub(super) fn open<R: Read + Seek>(mut wrapped: R) -> Result<Archive<R>, String> {
    check_list(&mut wrapped)?;
    ZipArchive::new(BufReader::with_capacity(256 << 10, wrapped))
        .map_err(|error| format!("it is not a readable zip archive: {error}"))
}

/// Looks at the archive's end record (4.3.16 of PKWARE's APPNOTE) for how long its list is,
/// before anything is made of the list.
fn check_list(wrapped: &mut (impl Read + Seek)) -> Result<(), String> {
    const RECORD_BYTES: u64 = 22;
    // A reader may look a few bytes further than a comment can be long.
    const COMMENT_BYTES: u64 = 65_535 + 64;
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
        let list_at = u32::from(two(18)) << 16 | u32::from(two(16));
        if entries == u16::MAX || list_at == u32::MAX {
            return Err(
                "the archive is in the zip64 form, whose list can have any length; it \
                        should be an ordinary one with one file"
                    .to_owned(),
            );
        }
        if entries > MOST_ENTRIES || list_bytes > MOST_LIST_BYTES {
            return Err(too_many(usize::from(entries)));
        }
    }
    Ok(())
}

/// Why an archive with so many files is not opened.
pub(super) fn too_many(files: usize) -> String {
    format!("the archive has {files} files; it should have 1 to {MOST_FILES}")
}

/// The files of the archive: their places and names. Folders do not count, and neither does what
/// macOS adds to an archive.
pub(super) fn files<R: Read + Seek>(
    archive: &mut Archive<R>,
) -> Result<Vec<(usize, Vec<u8>)>, String> {
    let mut files = Vec::new();
    for index in 0..archive.len() {
        let entry = archive
            .by_index_raw(index)
            .map_err(|error| broken(&error))?;
        if entry.is_dir() || entry.name_raw().starts_with(b"__MACOSX/") {
            continue;
        }
        if entry.is_symlink() {
            return Err("the archive has a symbolic link in it".to_owned());
        }
        let name = entry.name_raw().to_vec();
        if is_unusable(&name) {
            let why = "a name in the archive is empty, too long, or has control characters";
            return Err(why.to_owned());
        }
        files.push((index, name));
    }
    match files.len() {
        1..=MOST_FILES => Ok(files),
        count => Err(too_many(count)),
    }
}

/// The content of the file at a place.
pub(super) fn file<R: Read + Seek>(
    archive: &mut Archive<R>,
    index: usize,
) -> Result<impl Read, String> {
    archive.by_index(index).map_err(|error| broken(&error))
}

/// Whether people could not read the name in a list.
fn is_unusable(name: &[u8]) -> bool {
    const LONGEST_BYTES: usize = 255;
    let is_control = |byte: &u8| byte.is_ascii_control();
    name.is_empty() || name.len() > LONGEST_BYTES || name.iter().any(is_control)
}

fn broken(error: &zip::result::ZipError) -> String {
    format!("the archive cannot be read: {error}")
}
