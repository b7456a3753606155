//! What git tracks, from its index.
//!
//! A scan asks about the few names that rules ignore, but an index lists every file. So what a scan
//! needs is kept in the state folder, as hashes of paths, for as long as the index stays the same.
//! `docs/formats-workspace.md` specifies the encoding.

use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use gix_index::entry::{Flags, Mode};

use crate::files::regular_file::{self, Links, Opened};
use crate::files::stat::Stat;
use crate::worktree::git::repository::Repository;
use crate::worktree::git::settings::Settings;
use crate::worktree::ignore_rules::RulesId;
use crate::worktree::state_dir::{GIT_TRACKED, StateDir};

/// Version of the kept file.
pub const TRACKED_VERSION: u32 = 1;
const MAGIC: &[u8; 8] = b"FSTGITIX";
/// Magic, version, flags, key, digest.
const HEADER_BYTES: usize = 8 + 4 + 4 + KEY_BYTES + 16;
const KEY_BYTES: usize = 32;
const CHECKSUM_BYTES: usize = 32;
const RECORD_BYTES: usize = 16;
/// Flag: git omits files on purpose.
const SPARSE: u32 = 1;
/// A larger git index is not read. The limit allows about ten million files.
const INDEX_BYTES_MAX: u64 = 2 << 30;
/// The prefix of the name of a shared index, to which split indexes refer.
const SHARED_INDEX: &[u8] = b"sharedindex.";
/// The length of the checksum at the end of an index.
const TRAILER_BYTES: u64 = 20;

/// What a record says about its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum RecordKind {
    /// A tracked file or link.
    File = 0,
    /// A directory with tracked files. Its path has a slash at the end.
    Directory = 1,
    /// A file that git omits from the working tree on purpose.
    LeftOut = 2,
    /// A directory that git omits as a whole. Its path has a slash at the end.
    DirectoryLeftOut = 3,
}

/// What git tracks.
#[derive(Debug)]
pub(crate) struct Tracked {
    index: PathBuf,
    object_hash: gix_hash::Kind,
    header: Header,
    kept: StateDir,
    records: OnceLock<Records>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Header {
    flags: u32,
    /// Identifies the index that was read.
    key: [u8; KEY_BYTES],
    /// Identifies the records.
    digest: RulesId,
}

/// Hashes of paths, sorted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Records(Vec<[u8; RECORD_BYTES]>);

impl Tracked {
    /// Returns what the index of a repository tracks; `None` if there is no index. If the index
    /// cannot be read, returns what an earlier read of it has kept, with a message that says why.
    pub(super) fn of(
        repository: &Repository,
        settings: &Settings,
        state: &StateDir,
    ) -> (Option<Self>, Option<String>) {
        let index = repository.git_dir.join("index");
        let (kept, object_hash) = (state.clone(), settings.object_hash);
        let known = load_header(&kept).ok();
        let open = |header: Header, records: OnceLock<Records>| Self {
            index: index.clone(),
            object_hash,
            header,
            kept: kept.clone(),
            records,
        };
        let failed = |why: &dyn std::fmt::Display| {
            let text = format!(
                "cannot read git's index {} ({why}): files that git tracks and ignores may be left out",
                index.display()
            );
            (known.map(|header| open(header, OnceLock::new())), Some(text))
        };
        let key = match key_of(&index) {
            Ok(key) => key,
            // If something was kept, the index may be missing for a moment only, as in `rm
            // .git/index; git reset`.
            Err(error) if error.kind() == io::ErrorKind::NotFound && known.is_none() => {
                return (None, None);
            }
            Err(error) => return failed(&error),
        };
        if let Some(header) = known.filter(|header| header.key == key) {
            return (Some(open(header, OnceLock::new())), None);
        }
        match read_index(&index, object_hash) {
            Ok((records, flags)) => {
                let header = Header { flags, key, digest: records.digest() };
                // A cache: without it the index is read again.
                if state.path().is_dir() {
                    let _ = save(state, &header, &records);
                }
                (Some(open(header, records.into())), None)
            }
            Err(why) => failed(&why),
        }
    }

    /// Identifies everything that is tracked.
    pub(super) fn digest(&self) -> RulesId {
        self.header.digest
    }

    /// Returns whether a file is tracked. Paths are relative to the top of the repository.
    pub(super) fn has_file(&self, path: &[u8]) -> bool {
        self.has_record(RecordKind::File, path)
    }

    /// Returns whether anything below a directory is tracked. Its path has a slash at the end.
    pub(super) fn has_directory(&self, path: &[u8]) -> bool {
        path.is_empty() || self.has_record(RecordKind::Directory, path)
    }

    pub(super) fn is_sparse(&self) -> bool {
        self.header.flags & SPARSE != 0
    }

    pub(super) fn leaves_out(&self, path: &[u8]) -> bool {
        let slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
        self.is_sparse()
            && (self.has_record(RecordKind::LeftOut, path)
                || slashes.into_iter().any(|(slash, _)| {
                    self.has_record(RecordKind::DirectoryLeftOut, &path[..=slash])
                }))
    }

    fn has_record(&self, what: RecordKind, path: &[u8]) -> bool {
        self.records().0.binary_search(&record(what, path)).is_ok()
    }

    /// Returns the records: from the kept file if it is complete, otherwise from the index again.
    fn records(&self) -> &Records {
        self.records.get_or_init(|| {
            let kept = load(&self.kept).ok().filter(|(header, _)| *header == self.header);
            let read =
                || read_index(&self.index, self.object_hash).ok().map(|(records, _)| records);
            kept.map(|(_, records)| records).or_else(read).unwrap_or_default()
        })
    }
}

impl Records {
    /// Identifies everything that is tracked.
    fn digest(&self) -> RulesId {
        let hash = blake3::hash(self.0.as_flattened());
        RulesId(hash.as_bytes()[..16].try_into().expect("16 of 32 bytes"))
    }
}

fn record(what: RecordKind, path: &[u8]) -> [u8; RECORD_BYTES] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&[what as u8]);
    hasher.update(path);
    hasher.finalize().as_bytes()[..RECORD_BYTES].try_into().expect("16 of 32 bytes")
}

/// Identifies the content of an index: git replaces it as a whole, and it ends with a checksum.
fn key_of(index: &Path) -> io::Result<[u8; KEY_BYTES]> {
    let mut file = open_index(index)?.file;
    let stat = Stat::from(&rustix::fs::fstat(&file)?);
    let mut trailer = Vec::new();
    file.seek(SeekFrom::Start(stat.bytes.saturating_sub(TRAILER_BYTES)))?;
    file.take(TRAILER_BYTES).read_to_end(&mut trailer)?;
    let mut hasher = blake3::Hasher::new();
    hasher.update(&stat.bytes.to_le_bytes());
    hasher.update(&stat.mtime_ns.to_le_bytes());
    hasher.update(&stat.ctime_ns.to_le_bytes());
    hasher.update(&stat.inode.to_le_bytes());
    hasher.update(&(trailer.len() as u64).to_le_bytes());
    hasher.update(&trailer);
    hasher.update(index.as_os_str().as_bytes());
    Ok(*hasher.finalize().as_bytes())
}

fn open_index(path: &Path) -> io::Result<Opened> {
    regular_file::open(rustix::fs::CWD, path, Links::Follow, INDEX_BYTES_MAX)
}

/// Rejects an index that would block its reader or fill the memory. The reader, `gix_index`, opens
/// it by name again, and a shared index by a name that the index contains.
fn check_index(index: &Path) -> io::Result<()> {
    open_index(index)?;
    let folder = index.parent().unwrap_or(index);
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name();
        if name.as_bytes().starts_with(SHARED_INDEX) {
            open_index(&folder.join(name))?;
        }
    }
    Ok(())
}

/// Reads a git index, and the shared one if it is split.
fn read_index(index: &Path, object_hash: gix_hash::Kind) -> Result<(Records, u32), String> {
    check_index(index).map_err(|error| error.to_string())?;
    let options = gix_index::decode::Options::default();
    let file = gix_index::File::at(index, object_hash, true, options);
    let file = file.map_err(|error| error.to_string())?;
    let (mut records, mut flags) = (Vec::with_capacity(file.entries().len() * 5 / 4), 0);
    let mut last_directory = Vec::new();
    for entry in file.entries() {
        let path: &[u8] = entry.path(&file);
        if entry.mode == Mode::COMMIT {
            continue;
        }
        let is_left_out = entry.flags.contains(Flags::SKIP_WORKTREE);
        if is_left_out {
            flags |= SPARSE;
        }
        if entry.mode == Mode::DIR {
            records.push(record(RecordKind::DirectoryLeftOut, path));
        } else {
            records.push(record(RecordKind::File, path));
            if is_left_out {
                records.push(record(RecordKind::LeftOut, path));
            }
        }
        let directory = path.iter().rposition(|&byte| byte == b'/').map_or(0, |slash| slash + 1);
        if last_directory != path[..directory] {
            last_directory = path[..directory].to_vec();
            let slashes = last_directory.iter().enumerate().filter(|(_, byte)| **byte == b'/');
            records.extend(
                slashes.map(|(slash, _)| record(RecordKind::Directory, &last_directory[..=slash])),
            );
        }
    }
    records.sort_unstable();
    records.dedup();
    Ok((Records(records), flags))
}

/// Reads a git index, and returns how many records it makes: for fuzzing.
pub(super) fn count(index: &Path, object_hash: gix_hash::Kind) -> Result<usize, String> {
    read_index(index, object_hash).map(|(records, _)| records.0.len())
}

/// Decodes a kept file, and encodes it again: for fuzzing.
pub(super) fn reencoded(bytes: &[u8]) -> Option<Vec<u8>> {
    let (header, records) = decode(bytes)?;
    let header = header.encode();
    Some([&header[..], records.0.as_flattened(), &checksum(&header, &records)].concat())
}

fn checksum(header: &[u8], records: &Records) -> [u8; CHECKSUM_BYTES] {
    let mut hasher = blake3::Hasher::new();
    *hasher.update(header).update(records.0.as_flattened()).finalize().as_bytes()
}

fn save(state: &StateDir, header: &Header, records: &Records) -> io::Result<()> {
    let header = header.encode();
    let checksum = checksum(&header, records);
    state.replace_cache(GIT_TRACKED, &[&header[..], records.0.as_flattened(), &checksum])
}

fn load_header(state: &StateDir) -> io::Result<Header> {
    let mut bytes = [0; HEADER_BYTES];
    state.open_file(GIT_TRACKED)?.file.read_exact(&mut bytes)?;
    Header::decode(&bytes).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

fn load(state: &StateDir) -> io::Result<(Header, Records)> {
    let bytes = state.read(GIT_TRACKED)?.ok_or(io::ErrorKind::NotFound)?;
    decode(&bytes).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

fn decode(bytes: &[u8]) -> Option<(Header, Records)> {
    let (body, checksum) = bytes.split_at_checked(bytes.len().checked_sub(CHECKSUM_BYTES)?)?;
    let (header, records) = body.split_first_chunk::<HEADER_BYTES>()?;
    if blake3::hash(body).as_bytes()[..] != *checksum || records.len() % RECORD_BYTES != 0 {
        return None;
    }
    Some((Header::decode(header)?, Records(records.as_chunks().0.to_vec())))
}

impl Header {
    fn encode(&self) -> Vec<u8> {
        let version = TRACKED_VERSION.to_le_bytes();
        [&MAGIC[..], &version, &self.flags.to_le_bytes(), &self.key, &self.digest.0].concat()
    }

    fn decode(bytes: &[u8; HEADER_BYTES]) -> Option<Self> {
        let rest = bytes.strip_prefix(MAGIC)?;
        let (version, rest) = rest.split_first_chunk()?;
        let (flags, rest) = rest.split_first_chunk()?;
        let (key, digest) = rest.split_first_chunk()?;
        (u32::from_le_bytes(*version) == TRACKED_VERSION).then_some(Self {
            flags: u32::from_le_bytes(*flags),
            key: *key,
            digest: RulesId(digest.try_into().ok()?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encoding_is_frozen() {
        let records =
            Records(vec![record(RecordKind::File, b"a"), record(RecordKind::Directory, b"d/")]);
        let header = Header { flags: SPARSE, key: [0x11; 32], digest: records.digest() };
        let folder = tempfile::tempdir().unwrap();
        let state = StateDir::of(folder.path());
        save(&state, &header, &records).unwrap();
        let bytes = std::fs::read(state.path_of(GIT_TRACKED)).unwrap();
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let frozen = [
            "4653544749544958010000000100000011111111111111111111111111111111111111111111",
            "11111111111111111111eb9e406249c7ede73dfb22690b8debd91ff621ee3430890e86972899",
            "5a6cee4fbfea1c4910ff0a686abb0f230459403e2cd3abb4fab701627f80a72ce484c2ae8153",
            "d49598af7defe157efc109bcba4e",
        ];
        assert_eq!(hex, frozen.concat());
        assert_eq!(decode(&bytes), Some((header, records)));
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1;
            assert_eq!(decode(&flipped), None, "flipped at {at}");
            assert_eq!(decode(&bytes[..at]), None, "cut at {at}");
        }
    }
}
