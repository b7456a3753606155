//! A primary on a file system that machines share: a real mount of FUSE, by `bindfs`.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::scene::Scene;

/// A mount, until it is dropped.
struct Mount(PathBuf);

impl Mount {
    /// Mounts the folder `from` of a scene at its folder `to`; `None` if the machine does not allow
    /// it.
    fn new(scene: &Scene, from: &str, to: &str) -> Option<Self> {
        let (from, to) = (scene.path(from), scene.path(to));
        fs::create_dir_all(&from).unwrap();
        fs::create_dir_all(&to).unwrap();
        let mounted = Command::new("bindfs").arg(from).arg(&to).stderr(Stdio::null()).status();
        mounted.is_ok_and(|status| status.success()).then_some(Self(to))
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // As a user, or as root.
        for words in [["fusermount", "-u"], ["fusermount3", "-u"], ["umount", "-l"]] {
            let unmount =
                Command::new(words[0]).arg(words[1]).arg(&self.0).stderr(Stdio::null()).status();
            if unmount.is_ok_and(|status| status.success()) {
                return;
            }
        }
    }
}

#[test]
fn a_primary_on_fuse_has_no_wal() {
    let scene = Scene::new();
    scene.write("app/file", "text");
    let url = format!("file://{}", scene.path("mount/p.db").display());
    let done = |told: String| {
        assert!(told.starts_with("exit 0"), "{told}");
        told
    };
    // A file that was made elsewhere, in WAL mode, is converted.
    let local = format!("file://{}", scene.path("disk/p.db").display());
    fs::create_dir(scene.path("disk")).unwrap();
    done(scene.run("one", "app", &format!("remote set {local}")));
    done(scene.run("one", "app", "push"));
    // Bytes 18 and 19: 1 with a rollback journal, 2 with a WAL (https://sqlite.org/fileformat2.html).
    let mode = || fs::read(scene.path("disk/p.db")).unwrap()[18..20].to_vec();
    assert_eq!(mode(), [2, 2]);
    let Some(_mount) = Mount::new(&scene, "disk", "mount") else {
        println!("skipped a_primary_on_fuse_has_no_wal: bindfs is not here, or may not mount");
        return;
    };
    let told = done(scene.run("two", "", &format!("remote set {url}")));
    assert!(!told.contains("warning"), "{told}");
    done(scene.run("two", "", "clone app desk"));
    assert_eq!(scene.read("desk/file"), "text");
    scene.write("desk/more", "more");
    done(scene.run("two", "desk", "push"));
    assert_eq!(mode(), [1, 1]);
    assert!(!scene.path("disk/p.db-wal").exists() && !scene.path("disk/p.db-shm").exists());
    let told = done(scene.run("two", "desk", "remote check"));
    assert!(told.contains("ok      locks: the file is on FUSE"), "{told}");
}
