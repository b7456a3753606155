use super::*;
use crate::folder::{Entry, changeable};

fn listing(files: usize) -> Listing {
    let file = |number| {
        let path = PathBuf::from(format!("{:02}/{number:04}", number / 16));
        (path, Entry::File { mode: 0o644, bytes: 10 })
    };
    (0..files).map(file).collect()
}

#[test]
fn each_change_is_of_another_file() {
    let files = changed(&changeable(&listing(500))).unwrap();
    let place = Place { folder: PathBuf::new(), tree: PathBuf::new(), files };
    let steps = [Step::OneFileSnapshot, Step::OneFilePush];
    let numbers =
        steps.iter().flat_map(|step| (0..=ONE_FILE_REPEATS).map(|number| (*step, number)));
    let mut paths: Vec<_> = numbers.map(|(step, number)| place.changed(step, number)).collect();
    let all = paths.len();
    paths.sort();
    paths.dedup();
    assert_eq!(paths.len(), all);
}

#[test]
fn what_cannot_be_changed_is_not_chosen() {
    let mut tree = listing(16);
    assert_eq!(changed(&changeable(&tree)).unwrap().len(), 16);
    for entry in [
        Entry::File { mode: 0o444, bytes: 10 },
        Entry::File { mode: 0o644, bytes: CHANGED_BYTES_MAX + 1 },
        Entry::Link(PathBuf::from("elsewhere")),
        Entry::Folder,
    ] {
        tree.insert(PathBuf::from("00/0000"), entry);
        let error = changed(&changeable(&tree)).unwrap_err().to_string();
        assert!(error.starts_with("the tree needs 16 files"), "{error}");
    }
}

#[test]
fn more_runs_need_no_more_bytes_but_more_inodes() {
    let tree = Size { bytes: 90, on_disk: 100, inodes: 10 };
    assert_eq!(room(tree, 1), Room { bytes: 2000, inodes: 130 });
    assert_eq!(room(tree, 5), Room { bytes: 2000, inodes: 610 });
    assert_eq!(room(tree, u64::MAX).inodes, u64::MAX);
}
