//! The history of a git repository, pushed commit by commit from a git working tree and compared on
//! a second device, by `tests/replay_git.sh`, which takes any repository. This test creates one,
//! with what real ones are known to contain: files that are tracked and ignored, paths that change
//! their kind, links, odd names, line endings, submodules.

use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::scene::{Scene, told};
use crate::world::{Random, edit};

/// A git repository, and the folder in which its next commit is prepared.
struct Repository<'a> {
    scene: &'a Scene,
}

impl Repository<'_> {
    fn git(&self, words: &[&str]) -> Output {
        let mut command = Command::new("git");
        // The git directory is outside the work tree, which may contain anything.
        command.arg("--git-dir").arg(self.scene.path("repo.git"));
        command.arg("--work-tree").arg(self.root()).args(words).current_dir(self.scene.path(""));
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
        for (name, value) in [("NAME", "x"), ("EMAIL", "x@example.org")] {
            command.env(format!("GIT_AUTHOR_{name}"), value);
            command.env(format!("GIT_COMMITTER_{name}"), value);
        }
        let output = command.output().expect("git is on the machine");
        assert!(output.status.success(), "git {words:?}: {}", told(&output));
        output
    }

    fn root(&self) -> PathBuf {
        self.scene.path("tree")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        self.scene.write(Path::new("tree").join(name), text);
    }

    fn remove(&self, name: &str) {
        let path = self.path(name);
        let is_folder = fs::symlink_metadata(&path).unwrap().is_dir();
        if is_folder { fs::remove_dir_all(path) } else { fs::remove_file(path) }.unwrap();
    }

    fn link(&self, name: &str, target: &str) {
        symlink(target, self.path(name)).unwrap();
    }

    fn set_executable(&self, name: &str, executable: bool) {
        let mode = if executable { 0o755 } else { 0o644 };
        fs::set_permissions(self.path(name), Permissions::from_mode(mode)).unwrap();
    }

    /// Commits everything in the folder, ignored or not.
    fn commit(&self) {
        self.git(&["add", "--force", "--all", "."]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", "x"]);
    }
}

/// Commits of a few changes each.
type Steps = fn(&Repository<'_>);

fn tracked_and_ignored(r: &Repository<'_>) {
    r.write(".gitignore", "node_modules\n*.lock\nbuild/\n/kept/*\n!/kept/this\n");
    r.write("src/main", "1");
    r.commit();
    for name in ["app.lock", "build/out", "kept/this", "kept/that", "t/node_modules/a/index.js"] {
        r.write(name, "tracked all the same");
    }
    r.write(".hg/.keep", "");
    r.commit();
    r.write("app.lock", "changed");
    r.write("t/node_modules/a/index.js", "changed");
    r.commit();
    r.set_executable("build/out", true);
    r.remove("kept/that");
    r.commit();
    // Ignored after they were tracked, and changed or deleted while they are ignored.
    r.write(".gitignore", "src\nt\n.gitignore\n");
    r.commit();
    r.write("src/main", "2");
    r.remove("t");
    r.commit();
    r.write("src/.gitignore", "*\n!*/\n");
    r.write("src/deep/er/file", "x");
    r.commit();
    r.remove(".gitignore");
    r.commit();
    r.write(".gitignore", "{a,b}\n# a comment\n\\#x\n[[:digit:]]*\ntrail \\ \n*~\r\n");
    r.write("a", "letters, not a choice");
    r.write("{a,b}", "ignored");
    r.write("1st", "ignored");
    r.write("#x", "ignored");
    r.commit();
    r.remove("{a,b}");
    r.write("1st", "again");
    r.commit();
}

fn kinds(r: &Repository<'_>) {
    r.write("src/main", "1");
    r.write("src/deep/er/file", "x");
    r.write("swap", "file");
    r.write("run", "#!/bin/sh");
    r.set_executable("run", true);
    r.link("link", "swap");
    r.link("up", "../outside");
    r.link("dangling", "nowhere");
    r.link("absolute", "/nowhere");
    r.commit();
    r.remove("swap");
    r.write("swap/inner/file", "folder");
    r.set_executable("run", false);
    r.commit();
    r.remove("swap");
    r.link("swap", "src");
    r.remove("link");
    r.write("link/file", "a folder where a link stood");
    r.commit();
    r.remove("swap");
    r.write("swap", "file again");
    r.remove("link");
    r.link("link", "swap");
    r.set_executable("run", true);
    r.commit();
    // The same bytes, but of another kind: a file instead of a link.
    r.remove("link");
    r.write("link", "swap");
    r.commit();
    fs::rename(r.path("src"), r.path("moved")).unwrap();
    r.commit();
    fs::rename(r.path("moved/deep"), r.path("deep")).unwrap();
    r.write("empty", "");
    r.commit();
    // Nothing changes.
    r.commit();
}

fn names(r: &Repository<'_>) {
    r.write(".gitattributes", "*.txt text\n*.bat text eol=crlf\n*.id ident\n");
    r.write("dos.txt", "a\r\nb\r\n");
    r.write("unix.bat", "a\nb\n");
    r.write("x.id", "$Id$\n");
    // Git takes the bytes as they are. Other attributes would make it convert them.
    fs::create_dir_all(r.scene.path("repo.git/info")).unwrap();
    r.scene.write("repo.git/info/attributes", "* -text -eol -ident -filter\n");
    r.commit();
    r.write("dos.txt", "a\nb\n");
    r.write("unix.bat", "a\r\nb\r\n");
    r.commit();
    for name in [" lead", "trail ", "new\nline", "tab\t", "\"q\"", "back\\slash", "-dash", "*", "é"]
    {
        r.write(&format!("names/{name}"), name);
    }
    r.write(&format!("names/{}", "x".repeat(255)), "long");
    r.commit();
    if cfg!(target_os = "linux") {
        let name = std::ffi::OsStr::from_bytes(b"names/\xff\xfe");
        fs::write(r.root().join(name), "no UTF-8").unwrap();
        r.write("names/É", "another case");
    }
    r.remove("names/*");
    r.remove("names/new\nline");
    r.commit();
    r.remove("names");
    r.commit();
}

fn submodules(r: &Repository<'_>) {
    let head = r.git(&["rev-parse", "HEAD"]);
    let head = String::from_utf8(head.stdout).unwrap();
    let link = format!("160000,{},module", head.trim());
    r.git(&["update-index", "--add", "--cacheinfo", &link]);
    r.git(&["commit", "--quiet", "--message", "x"]);
    r.write("beside", "the module");
    r.git(&["add", "beside"]);
    r.git(&["commit", "--quiet", "--message", "x"]);
    r.write("module/file", "a folder where a module was");
    r.git(&["rm", "--quiet", "--cached", "module"]);
    r.commit();
}

fn noise(r: &Repository<'_>) {
    r.write("random/first", "1");
    let mut random = Random::new(300);
    for _ in 0..20 {
        edit(&r.path("random"), 4, &mut random);
        r.commit();
    }
}

fn replay(steps: &[Steps]) {
    let scene = Scene::new();
    let repository = Repository { scene: &scene };
    fs::create_dir_all(repository.root()).unwrap();
    repository.git(&["init", "--quiet"]);
    repository.git(&["config", "core.autocrlf", "false"]);
    steps.iter().for_each(|step| step(&repository));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/replay_git.sh");
    let mut command = Command::new("bash");
    command.arg(script).arg(scene.path("repo.git")).env("SCRATCH", scene.path(""));
    command.env("FASTEST", env!("CARGO_BIN_EXE_fastest")).env("EVERY", "2");
    let output = command.output().expect("bash is on the machine");
    let told = told(&output);
    println!("{told}");
    assert!(output.status.success() && told.contains(" commits pushed one by one"), "{told}");
}

#[test]
fn a_git_history_that_is_pushed_commit_by_commit_stands_on_the_other_device() {
    replay(&[kinds, names, submodules, noise]);
}

#[test]
fn what_git_tracks_and_ignores_stands_on_the_other_device() {
    replay(&[tracked_and_ignored, kinds]);
}
