//! Files in the way of a checkout: they are left, recorded, and tried again.

use std::fs;

use fastest_core::object::id::TreeId;
use fastest_core::object::tree::read::find;
use fastest_core::worktree::checkout::folding::Folding;
use fastest_core::worktree::checkout::outcome::Checkout;
use fastest_core::worktree::checkout::plan::Plan;
use fastest_core::worktree::checkout::run::execute;
use fastest_core::worktree::left::{self, Left, LeftWhy};

use super::scan::tick;
use super::selection::{check, git};
use super::work::Work;

#[test]
fn what_stands_in_the_way_is_left_and_the_rest_comes() {
    let work = Work::new();
    work.write(".gitignore", "config\nfolder\n");
    work.write("x", "1");
    let old = work.snapshot();
    work.write(".gitignore", "");
    work.write("config", "theirs");
    work.write("folder/a", "theirs");
    work.write("x", "2");
    let new = work.snapshot();
    let work = work.clone_into_new();
    work.checkout(&old);
    tick();
    work.snapshot();
    work.write("config", "mine");
    work.write("folder", "mine, a file");
    let left = || left_by(&around(&work, &new, &[old, new]));
    assert_eq!(left(), ["config", "folder"]);
    assert_eq!(fs::read(work.path("config")).unwrap(), b"mine");
    assert_eq!(fs::read(work.path("folder")).unwrap(), b"mine, a file");
    assert_eq!(fs::read(work.path("x")).unwrap(), b"2");
    assert_eq!(fs::read(work.path(".gitignore")).unwrap(), b"");
    // The files in the way are not edits of the new tree, and nothing that they hide counts as
    // deleted.
    assert_eq!(work.snapshot(), new);
    tick();
    assert_eq!(work.snapshot(), new);
    fs::remove_file(work.path("config")).unwrap();
    assert_eq!(work.snapshot(), new);
    assert_eq!(left(), ["folder"]);
    assert_eq!(fs::read(work.path("config")).unwrap(), b"theirs");
    fs::rename(work.path("folder"), work.path("mine")).unwrap();
    assert_eq!(left(), Vec::<String>::new());
    assert_eq!(fs::read(work.path("folder/a")).unwrap(), b"theirs");
    assert!(!work.state().left().exists());
    fs::remove_file(work.path("mine")).unwrap();
    assert_eq!(check(&work, &[".gitignore", "config", "folder/a", "x"]), new);
}

#[test]
fn what_stands_in_the_way_stays_when_the_tree_moves_on() {
    let work = Work::new();
    work.write(".gitignore", "config\n");
    let old = work.snapshot();
    work.write(".gitignore", "");
    work.write("config", "theirs");
    work.write("sub/x", "1");
    let new = work.snapshot();
    work.write("config", "theirs, later");
    work.write(".gitignore", "y\n");
    let newer = work.snapshot();
    fs::remove_file(work.path("config")).unwrap();
    let without = work.snapshot();
    let work = work.clone_into_new();
    work.checkout(&old);
    work.write("config", "mine");
    // In the tree `without`, no rule ignores the file, but it is not content there either. In the
    // last tree, it is ignored.
    for (tree, left) in [(new, 1), (newer, 1), (without, 1), (old, 0)] {
        assert_eq!(around(&work, &tree, &[old, new, newer]).left.len(), left);
        assert_eq!(fs::read(work.path("config")).unwrap(), b"mine");
        assert_eq!(work.snapshot(), tree);
    }
}

#[test]
fn content_of_the_past_in_the_way_is_replaced_or_deleted() {
    let work = Work::new();
    work.write("log", "1");
    work.write("data", "1");
    let old = work.snapshot();
    work.write(".gitignore", "log\ndata\n");
    let ignored = work.untrack("log");
    work.write(".gitignore", "");
    work.write("log", "2");
    let new = work.snapshot();
    fs::remove_file(work.path("log")).unwrap();
    let without = work.snapshot();
    let other = work.clone_into_new();
    other.checkout(&old);
    other.checkout(&ignored);
    assert_eq!(fs::read(other.path("log")).unwrap(), b"1");
    // The file is replaced only if a tree of the project's past has the same content.
    assert_eq!(left_by(&around(&other, &new, &[ignored])), ["log"]);
    assert_eq!(left_by(&around(&other, &new, &[old, ignored])), Vec::<String>::new());
    assert_eq!(fs::read(other.path("log")).unwrap(), b"2");
    other.checkout(&ignored);
    other.write("log", "1");
    assert_eq!(left_by(&around(&other, &new, &[ignored])), ["log"]);
    assert_eq!(left_by(&around(&other, &without, &[old, ignored])), Vec::<String>::new());
    assert!(!other.path("log").exists());
}

#[test]
fn rules_of_a_left_ignore_file_hold_and_let_nothing_leave() {
    let work = Work::new();
    work.write("a.key", "1");
    let old = work.snapshot();
    work.write(".gitignore", "*.env\n");
    let new = work.snapshot();
    let work = work.clone_into_new();
    git(work.root(), &["init", "-q"]);
    work.write(".git/info/exclude", ".gitignore\n");
    work.write(".gitignore", "*.key\n");
    work.checkout(&old);
    assert_eq!(left_by(&around(&work, &new, &[old, new])), [".gitignore"]);
    work.write("secret.env", "mine");
    work.write("b.key", "mine");
    assert_eq!(work.snapshot(), new);
}

#[test]
fn a_checkout_that_is_not_the_heads_keeps_what_was_left() {
    let work = Work::new();
    work.write("d/x", "1");
    let old = work.snapshot();
    work.write("config", "theirs");
    let new = work.snapshot();
    let work = work.clone_into_new();
    let objects = &work.objects;
    work.checkout(&old);
    work.write("config", "mine");
    assert_eq!(left_by(&around(&work, &new, &[])), ["config"]);
    let restore = |head: &[u8], wanted: Option<&str>| {
        let (index, left) = (work.index(), left::load(&work.state()).unwrap());
        let folding = Folding::default();
        let plan = match wanted {
            Some(path) => {
                let item = find(&new, &[path.as_bytes()], objects).unwrap();
                let wanted = [(path.as_bytes().to_vec(), item)];
                Plan::paths(&index, &wanted, &left, objects, folding)
            }
            None => Plan::around(&index, &old, left, objects, folding),
        };
        execute(work.root(), plan.unwrap(), &index, objects, head, &Default::default())
    };
    assert!(restore(b"", Some("d")).unwrap().brought.is_empty());
    assert!(restore(b"", None).unwrap().brought.is_empty());
    assert!(restore(b"", Some("config")).is_err());
    fs::remove_file(work.path("config")).unwrap();
    let done = restore(b"", Some("config")).unwrap();
    assert_eq!(done.brought, left::load(&work.state()).unwrap());
    assert_eq!(fs::read(work.path("config")).unwrap(), b"theirs");
}

#[test]
fn a_left_folder_of_the_past_goes_and_one_with_anything_else_stays() {
    for with_own in [false, true] {
        let work = Work::new();
        work.write("x", "1");
        let first = work.snapshot();
        work.write("d/a", "1");
        work.write("d/e/b", "1");
        let folder = work.snapshot();
        fs::remove_dir_all(work.path("d")).unwrap();
        work.write("d", "a file by now");
        let file = work.snapshot();
        fs::remove_file(work.path("d")).unwrap();
        let without = work.snapshot();
        let other = work.clone_into_new();
        other.checkout(&first);
        // As if a checkout had left what it could not replace.
        other.write("d/a", "1");
        other.write("d/e/b", "1");
        if with_own {
            other.write("d/mine", "1");
        }
        let expect: &[&str] = if with_own { &["d"] } else { &[] };
        assert_eq!(left_by(&around(&other, &file, &[first])), ["d"]);
        assert_eq!(left_by(&around(&other, &file, &[first, folder])), expect);
        assert_eq!(other.path("d").is_file(), !with_own);
        if !with_own {
            fs::remove_file(other.path("d")).unwrap();
            other.write("d/a", "1");
            left::save(&other.state(), &[Left { path: b"d".to_vec(), why: LeftWhy::Denied }])
                .unwrap();
        }
        assert_eq!(left_by(&around(&other, &without, &[first, folder])), expect);
        assert_eq!(other.path("d").exists(), with_own);
        assert_eq!(other.path("d/mine").exists(), with_own);
    }
}

#[test]
fn a_folder_that_somebody_deletes_is_gone_while_something_is_left() {
    let work = Work::new();
    work.write("e/a", "1");
    work.write("g/h/b", "1");
    work.write("x", "1");
    work.snapshot();
    left::save(&work.state(), &[Left { path: b"x".to_vec(), why: LeftWhy::InTheWay }]).unwrap();
    fs::remove_dir_all(work.path("e")).unwrap();
    fs::remove_dir_all(work.path("g")).unwrap();
    assert_eq!(check(&work, &["x"]), work.snapshot());
    assert!(find(&work.snapshot(), &[b"e"], &work.objects).unwrap().is_none());
    assert!(find(&work.snapshot(), &[b"g"], &work.objects).unwrap().is_none());
}

/// Does a checkout that leaves what is in the way.
pub fn around(work: &Work, to: &TreeId, past: &[TreeId]) -> Checkout {
    let left = left::load(&work.state()).unwrap();
    let index = work.index();
    let plan = Plan::around(&index, to, left, &work.objects, Folding::default()).unwrap();
    let plan = plan.with_past(past.to_vec());
    let done = execute(work.root(), plan, &index, &work.objects, b"head", &Default::default());
    let done = done.unwrap();
    left::save(&work.state(), &done.left).unwrap();
    done
}

pub fn left_by(done: &Checkout) -> Vec<String> {
    let text = |path: &[u8]| String::from_utf8(path.to_vec()).unwrap();
    done.left.iter().map(|left| text(&left.path)).collect()
}
