//! Which files are content: ignored files that the head has, files that git tracks, files that
//! belong to others, and files that cannot be read.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use fastest_core::object::id::{BlobId, TreeId};
use fastest_core::object::item::Item;
use fastest_core::object::memory::MemoryObjects;
use fastest_core::object::tree::read::{find, read_directory};
use fastest_core::object::tree::write::write_directory;
use fastest_core::worktree::scan::context::IndexUse;
use fastest_core::worktree::scan::report::{Scan, SkippedWhy};
use fastest_core::worktree::stat_index::StatIndex;

use super::scan::tick;
use super::work::Work;

pub fn git(folder: &Path, words: &[&str]) {
    let ran = Command::new("git")
        .args(["-c", "user.name=x", "-c", "user.email=x@y.example", "-c", "core.excludesFile="])
        .args(words)
        .current_dir(folder)
        .output()
        .expect("git runs");
    assert!(ran.status.success(), "git {words:?}: {}", String::from_utf8_lossy(&ran.stderr));
}

/// Returns all files and links of a tree, by path.
pub fn paths(tree: &TreeId, objects: &MemoryObjects) -> Vec<String> {
    fn list(tree: &TreeId, below: &str, objects: &MemoryObjects, all: &mut Vec<String>) {
        for (name, item) in read_directory(tree, objects).unwrap() {
            let path = format!("{below}{}", String::from_utf8_lossy(&name));
            match item.tree_id() {
                Some(tree) => list(&tree, &format!("{path}/"), objects, all),
                None => all.push(path),
            }
        }
    }
    let mut all = Vec::new();
    list(tree, "", objects, &mut all);
    all
}

/// Takes a snapshot, and checks which files are content. The saved index must not change that.
pub fn check(work: &Work, expect: &[&str]) -> TreeId {
    let tree = work.snapshot();
    assert_eq!(paths(&tree, &work.objects), expect);
    assert_eq!(work.snapshot(), tree, "by the saved index");
    assert_eq!(work.fresh(), tree, "without an index");
    tick();
    assert_eq!(work.snapshot(), tree, "by an index that is not racy");
    assert_eq!(work.snapshot(), tree, "by an index that lists directories");
    tree
}

pub fn scan(work: &Work) -> Scan {
    work.try_scan(&work.index(), IndexUse::Replace).unwrap()
}

#[test]
fn what_the_head_holds_leaves_only_where_it_is_newly_ignored() {
    let work = Work::new();
    work.write("log/a.log", "1");
    work.write("b.log", "1");
    work.write("x", "1");
    check(&work, &["b.log", "log/a.log", "x"]);
    work.write(".gitignore", "*.log\n");
    work.write("new.log", "1");
    check(&work, &[".gitignore", "x"]);
    assert!(work.path("b.log").exists() && work.path("log/a.log").exists());
}

#[test]
fn what_the_heads_own_rules_ignore_stays() {
    // Such files come as conflict copies, or because git tracks them on another device.
    let work = Work::new();
    for path in ["a.log", "dir/sub/b", "x"] {
        work.write(path, "theirs");
    }
    let mut entries = read_directory(&work.snapshot(), &work.objects).unwrap();
    work.write("rules", "*.log\n/dir/\n");
    let rules = find(&work.snapshot(), &[b"rules"], &work.objects).unwrap().unwrap();
    entries.insert(0, (b".gitignore".to_vec(), rules));
    let tree = write_directory(&entries, &work.objects).unwrap().id;
    let work = work.clone_into_new();
    work.checkout(&tree);
    let all = [".gitignore", "a.log", "dir/sub/b", "x"];
    assert_eq!(check(&work, &all), tree);
    work.write("dir/sub/new", "stays out");
    work.write("new.log", "stays out");
    assert_eq!(check(&work, &all), tree);
    work.write("dir/sub/b", "edited");
    check(&work, &all);
    fs::remove_file(work.path("a.log")).unwrap();
    check(&work, &[".gitignore", "dir/sub/b", "x"]);
    // A second rule for a file that is ignored already changes nothing.
    work.write(".gitignore", "*.log\n/dir/\nb\n");
    check(&work, &[".gitignore", "dir/sub/b", "x"]);
}

#[test]
fn what_is_untracked_stays_on_disk_and_out_of_the_tree() {
    let work = Work::new();
    work.write("keep", "1");
    work.write("data/set", "1");
    check(&work, &["data/set", "keep"]);
    work.write(".fastestignore", "/data\n");
    let tree = work.untrack("data");
    assert_eq!(paths(&tree, &work.objects), [".fastestignore", "keep"]);
    check(&work, &[".fastestignore", "keep"]);
    assert!(work.path("data/set").exists());
}

#[test]
fn a_checkout_leaves_what_the_new_tree_ignores() {
    let work = Work::new();
    work.write("data/sub/set", "1");
    work.write("gone", "1");
    work.write(".env", "1");
    let old = work.snapshot();
    work.write(".gitignore", ".env\ndata/\n");
    fs::remove_file(work.path("gone")).unwrap();
    let new = work.snapshot();
    assert_eq!(paths(&new, &work.objects), [".gitignore"]);
    let work = work.clone_into_new();
    work.checkout(&old);
    let plan = work.plan(&new);
    let mut untracked = plan.untracked().to_vec();
    untracked.sort();
    assert_eq!(untracked, [&b".env"[..], b"data/sub/set"]);
    work.checkout(&new);
    assert!(work.path(".env").exists() && work.path("data/sub/set").exists());
    assert!(!work.path("gone").exists());
    check(&work, &[".gitignore"]);
}

#[test]
fn a_checkout_deletes_what_was_content_though_ignored() {
    // Such as files that git tracks, or a conflict copy.
    let work = Work::new();
    git(work.root(), &["init", "-q"]);
    work.write(".gitignore", "*.log\n/dir/\n");
    for path in ["a.log", "b.log", "dir/c", "dir/d"] {
        work.write(path, "1");
    }
    git(work.root(), &["add", "-f", "."]);
    let old = check(&work, &[".gitignore", "a.log", "b.log", "dir/c", "dir/d"]);
    fs::remove_file(work.path("a.log")).unwrap();
    fs::remove_file(work.path("dir/c")).unwrap();
    let new = check(&work, &[".gitignore", "b.log", "dir/d"]);
    git(work.root(), &["rm", "-q", "--cached", "b.log", "dir/d"]);
    work.write(".fastestignore", "/b.log\n");
    let untracked = work.untrack("b.log");
    let work = work.clone_into_new();
    work.checkout(&old);
    work.checkout(&new);
    assert!(!work.path("a.log").exists() && !work.path("dir/c").exists());
    assert!(work.path("b.log").exists() && work.path("dir/d").exists());
    // An untracked file stays, although a rule ignored it before.
    work.checkout(&untracked);
    assert!(work.path("b.log").exists());
    check(&work, &[".fastestignore", ".gitignore", "dir/d"]);
}
#[test]
fn what_git_tracks_is_content_whatever_is_ignored() {
    let work = Work::new();
    git(work.root(), &["init", "-q"]);
    work.write(".gitignore", "*.lock\nnode_modules/\n.hg\n");
    for path in ["a.lock", "b.lock", "t/node_modules/x/i.js", "t/node_modules/y", "t/.hg/.keep"] {
        work.write(path, path);
    }
    check(&work, &[".gitignore"]);
    git(work.root(), &["add", "-f", "a.lock", "t/node_modules/x", "t/.hg/.keep"]);
    let all = [".gitignore", "a.lock", "t/.hg/.keep", "t/node_modules/x/i.js"];
    check(&work, &all);
    git(work.root(), &["commit", "-qm", "1"]);
    check(&work, &all);
    // Also with a split index, and with an index of version 4.
    git(work.root(), &["update-index", "--split-index"]);
    git(work.root(), &["add", "-f", "b.lock"]);
    let all = [".gitignore", "a.lock", "b.lock", "t/.hg/.keep", "t/node_modules/x/i.js"];
    check(&work, &all);
    git(work.root(), &["update-index", "--no-split-index", "--index-version", "4"]);
    check(&work, &all);
    // A file that git no longer tracks stays content until the user untracks it.
    git(work.root(), &["rm", "-q", "--cached", "a.lock"]);
    check(&work, &all);
    assert_eq!(paths(&work.untrack("a.lock"), &work.objects).len(), all.len() - 1);
}

#[test]
fn a_project_in_a_folder_of_a_repository_follows_its_rules() {
    let outer = Work::new();
    git(outer.root(), &["init", "-q"]);
    outer.write(".gitignore", ".env\n/app/top\nnode_modules/\n");
    outer.write(".git/info/exclude", "*.private\n");
    let inner = outer.within("app");
    for path in [".env", "top", "sub/top", "node_modules/x", "a.private", "main", "kept.lock"] {
        inner.write(path, path);
    }
    check(&inner, &["kept.lock", "main", "sub/top"]);
    outer.write(".gitignore", ".env\n/app/top\nnode_modules/\n*.lock\n");
    check(&inner, &["kept.lock", "main", "sub/top"]);
    inner.write("new.lock", "1");
    check(&inner, &["kept.lock", "main", "sub/top"]);
    git(outer.root(), &["add", "-f", "app/new.lock", "app/.env"]);
    check(&inner, &[".env", "kept.lock", "main", "new.lock", "sub/top"]);
}

#[test]
fn a_repository_that_ignores_the_project_has_no_say() {
    let home = Work::new();
    git(home.root(), &["init", "-q"]);
    home.write(".gitignore", "*\n");
    let project = home.within("project");
    project.write("a", "1");
    check(&project, &["a"]);
}

#[test]
fn rules_of_this_machine_keep_new_files_out_and_let_none_leave() {
    let mut work = Work::new();
    git(work.root(), &["init", "-q"]);
    let settings = tempfile::tempdir().unwrap();
    let (config, ignore) = (settings.path().join("config"), settings.path().join("my ignores"));
    fs::write(&config, format!("[core]\n\texcludesFile = \"{}\"\n", ignore.display())).unwrap();
    fs::write(&ignore, "*.swp\n").unwrap();
    work.user.files = vec![settings.path().join("missing"), config];
    work.write("a.swp", "1");
    work.write("b", "1");
    check(&work, &["b"]);
    fs::write(&ignore, "*.swp\nb\n").unwrap();
    check(&work, &["b"]);
    fs::write(work.path(".git/info/exclude"), "b\nc\n").unwrap();
    work.write("c", "1");
    check(&work, &["b"]);
}

#[test]
fn a_sparse_working_tree_has_deleted_nothing() {
    for sparse_index in ["--no-sparse-index", "--sparse-index"] {
        let work = Work::new();
        git(work.root(), &["init", "-q"]);
        for path in ["in/a", "out/deep/b", "out/c", "top"] {
            work.write(path, path);
        }
        git(work.root(), &["add", "."]);
        git(work.root(), &["commit", "-qm", "1"]);
        let all = ["in/a", "out/c", "out/deep/b", "top"];
        let tree = check(&work, &all);
        git(work.root(), &["sparse-checkout", "set", "--cone", sparse_index, "in"]);
        assert!(!work.path("out").exists());
        assert_eq!(check(&work, &all), tree);
        fs::remove_file(work.path("top")).unwrap();
        check(&work, &["in/a", "out/c", "out/deep/b"]);
        git(work.root(), &["sparse-checkout", "disable"]);
        check(&work, &["in/a", "out/c", "out/deep/b"]);
    }
}

#[test]
fn state_folders_are_never_content() {
    let work = Work::new();
    work.write(".gitignore", "*\n!*/\n!*.*\n!.git\n!.fastest\n!.hg\n!.svn\n");
    for path in [".git/config.x", "sub/.git/a.b", ".hg/a.b", ".svn/a.b", "sub/.fastest/a.b", "c.d"]
    {
        work.write(path, path);
    }
    check(&work, &[".gitignore", "c.d"]);
    // Odd spellings are reported, once each.
    for name in [".GIT", ".g\u{200c}it", "git~1", ".git "] {
        work.write(&format!("{name}/x.y"), "1");
    }
    let scan = scan(&work);
    let is_named = |why: &SkippedWhy| matches!(why, SkippedWhy::StateName);
    assert_eq!(scan.skipped.iter().filter(|skipped| is_named(&skipped.why)).count(), 4);
    assert_eq!(paths(&scan.root.id, &work.objects), [".gitignore", "c.d"]);
}

#[test]
fn state_folders_in_old_trees_are_passed_over() {
    let work = Work::new();
    work.write("d/a", "1");
    work.write("d/b", "2");
    let plain = work.snapshot();
    let entry =
        |name: &str| find(&plain, &[b"d"], &work.objects).unwrap().map(|d| (name.into(), d));
    let mut entries: Vec<(Vec<u8>, Item)> =
        [".GIT", ".git", "d"].into_iter().filter_map(entry).collect();
    entries.sort_by(|a, b| a.0.cmp(&b.0));
    let old = write_directory(&entries, &work.objects).unwrap().id;
    let found = fastest_core::compare::drift::drift(&old, &plain, &work.objects).unwrap();
    assert!(found.is_empty(), "{found:?}");
    let work = work.clone_into_new();
    work.write(".git/HEAD", "mine");
    work.checkout(&old);
    assert_eq!(fs::read(work.path(".git/HEAD")).unwrap(), b"mine");
    assert!(!work.path(".git/a").exists() && !work.path(".GIT").exists());
    assert_eq!(work.snapshot(), plain);
    // Nor does the checkout back remove any file.
    work.write(".git/a", "mine");
    work.checkout(&old);
    work.checkout(&plain);
    assert_eq!(fs::read(work.path(".git/a")).unwrap(), b"mine");
}

#[test]
fn what_is_of_its_own_is_left_alone_and_named_once() {
    let work = Work::new();
    work.write("sub/a", "1");
    work.write("tree/a", "1");
    work.write("x", "1");
    let before = check(&work, &["sub/a", "tree/a", "x"]);
    work.write("sub/.fastest/workspace.json", "{}");
    work.write("tree/.git", "gitdir: ../.git/worktrees/tree\n");
    work.write("new/.git", "gitdir: ../.git/modules/new\n");
    for path in ["sub/b", "tree/b", "new/b", "sub/a", "tree/a"] {
        work.write(path, "another's");
    }
    assert_eq!(check(&work, &["sub/a", "tree/a", "x"]), before);
    let skipped: Vec<_> = scan(&work).skipped.into_iter().map(|skipped| skipped.path).collect();
    assert_eq!(skipped, [work.path("new"), work.path("sub"), work.path("tree")]);
    // A nested repository is content, except for its state.
    work.write("repo/.git/HEAD", "ref: refs/heads/main\n");
    work.write("repo/c", "1");
    check(&work, &["repo/c", "sub/a", "tree/a", "x"]);
}

#[test]
fn a_checkout_never_writes_into_what_is_of_its_own() {
    let work = Work::new();
    for path in ["sub/a", "tree/a", ".hg/store", "x"] {
        work.write(path, "1");
    }
    fs::rename(work.path(".hg"), work.path("hg")).unwrap();
    let plain = work.snapshot();
    let mut entries = read_directory(&plain, &work.objects).unwrap();
    entries.iter_mut().filter(|entry| entry.0 == b"hg").for_each(|entry| entry.0 = b".hg".to_vec());
    entries.sort_by(|a, b| a.0.cmp(&b.0));
    let with_hg = write_directory(&entries, &work.objects).unwrap().id;
    let work = work.clone_into_new();
    work.write("sub/.fastest/workspace.json", "{}");
    work.write("tree/.git", "gitdir: elsewhere\n");
    work.write(".hg/requires", "mine");
    work.checkout(&with_hg);
    assert!(work.path("x").exists());
    for path in ["sub/a", "tree/a", ".hg/store"] {
        assert!(!work.path(path).exists(), "{path}");
    }
    assert_eq!(work.snapshot(), with_hg);
    // Without a repository in the way, such a folder is plain content.
    let work = work.clone_into_new();
    work.checkout(&with_hg);
    assert!(work.path(".hg/store").exists());
    assert_eq!(work.snapshot(), with_hg);
}

#[test]
fn an_ignore_file_that_cannot_be_used_keeps_all_new_files_out() {
    let work = Work::new();
    work.write("old", "1");
    work.write("sub/old", "1");
    work.snapshot();
    work.write(".gitignore", "?*x\n".repeat(10_001));
    for path in ["new", "sub/new", "old"] {
        work.write(path, "2");
    }
    let scan = scan(&work);
    assert_eq!(scan.unknown_rules.len(), 1);
    assert!(scan.unknown_rules[0].to_string().contains(".gitignore"), "{:?}", scan.unknown_rules);
    assert_eq!(paths(&scan.root.id, &work.objects), ["old", "sub/old"]);
}

#[test]
fn a_file_that_grows_is_saved_up_to_where_it_ended() {
    let work = Work::new();
    work.write("other", "1");
    work.write("server.log", "a line\n".repeat(2_000_000));
    let path = work.path("server.log");
    let stop = std::sync::atomic::AtomicBool::new(false);
    let scan = std::thread::scope(|threads| {
        threads.spawn(|| {
            use std::io::Write;
            let mut log = fs::OpenOptions::new().append(true).open(&path).unwrap();
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                log.write_all(b"a line\n").unwrap();
            }
        });
        let scan = work.try_scan(&StatIndex::empty(), IndexUse::Replace);
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        scan.unwrap()
    });
    let saved = find(&scan.root.id, &[b"server.log"], &work.objects).unwrap().unwrap();
    assert!(saved.bytes >= 14_000_000, "{} bytes", saved.bytes);
    let written = fs::read(&path).unwrap();
    let prefix = BlobId::of(&written[..saved.bytes as usize]);
    assert_eq!(saved.id, prefix.0, "what was saved is what the file began with");
    assert!(find(&scan.root.id, &[b"other"], &work.objects).unwrap().is_some());
    // The next scan reads the rest.
    scan.index.unwrap().save(&work.state()).unwrap();
    let whole = work.snapshot();
    let whole = find(&whole, &[b"server.log"], &work.objects).unwrap().unwrap();
    assert_eq!(whole.bytes, fs::metadata(&path).unwrap().len());
}

/// Root may read everything, so the scan runs as another user.
#[test]
fn what_cannot_be_read_keeps_its_last_version() {
    let work = Work::new();
    for path in ["pgdata/1", "pgdata/sub/2", "secret", "x"] {
        work.write(path, "1");
    }
    let all = ["pgdata/1", "pgdata/sub/2", "secret", "x"];
    let before = check(&work, &all);
    let set = |path: &str, mode| {
        fs::set_permissions(work.path(path), fs::Permissions::from_mode(mode)).unwrap();
    };
    work.write("new", "1");
    work.write("new-secret", "1");
    for path in ["pgdata", "secret", "new-secret"] {
        set(path, 0o000);
    }
    let scans: Vec<Scan> = as_another_user(&work, || {
        let first = scan(&work);
        first.index.iter().for_each(|index| index.save(&work.state()).unwrap());
        vec![first, scan(&work)]
    });
    for path in ["pgdata", "secret", "new-secret"] {
        set(path, 0o700);
    }
    for scan in scans {
        let expect = ["new", "pgdata/1", "pgdata/sub/2", "secret", "x"];
        assert_eq!(paths(&scan.root.id, &work.objects), expect);
        assert_eq!(scan.skipped.len(), 3, "{:?}", scan.skipped);
        assert!(scan.skipped.iter().all(|skipped| skipped.why.is_unsaved_content()));
    }
    assert_ne!(
        before,
        check(&work, &["new", "new-secret", "pgdata/1", "pgdata/sub/2", "secret", "x"])
    );
}

/// Runs a function with the rights of a user who owns the folder and is not root.
pub fn as_another_user<T: Send>(work: &Work, run: impl FnOnce() -> T + Send) -> T {
    if !rustix::process::geteuid().is_root() {
        return run();
    }
    let chown = Command::new("chown").args(["-R", "65534"]).arg(work.root()).status().unwrap();
    assert!(chown.success());
    // Only these threads change their user; the others keep theirs. The scan runs on this pool.
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(2)
        .start_handler(|_| {
            let nobody = rustix::process::Uid::from_raw(65534);
            rustix::thread::set_thread_res_uid(nobody, nobody, nobody).expect("a superuser may");
        })
        .build()
        .unwrap();
    pool.install(run)
}
