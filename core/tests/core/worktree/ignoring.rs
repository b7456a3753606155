//! Ignore files mean the same as to git: random ones are applied by both to the same folder.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use fastest_core::progress::Progress;
use fastest_core::worktree::scan::context::IndexUse;
use fastest_core::worktree::stat_index::StatIndex;

use super::work::{Thing, Work};

/// The number of cases, unless `FASTEST_IGNORE_CASES` sets another: each is a file and the rules of
/// one round.
const CASES: u64 = 100_000;

const NAMES: [&str; 36] = [
    "a",
    "b",
    "c",
    "ab",
    "abc",
    "foo",
    "bar",
    "foobar",
    "a.txt",
    "b.log",
    "c.tar.gz",
    "a b",
    " a",
    "a ",
    "#x",
    "!x",
    "{a,b}",
    "a*",
    "a[b]",
    "x\\y",
    "\u{e9}",
    "\u{fc}.txt",
    ".hidden",
    "A",
    "build",
    "x-y",
    "1",
    "\u{65e5}\u{672c}",
    "[",
    "]",
    "a~",
    "log",
    "-",
    "^",
    "a?c",
    "**",
];

const TOKENS: [&str; 44] = [
    "*",
    "*",
    "**",
    "?",
    "/",
    "/",
    "/",
    "[abc]",
    "[!a]",
    "[^b]",
    "[a-c]",
    "[[:alpha:]]",
    "[[:digit:][:space:]]",
    "[]a]",
    "[z-a]",
    "[a",
    "[[:nothing:]]",
    "[\\]]",
    "\\",
    "\\*",
    "\\ ",
    "\\!",
    " ",
    "  ",
    "!",
    "#",
    "{",
    "}",
    ",",
    ".",
    "*.",
    "**/",
    "/**",
    "/**/",
    "\t",
    "\r",
    "***",
    "[a-]",
    "[--0]",
    "[[]",
    "*/",
    "?*",
    "\u{e9}",
    "$",
];

/// Random numbers from a seed (SplitMix64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % end as u64) as usize
    }

    fn one_of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len())]
    }

    fn pattern(&mut self) -> String {
        let mut pattern = String::new();
        if self.below(5) == 0 {
            pattern.push('!');
        }
        for _ in 0..1 + self.below(4) {
            pattern += match self.below(2) {
                0 => self.one_of(&NAMES),
                _ => self.one_of(&TOKENS),
            };
        }
        if self.below(4) == 0 {
            pattern.push('/');
        }
        pattern
    }

    fn ignore_file(&mut self) -> Vec<u8> {
        let mut text = String::new();
        if self.below(10) == 0 {
            text.push('\u{feff}');
        }
        for _ in 0..self.below(8) {
            text += &self.pattern();
            text += self.one_of(&["\n", "\n", "\n", "\r\n", " \n", "\n\n"]);
        }
        if self.below(4) == 0 {
            text += &self.pattern();
        }
        text.into_bytes()
    }
}

#[test]
fn as_git_reads_them() {
    let seed = variable("FASTEST_IGNORE_SEED").unwrap_or_else(|| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        now.unwrap().as_nanos() as u64
    });
    let wanted = variable("FASTEST_IGNORE_CASES").unwrap_or(CASES) as usize;
    println!("FASTEST_IGNORE_SEED={seed}");
    let mut numbers = Numbers(seed);
    let mut work = Work::new();
    let settings = tempfile::tempdir().unwrap();
    let excludes = settings.path().join("excludes");
    work.user.ignore_file = Some(excludes.clone());
    assert!(git(&work, &["init", "-q"], &excludes).is_empty());
    let folders = make_folders(&work, &mut numbers);
    let files = work.listing().values().filter(|thing| **thing != Thing::Directory).count();
    let (mut cases, mut ignored, mut round) = (0, 0, 0);
    while cases < wanted {
        round += 1;
        let mut texts = vec![(work.path(".gitignore"), numbers.ignore_file())];
        for _ in 0..numbers.below(3) {
            let folder = &folders[numbers.below(folders.len())];
            texts.push((work.path(folder).join(".gitignore"), numbers.ignore_file()));
        }
        texts.push((work.path(".git/info/exclude"), numbers.ignore_file()));
        texts.push((excludes.clone(), numbers.ignore_file()));
        texts.iter().for_each(|(path, text)| fs::write(path, text).unwrap());
        let (ours, theirs) = (content(&work), not_ignored(&work, &excludes));
        let shown = |(path, text): &(PathBuf, Vec<u8>)| -> String {
            format!("{}: {:?}\n", path.display(), String::from_utf8_lossy(text))
        };
        assert_eq!(
            ours.symmetric_difference(&theirs).collect::<Vec<_>>(),
            Vec::<&String>::new(),
            "seed {seed}, round {round}; of these only one says that they are content. Git takes in \
             {} of {files}.\n{}",
            theirs.len(),
            texts.iter().map(shown).collect::<String>()
        );
        cases += files;
        ignored += files.saturating_sub(theirs.len());
        texts[..texts.len() - 2].iter().for_each(|(path, _)| drop(fs::remove_file(path)));
    }
    println!("{cases} cases, {ignored} of them ignored");
    assert!(ignored > cases / 20, "most rules match nothing");
}

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().expect("a number"))
}

/// Creates some 200 files in folders up to four deep. Returns the folders.
fn make_folders(work: &Work, numbers: &mut Numbers) -> Vec<String> {
    let mut folders = vec![String::new()];
    for _ in 0..40 {
        let above = folders[numbers.below(folders.len())].clone();
        if above.matches('/').count() < 4 {
            let folder = format!("{above}{}/", numbers.one_of(&NAMES));
            fs::create_dir_all(work.path(&folder)).unwrap();
            folders.push(folder);
        }
    }
    while work.listing().len() < 200 + folders.len() {
        let folder = &folders[numbers.below(folders.len())];
        let path = work.path(&format!("{folder}{}", numbers.one_of(&NAMES)));
        let _ = fs::OpenOptions::new().write(true).create_new(true).open(path);
    }
    folders.remove(0);
    folders
}

/// Returns the files that a scan takes in. There is no head, so no ignored file is kept.
fn content(work: &Work) -> BTreeSet<String> {
    let progress = Progress::default();
    let scan = work.scan_to(&StatIndex::empty(), &work.objects, IndexUse::Replace, &progress);
    let tree = scan.unwrap().root.id;
    super::selection::paths(&tree, &work.objects).into_iter().collect()
}

fn not_ignored(work: &Work, excludes: &Path) -> BTreeSet<String> {
    let words = ["ls-files", "--others", "--exclude-standard", "-z"];
    let listed = git(work, &words, excludes);
    let paths = listed.split(|&byte| byte == 0).filter(|path| !path.is_empty());
    paths
        .map(|path| String::from_utf8(path.to_vec()).unwrap())
        .filter(|path| !path.starts_with(".fastest/"))
        .collect()
}

fn git(work: &Work, words: &[&str], excludes: &Path) -> Vec<u8> {
    let setting = format!("core.excludesFile={}", excludes.display());
    let ran =
        Command::new("git").args(["-c", &setting]).args(words).current_dir(work.root()).output();
    let ran = ran.expect("git runs");
    assert!(ran.status.success(), "git {words:?}: {}", String::from_utf8_lossy(&ran.stderr));
    ran.stdout
}
