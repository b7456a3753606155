//! The journal of a checkout: the steps that are left once everything is written and durable.

use crate::files::stat::Stat;
use crate::object::id::ID_BYTES;
use crate::object::item::Kind;
use crate::object::name::name_is_allowed;
use crate::object::state_name::is_state_name;
use crate::object::varint;
use crate::worktree::checkout::change::Expected;
use crate::worktree::checkout::error::CheckoutError;
use crate::worktree::checkout::step::{Action, JOURNAL_VERSION, Rules, Step};
use crate::worktree::state_dir::{HEAD, JOURNAL, StateDir};
const MAGIC: &[u8; 8] = b"FSTCHECK";
const RACY: u8 = 0x80;

/// A checkout between its two phases.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Journal {
    /// Bytes of the caller's, returned on recovery.
    pub head: Vec<u8>,
    pub steps: Vec<Step>,
    pub rules: Rules,
}

impl Journal {
    /// Reads the journal of a working copy, if there is one.
    pub(super) fn load(state: &StateDir) -> Result<Option<Self>, CheckoutError> {
        let path = state.journal();
        let read = state.read(JOURNAL).map_err(CheckoutError::io("read", &path))?;
        let Some(bytes) = read else { return Ok(None) };
        if let Some((MAGIC, rest)) = bytes.split_first_chunk::<8>()
            && let Some((version, _)) = rest.split_first_chunk::<4>()
            && u32::from_le_bytes(*version) > JOURNAL_VERSION
        {
            let version = u32::from_le_bytes(*version);
            return Err(CheckoutError::NewerJournal { path, version });
        }
        match Self::decode(&bytes) {
            Some(journal) => Ok(Some(journal)),
            None => Err(CheckoutError::DamagedJournal { path }),
        }
    }

    /// Writes the journal, durably. From here on the checkout must be finished.
    pub(super) fn save(&self, state: &StateDir) -> Result<(), CheckoutError> {
        let written = state.replace(JOURNAL, &self.encode());
        written.map_err(CheckoutError::io("write", state.journal()))
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.extend_from_slice(&self.rules.version().to_le_bytes());
        put_bytes(&mut out, &self.head);
        varint::put(&mut out, self.steps.len() as u64);
        for Step { path, action } in &self.steps {
            put_bytes(&mut out, path);
            put_action(&mut out, action);
        }
        let checksum = blake3::hash(&out);
        out.extend_from_slice(checksum.as_bytes());
        out
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (body, checksum) = bytes.split_last_chunk::<ID_BYTES>()?;
        (blake3::hash(body).as_bytes() == checksum).then_some(())?;
        let mut rest = body.strip_prefix(MAGIC)?;
        let rules = Rules::of_version(u32::from_le_bytes(take_chunk(&mut rest)?))?;
        let head = take_bytes(&mut rest)?.to_vec();
        // Else the state folder could not be read any more.
        let is_readable =
            std::str::from_utf8(&head).is_ok() && (head.len() as u64) < HEAD.bytes_max;
        is_readable.then_some(())?;
        let mut steps = Vec::new();
        for _ in 0..varint::take(&mut rest)? {
            let path = take_bytes(&mut rest)?.to_vec();
            path.split(|&byte| byte == b'/').all(may_be_written).then_some(())?;
            steps.push(Step { path, action: take_action(&mut rest)? });
        }
        rest.is_empty().then_some(Self { head, steps, rules })
    }
}

/// Decodes a journal, and encodes it again: for fuzzing.
pub(crate) fn reencoded(bytes: &[u8]) -> Option<Vec<u8>> {
    Journal::decode(bytes).map(|journal| journal.encode())
}

/// Decodes a journal and returns the paths of its steps: for fuzzing.
pub(crate) fn paths(bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    Some(Journal::decode(bytes)?.steps.into_iter().map(|step| step.path).collect())
}

/// A working copy from elsewhere may contain a journal. No path in it may lead out of the working
/// copy, or into a state folder.
fn may_be_written(name: &[u8]) -> bool {
    name_is_allowed(name) && !is_state_name(name)
}

fn put_action(out: &mut Vec<u8>, action: &Action) {
    match action {
        Action::Remove(expect) => {
            out.push(0);
            put_expected(out, expect);
        }
        Action::RemoveDirectory => out.push(1),
        Action::MakeDirectory => out.push(2),
        Action::PutDirectory { temporary, inode } => {
            out.push(3);
            varint::put(out, *temporary);
            varint::put(out, *inode);
        }
        Action::Put { temporary, staged, expect } => {
            out.push(if expect.is_some() { 5 } else { 4 });
            varint::put(out, *temporary);
            put_stat(out, staged);
            expect.iter().for_each(|expect| put_expected(out, expect));
        }
    }
}

fn take_action(rest: &mut &[u8]) -> Option<Action> {
    Some(match take_chunk::<1>(rest)? {
        [0] => Action::Remove(take_expected(rest)?),
        [1] => Action::RemoveDirectory,
        [2] => Action::MakeDirectory,
        [3] => Action::PutDirectory { temporary: varint::take(rest)?, inode: varint::take(rest)? },
        [tag @ (4 | 5)] => Action::Put {
            temporary: varint::take(rest)?,
            staged: take_stat(rest)?,
            expect: if tag == 5 { Some(take_expected(rest)?) } else { None },
        },
        _ => return None,
    })
}

fn put_expected(out: &mut Vec<u8>, expected: &Expected) {
    out.push(expected.kind as u8 | if expected.racy { RACY } else { 0 });
    put_stat(out, &expected.stat);
    out.extend_from_slice(&expected.id);
}

fn take_expected(rest: &mut &[u8]) -> Option<Expected> {
    let [tag] = take_chunk::<1>(rest)?;
    let kind = Kind::from_u8(tag & !RACY)?;
    Some(Expected { kind, racy: tag & RACY != 0, stat: take_stat(rest)?, id: take_chunk(rest)? })
}

fn put_stat(out: &mut Vec<u8>, stat: &Stat) {
    out.extend_from_slice(&stat.bytes.to_le_bytes());
    out.extend_from_slice(&stat.mtime_ns.to_le_bytes());
    out.extend_from_slice(&stat.ctime_ns.to_le_bytes());
    out.extend_from_slice(&stat.inode.to_le_bytes());
}

fn take_stat(rest: &mut &[u8]) -> Option<Stat> {
    Some(Stat {
        bytes: u64::from_le_bytes(take_chunk(rest)?),
        mtime_ns: i64::from_le_bytes(take_chunk(rest)?),
        ctime_ns: i64::from_le_bytes(take_chunk(rest)?),
        inode: u64::from_le_bytes(take_chunk(rest)?),
    })
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    varint::put(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn take_bytes<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(varint::take(rest)?).ok()?;
    let (bytes, tail) = rest.split_at_checked(length)?;
    *rest = tail;
    Some(bytes)
}

fn take_chunk<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (chunk, tail) = rest.split_first_chunk::<N>()?;
    *rest = tail;
    Some(*chunk)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Journal {
        let stat = Stat { bytes: 3, mtime_ns: -1, ctime_ns: 2, inode: 9 };
        let expect = Expected { kind: Kind::Symlink, stat, racy: true, id: [7; 32] };
        let step = |path: &str, action| Step { path: path.into(), action };
        Journal {
            rules: Rules::Exchange,
            head: b"snap-1".to_vec(),
            steps: vec![
                step("old/a", Action::Remove(expect)),
                step("old", Action::RemoveDirectory),
                step("made", Action::MakeDirectory),
                step("new", Action::PutDirectory { temporary: 3, inode: 77 }),
                step("b", Action::Put { temporary: 4, staged: stat, expect: None }),
                step("c", Action::Put { temporary: 5, staged: stat, expect: Some(expect) }),
            ],
        }
    }

    #[test]
    fn a_journal_reads_back_and_no_cut_or_flip_does() {
        let encoded = sample().encode();
        assert_eq!(Journal::decode(&encoded), Some(sample()));
        for at in 0..encoded.len() {
            assert_eq!(Journal::decode(&encoded[..at]), None, "cut at {at}");
            let mut flipped = encoded.clone();
            flipped[at] ^= 1;
            assert_eq!(Journal::decode(&flipped), None, "flipped at {at}");
        }
    }

    #[test]
    fn the_encoding_is_frozen() {
        let steps = vec![
            Step { path: b"a/b".to_vec(), action: Action::RemoveDirectory },
            Step { path: b"n".to_vec(), action: Action::PutDirectory { temporary: 1, inode: 300 } },
        ];
        let vectors = [
            (
                Rules::Rename,
                "01",
                "bcc7c1b6e902daca1e1f2ed1a60754fb50d7cb557f7f1236eab0185e6f259f85",
            ),
            (
                Rules::Exchange,
                "02",
                "046b4f12386abcc0c3ca74f5c2373c06d45aad1a75c234bd043c4221e0728f8c",
            ),
        ];
        for (rules, version, checksum) in vectors {
            let journal = Journal { head: b"t".to_vec(), steps: steps.clone(), rules };
            let encoded = journal.encode();
            let hex: String = encoded.iter().map(|byte| format!("{byte:02x}")).collect();
            let body = "00000001740203612f6201016e0301ac02";
            assert_eq!(hex, ["465354434845434b", version, body, checksum].concat());
            assert_eq!(Journal::decode(&encoded), Some(journal));
        }
    }

    #[test]
    fn paths_that_lead_out_are_refused() {
        for path in
            ["..", "a/../b", "/etc", "a//b", "", ".fastest/x", ".git/config", "a/.GIT/x", "git~1"]
        {
            let steps = vec![Step { path: path.into(), action: Action::MakeDirectory }];
            let journal = Journal { steps, ..Journal::default() };
            assert_eq!(Journal::decode(&journal.encode()), None, "{path}");
        }
    }
}
