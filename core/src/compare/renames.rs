//! Finds which deleted and added files are the same file under another path.
//!
//! The rules are git's. First, files with the same content: of several candidates, one with the same
//! name is preferred. Then files whose name is unique on both sides, if they are similar enough. Then
//! every remaining pair, the most similar first. A file is used once. Comparing all pairs is bounded
//! by [`Rules::pairs_max`]; beyond it, only the first two steps are taken, and the result says so.
//!
//! Links are not paired, unlike in git: `git apply` does not know that the link is gone from its old path, so a
//! patch that also puts something below that path would fail.
//!
//! Nothing here reads a file. The caller gives the [`Fingerprint`] of a content.

pub mod fingerprint;

use std::collections::HashMap;

use rayon::prelude::*;

use crate::compare::changes::{Change, Changes, Version};
use crate::compare::renames::fingerprint::Fingerprint;
use crate::object::id::ID_BYTES;
use crate::object::path::split;

/// What counts as a rename, and how much work is done to find one.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// The least similarity of a renamed file, in percent.
    pub similarity_min: u8,
    /// How many pairs of a deleted and an added file are compared at most.
    pub pairs_max: u64,
    /// Larger files are found only if their content is the same.
    pub bytes_max: u64,
    /// How many bytes are read at most to compare contents. It bounds the memory too: a fingerprint
    /// is never larger than a few times its content.
    pub total_bytes_max: u64,
    /// How many bytes all pairs have at most, since to compare two files takes as long as they are large.
    pub pair_bytes_max: u64,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            similarity_min: 50,
            pairs_max: 1000 * 1000,
            bytes_max: 16 << 20,
            total_bytes_max: 256 << 20,
            pair_bytes_max: 8 << 30,
        }
    }
}

/// Files that were not compared by similarity, because there were too many of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Skipped {
    /// Deleted files.
    pub deleted: usize,
    /// Added files.
    pub added: usize,
}

/// Replaces each deleted and added file that belong together by one [`Change::Renamed`].
///
/// `fingerprint` is called for files only, at most twice for each, from many threads. `None` means that
/// the content cannot be compared.
///
/// # Errors
/// Those of `fingerprint`.
pub fn find_renames<E: Send>(
    changes: &mut Changes,
    rules: Rules,
    fingerprint: impl Fn(&Version) -> Result<Option<Fingerprint>, E> + Sync,
) -> Result<Option<Skipped>, E> {
    let mut search = Search::of(changes);
    if search.deleted.is_empty() || search.added.is_empty() {
        return Ok(None);
    }
    search.same_content();
    let skipped = search.similar(rules, &fingerprint)?;
    search.apply(changes);
    Ok(skipped)
}

/// A deleted or added file.
struct Candidate {
    version: Version,
    /// Its place among the changes.
    at: usize,
    is_used: bool,
}

impl Candidate {
    fn name(&self) -> &[u8] {
        split(&self.version.path).1
    }
}

/// A pair that was found: indexes into the deleted and the added files.
#[derive(Debug, Clone, Copy)]
struct Found {
    deleted: usize,
    added: usize,
    similarity: u8,
}

struct Search {
    deleted: Vec<Candidate>,
    added: Vec<Candidate>,
    found: Vec<Found>,
}

impl Search {
    fn of(changes: &Changes) -> Self {
        let (mut deleted, mut added) = (Vec::new(), Vec::new());
        for (at, change) in changes.files.iter().enumerate() {
            let (side, version) = match change {
                Change::Deleted(version) => (&mut deleted, version),
                Change::Added(version) => (&mut added, version),
                _ => continue,
            };
            if version.is_file() {
                side.push(Candidate { version: version.clone(), at, is_used: false });
            }
        }
        Self { deleted, added, found: Vec::new() }
    }

    fn take(&mut self, found: Found) {
        self.deleted[found.deleted].is_used = true;
        self.added[found.added].is_used = true;
        self.found.push(found);
    }

    /// Pairs files with the same content.
    fn same_content(&mut self) {
        let mut by_content: HashMap<[u8; ID_BYTES], Vec<usize>> = HashMap::new();
        for (at, candidate) in self.deleted.iter().enumerate() {
            by_content.entry(candidate.version.item.id).or_default().push(at);
        }
        for added in 0..self.added.len() {
            let Some(places) = by_content.get_mut(&self.added[added].version.item.id) else {
                continue;
            };
            let name = self.added[added].name();
            let is_named = |at: &usize| self.deleted[*at].name() == name;
            // A whole folder of equal files must not cost its square.
            let same_name = places.iter().take(SAME_CONTENT_MAX).position(is_named);
            if !places.is_empty() {
                let deleted = places.remove(same_name.unwrap_or(0));
                self.take(Found { deleted, added, similarity: 100 });
            }
        }
    }

    /// Pairs files with similar contents.
    fn similar<E: Send>(
        &mut self,
        rules: Rules,
        fingerprint: &(impl Fn(&Version) -> Result<Option<Fingerprint>, E> + Sync),
    ) -> Result<Option<Skipped>, E> {
        let by_name = self.unique_names(rules);
        let reads = by_name.par_iter().map(|&(deleted, added)| {
            let [old, new] = [&self.deleted[deleted], &self.added[added]];
            let [old, new] = [fingerprint(&old.version)?, fingerprint(&new.version)?];
            Ok((old, new))
        });
        let required = (100 + rules.similarity_min) / 2;
        let mut pairs = Vec::new();
        for (&(deleted, added), read) in by_name.iter().zip(reads.collect::<Result<Vec<_>, E>>()?) {
            let (Some(old), Some(new)) = read else { continue };
            pairs.push(Found { deleted, added, similarity: old.similarity(&new) });
        }
        for found in pairs.into_iter().filter(|found| found.similarity >= required) {
            self.take(found);
        }
        self.all_pairs(rules, fingerprint)
    }

    /// Compares every remaining pair.
    fn all_pairs<E: Send>(
        &mut self,
        rules: Rules,
        fingerprint: &(impl Fn(&Version) -> Result<Option<Fingerprint>, E> + Sync),
    ) -> Result<Option<Skipped>, E> {
        let [deleted, added] = [&self.deleted, &self.added].map(|side| open(side, rules));
        let skipped = Skipped { deleted: deleted.len(), added: added.len() };
        let [old, new] = [bytes(&self.deleted, &deleted), bytes(&self.added, &added)];
        if skipped.deleted == 0 || skipped.added == 0 {
            return Ok(None);
        }
        let pairs = (skipped.deleted as u64).saturating_mul(skipped.added as u64);
        let pair_bytes = old
            .saturating_mul(skipped.added as u64)
            .saturating_add(new.saturating_mul(skipped.deleted as u64));
        let is_too_much = pairs > rules.pairs_max
            || pair_bytes > rules.pair_bytes_max
            || old.saturating_add(new) > rules.total_bytes_max;
        if is_too_much {
            return Ok(Some(skipped));
        }
        let read = |side: &[Candidate], places: &[usize]| {
            let prints = places.par_iter().map(|&at| fingerprint(&side[at].version));
            prints.collect::<Result<Vec<_>, E>>()
        };
        let (old, new) = (read(&self.deleted, &deleted)?, read(&self.added, &added)?);
        let compare = |(added_at, new): (usize, &Option<Fingerprint>)| {
            let Some(new) = new else { return Vec::new() };
            let mut best: Vec<Found> = Vec::new();
            for (deleted_at, old) in old.iter().enumerate() {
                let Some(old) = old else { continue };
                let similarity = old.similarity_from(new, rules.similarity_min);
                let Some(similarity) = similarity else { continue };
                let (deleted, added) = (deleted[deleted_at], added[added_at]);
                best.push(Found { deleted, added, similarity });
            }
            best.sort_by_key(|found| self.order(found));
            best.truncate(CANDIDATES_MAX);
            best
        };
        let mut ranked: Vec<Found> =
            new.par_iter().enumerate().map(compare).flatten_iter().collect();
        ranked.sort_by_key(|found| self.order(found));
        for found in ranked {
            if !self.deleted[found.deleted].is_used && !self.added[found.added].is_used {
                self.take(found);
            }
        }
        Ok(None)
    }

    /// Returns the key by which pairs are sorted: the most similar first, then those with the same
    /// name, then by path.
    fn order(&self, found: &Found) -> (u8, bool, usize, usize) {
        let is_renamed = self.deleted[found.deleted].name() != self.added[found.added].name();
        (100 - found.similarity, is_renamed, found.added, found.deleted)
    }

    /// Returns the pairs of files that alone have their name on either side, and whose sizes allow
    /// them to be similar. There are as many as the rules allow to be read.
    fn unique_names(&self, rules: Rules) -> Vec<(usize, usize)> {
        let [deleted, added] = [&self.deleted, &self.added].map(|side| {
            let mut by_name: HashMap<&[u8], Option<usize>> = HashMap::new();
            for at in open(side, rules) {
                let place = by_name.entry(side[at].name());
                place.and_modify(|at| *at = None).or_insert(Some(at));
            }
            by_name
        });
        let pair = |(name, at): (&&[u8], &Option<usize>)| Some(((*at)?, (*added.get(name)?)?));
        let mut pairs: Vec<(usize, usize)> = deleted.iter().filter_map(pair).collect();
        pairs.retain(|&(deleted, added)| {
            let [old, new] = [&self.deleted[deleted], &self.added[added]];
            let sizes = [old.version.item.bytes, new.version.item.bytes];
            may_be_similar(sizes, rules.similarity_min)
        });
        pairs.sort_unstable();
        let mut left = rules.total_bytes_max;
        pairs.retain(|&(deleted, added)| {
            let [old, new] = [&self.deleted[deleted], &self.added[added]];
            let bytes = old.version.item.bytes.saturating_add(new.version.item.bytes);
            let fits = left.checked_sub(bytes);
            left = fits.unwrap_or(left);
            fits.is_some()
        });
        pairs
    }

    /// Writes the pairs into the list of changes, which stays sorted.
    fn apply(self, changes: &mut Changes) {
        let Self { deleted, added, found } = self;
        let mut is_gone = vec![false; changes.files.len()];
        for Found { deleted: from, added: to, similarity } in found {
            let (old, new) = (deleted[from].version.clone(), added[to].version.clone());
            changes.files[added[to].at] = Change::Renamed { old, new, similarity };
            is_gone[deleted[from].at] = true;
        }
        let mut is_gone = is_gone.into_iter();
        changes.files.retain(|_| !is_gone.next().unwrap_or(false));
    }
}

/// Of this many files with the same content, one with the same name is searched for.
const SAME_CONTENT_MAX: usize = 64;
/// For each added file, so many deleted ones are remembered, as in git.
const CANDIDATES_MAX: usize = 4;

/// Returns the candidates that may be compared by similarity.
fn open(side: &[Candidate], rules: Rules) -> Vec<usize> {
    let is_open = |candidate: &Candidate| {
        let Version { item, .. } = &candidate.version;
        let fits = item.bytes > 0 && item.bytes <= rules.bytes_max;
        !candidate.is_used && fits
    };
    let open = side.iter().enumerate().filter(|(_, candidate)| is_open(candidate));
    open.map(|(at, _)| at).collect()
}

fn bytes(side: &[Candidate], places: &[usize]) -> u64 {
    places.iter().fold(0, |sum, &at| side[at].version.item.bytes.saturating_add(sum))
}

/// Returns whether contents of these sizes can have so much in common.
fn may_be_similar([a, b]: [u64; 2], similarity_min: u8) -> bool {
    u128::from(a.min(b)) * 100 >= u128::from(a.max(b)) * u128::from(similarity_min)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;
    use crate::compare::changes::tests::version;
    use crate::object::item::Kind;

    /// Finds the renames among files with these contents. Returns pairs of paths with the similarity.
    fn renames(rules: Rules, deleted: &[(&str, &str)], added: &[(&str, &str)]) -> (String, bool) {
        let mut texts = HashMap::new();
        let mut files = Vec::new();
        for (side, make) in
            [(deleted, Change::Deleted as fn(Version) -> Change), (added, Change::Added)]
        {
            for (path, text) in side {
                let version = version(path, Kind::File, text);
                texts.insert(version.item.id, Fingerprint::of(text.as_bytes(), false));
                files.push(make(version));
            }
        }
        let mut changes = Changes { files, folders: Vec::new() };
        changes.files.sort_by(|a, b| a.path().cmp(b.path()));
        let read = |version: &Version| Ok::<_, Infallible>(texts.get(&version.item.id).cloned());
        let skipped = find_renames(&mut changes, rules, read).unwrap();
        assert!(changes.files.is_sorted_by(|a, b| a.path() < b.path()));
        let text = |path: &[u8]| String::from_utf8_lossy(path).into_owned();
        let told = changes.files.iter().map(|change| match change {
            Change::Renamed { old, new, similarity } => {
                format!("{}>{} {similarity}", text(&old.path), text(&new.path))
            }
            Change::Added(new) => format!("+{}", text(&new.path)),
            other => format!("-{}", text(other.path())),
        });
        (told.collect::<Vec<_>>().join(", "), skipped.is_some())
    }

    const FOUR: &str = "one\ntwo\nthree\nfour\n";
    const THREE: &str = "one\ntwo\nthree\n";

    #[test]
    fn same_content_comes_first_and_then_the_same_name() {
        let check = |deleted: &[(&str, &str)], added: &[(&str, &str)], expect: &str| {
            assert_eq!(renames(Rules::default(), deleted, added), (expect.to_owned(), false));
        };
        check(&[("a", FOUR)], &[("b", FOUR)], "a>b 100");
        check(&[("a", ""), ("x", "")], &[("c/x", "")], "-a, x>c/x 100");
        check(&[("a", FOUR)], &[("b", THREE), ("c", FOUR)], "+b, a>c 100");
        check(&[("a/x", FOUR)], &[("b/x", THREE)], "a/x>b/x 73");
        check(&[("a", FOUR)], &[("b", THREE)], "a>b 73");
        check(&[("a", FOUR)], &[("b", "four\n")], "-a, +b");
        check(&[("a", FOUR), ("b", THREE)], &[("c", "one\ntwo\nthree\n5\n")], "-a, b>c 87");
    }

    #[test]
    fn too_many_pairs_are_not_compared() {
        let few = Rules { pairs_max: 1, ..Rules::default() };
        let deleted = [("a", FOUR), ("b", FOUR), ("c/x", THREE)];
        let added = [("d", FOUR), ("e", "one\ntwo\nthree\n5\n"), ("f/x", "one\ntwo\nthree\n6\n")];
        let found = renames(few, &deleted, &added);
        assert_eq!(found, ("a>d 100, b>e 73, c/x>f/x 87".to_owned(), false));
        let added = [("e", "one\ntwo\nthree\n5\n"), ("g", "one\ntwo\nthree\n6\n")];
        assert!(renames(few, &deleted, &added).1);
        let small = Rules { bytes_max: 10, ..Rules::default() };
        assert_eq!(renames(small, &[("a", FOUR)], &[("b", THREE)]).0, "-a, +b");
    }

    #[test]
    fn links_are_not_paired() {
        let [old, new] = ["a", "b"].map(|path| version(path, Kind::Symlink, "to"));
        let mut changes =
            Changes { files: vec![Change::Deleted(old), Change::Added(new)], folders: Vec::new() };
        let before = changes.clone();
        find_renames(&mut changes, Rules::default(), |_| Ok::<_, Infallible>(None)).unwrap();
        assert_eq!(changes, before);
    }
}
