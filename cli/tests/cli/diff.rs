//! `fastest diff`: what it shows, what it accepts, and that git applies its patches.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::{Command, Stdio};

use insta::assert_snapshot;

use crate::scene::{Scene, told};

/// A project with a snapshot, and unsaved changes of each kind.
fn changed() -> Scene {
    let scene = Scene::new();
    scene.write("demo/src/main.rs", "fn main() {\n    let a = one(b);\n    print(a);\n}\n");
    let numbers: String = (1..=40).map(|number| format!("{number}\n")).collect();
    scene.write("demo/numbers", &numbers);
    scene.write("demo/picture", "a\0b");
    scene.write("demo/run", "");
    scene.write("demo/gone file", "gone\n");
    symlink("numbers", scene.path("demo/link")).unwrap();
    let pushed = scene.run("store", "demo", "push -m first");
    assert!(pushed.starts_with("exit 0"), "{pushed}");
    scene.write("demo/src/main.rs", "fn main() {\n    let a = two(b);\n    print(a);\n}\n");
    fs::remove_file(scene.path("demo/numbers")).unwrap();
    scene.write("demo/moved", &numbers.replace("20\n", "twenty\n"));
    scene.write("demo/picture", "a\0bc");
    fs::set_permissions(scene.path("demo/run"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::remove_file(scene.path("demo/gone file")).unwrap();
    fs::remove_file(scene.path("demo/link")).unwrap();
    scene.write("demo/link", "no link");
    fs::create_dir(scene.path("demo/hollow")).unwrap();
    scene
}

#[test]
fn a_patch_has_every_kind_of_change() {
    let scene = changed();
    assert_snapshot!(scene.run("store", "demo", "diff -U1"), @r"
    exit 1
    --- stdout
    diff --git a/gone file b/gone file
    deleted file mode 100644
    --- a/gone file	
    +++ /dev/null
    @@ -1 +0,0 @@
    -gone
    diff --git a/link b/link
    deleted file mode 120000
    --- a/link
    +++ /dev/null
    @@ -1 +0,0 @@
    -numbers
    \ No newline at end of file
    diff --git a/link b/link
    new file mode 100644
    --- /dev/null
    +++ b/link
    @@ -0,0 +1 @@
    +no link
    \ No newline at end of file
    diff --git a/numbers b/moved
    similarity index 93%
    rename from numbers
    rename to moved
    --- a/numbers
    +++ b/moved
    @@ -19,3 +19,3 @@
     19
    -20
    +twenty
     21
    diff --git a/picture b/picture
    index fdeb88a..d534e7c
    Binary files a/picture and b/picture differ
    diff --git a/run b/run
    old mode 100644
    new mode 100755
    diff --git a/src/main.rs b/src/main.rs
    --- a/src/main.rs
    +++ b/src/main.rs
    @@ -1,3 +1,3 @@
     fn main() {
    -    let a = one(b);
    +    let a = two(b);
         print(a);
    --- stderr
    note: empty folders, which a patch cannot hold: + hollow/
    ");
}

#[test]
fn a_difference_is_shown_in_other_forms() {
    let scene = changed();
    assert_snapshot!(scene.run("store", "demo", "diff --stat"), @r"
    exit 1
    --- stdout
     gone file        | 1 -
     link             | 2 +-
     numbers => moved | 2 +-
     picture          | 3 B → 4 B
     run              | 0
     src/main.rs      | 2 +-
     hollow/          | empty folder, added
     6 files changed, 3 lines added, 4 lines removed
    ");
    assert_snapshot!(scene.run("store", "demo", "diff --name-only"), @r"
    exit 1
    --- stdout
    gone file
    link
    moved
    picture
    run
    src/main.rs
    hollow/
    ");
    assert_snapshot!(scene.run("store", "demo", "diff --name-status"), @r"
    exit 1
    --- stdout
    D gone file
    T link
    R numbers => moved
    M picture
    M run
    M src/main.rs
    A hollow/
    ");
    assert_snapshot!(scene.run("store", "demo", "diff --side-by-side -- src"), @r"
    exit 1
    --- stdout
    M src/main.rs
    @@ -1,4 +1,4 @@
    fn main() {                              fn main() {
        let a = one(b);                    |     let a = two(b);
        print(a);                                print(a);
    }                                        }
    ");
}

#[test]
fn json_has_the_states_and_the_lines() {
    let scene = changed();
    assert_snapshot!(scene.run("store", "demo", "diff --json -- src"), @r#"
    exit 1
    --- stdout
    {"old":{"name":"@","snapshot_id":"snap-[ID]","manifest_hash":"[HASH]"},"new":{"name":"working copy","snapshot_id":null,"manifest_hash":"[HASH]"},"folders":[],"skipped_renames":null,"skipped":[],"warnings":[],"files":[{"path":"src/main.rs","old_path":null,"status":"modified","similarity":null,"old":{"kind":"file","mode":"100644","bytes":48,"content_hash":"[HASH]"},"new":{"kind":"file","mode":"100644","bytes":48,"content_hash":"[HASH]"},"binary":false,"too_large":false,"lines_added":1,"lines_removed":1,"hunks":[{"old_start":1,"old_lines":4,"new_start":1,"new_lines":4,"lines":[{"origin":"common","text":"fn main() {\n"},{"origin":"removed","text":"    let a = one(b);\n"},{"origin":"added","text":"    let a = two(b);\n"},{"origin":"common","text":"    print(a);\n"},{"origin":"common","text":"}\n"}]}]}]}
    "#);
    assert_snapshot!(scene.run("store", "demo", "diff --json --stat -- picture"), @r#"
    exit 1
    --- stdout
    {"old":{"name":"@","snapshot_id":"snap-[ID]","manifest_hash":"[HASH]"},"new":{"name":"working copy","snapshot_id":null,"manifest_hash":"[HASH]"},"folders":[],"skipped_renames":null,"skipped":[],"warnings":[],"files":[{"path":"picture","old_path":null,"status":"modified","similarity":null,"old":{"kind":"file","mode":"100644","bytes":3,"content_hash":"[HASH]"},"new":{"kind":"file","mode":"100644","bytes":4,"content_hash":"[HASH]"},"binary":true,"too_large":false,"lines_added":0,"lines_removed":0}]}
    "#);
    assert_snapshot!(scene.run("store", "demo", "diff --json --name-only -- run"), @r#"
    exit 1
    --- stdout
    {"old":{"name":"@","snapshot_id":"snap-[ID]","manifest_hash":"[HASH]"},"new":{"name":"working copy","snapshot_id":null,"manifest_hash":"[HASH]"},"folders":[],"skipped_renames":null,"skipped":[],"warnings":[],"files":[{"path":"run","old_path":null,"status":"modified","similarity":null,"old":{"kind":"file","mode":"100644","bytes":0,"content_hash":"[HASH]"},"new":{"kind":"executable","mode":"100755","bytes":0,"content_hash":"[HASH]"}}]}
    "#);
    assert_snapshot!(scene.run("store", "demo", "diff --json main @"), @r#"
    exit 0
    --- stdout
    {"old":{"name":"main","snapshot_id":"snap-[ID]","manifest_hash":"[HASH]"},"new":{"name":"@","snapshot_id":"snap-[ID]","manifest_hash":"[HASH]"},"folders":[],"skipped_renames":null,"skipped":[],"warnings":[],"files":[]}
    "#);
}

#[test]
fn states_are_snapshots_workspaces_and_bases() {
    let scene = changed();
    let names = |words: &str| scene.run("store", "demo", &format!("diff --name-status {words}"));
    let told = scene.run("store", "demo", "workspace new bob ../bob");
    assert!(told.starts_with("exit 0"), "{told}");
    scene.write("bob/bobs", "1\n");
    let told = scene.run("store", "bob", "snapshot");
    assert!(told.starts_with("exit 0"), "{told}");
    scene.run("store", "demo", "snapshot");
    // What main has changed is not what bob has.
    assert_snapshot!(names("main bob -- src bobs"), @r"
    exit 1
    --- stdout
    A bobs
    M src/main.rs
    ");
    assert_snapshot!(names("main...bob"), @r"
    exit 1
    --- stdout
    A bobs
    ");
    assert_eq!(names("@...bob"), names("main...bob"));
    assert_snapshot!(names("bob... -- src"), @r"
    exit 1
    --- stdout
    M src/main.rs
    ");
    assert_snapshot!(names("@- -- src"), @r"
    exit 1
    --- stdout
    M src/main.rs
    ");
    assert_eq!(names("@- @ -- src"), names("@- -- src"));
    assert_eq!(names(""), "exit 0");
    assert_eq!(names("@"), "exit 0");
    let id = scene.field("store", "demo", "status", "snapshot_id");
    assert_eq!(names(&id[..id.len() - 1]), "exit 0");
    assert_eq!(names(&format!("{id} main")), "exit 0");
}

#[test]
fn paths_limit_what_is_compared() {
    let scene = changed();
    let names =
        |dir: &str, words: &str| scene.run("store", dir, &format!("diff --name-only -- {words}"));
    assert_eq!(names("demo/src", "main.rs"), "exit 1\n--- stdout\nsrc/main.rs");
    assert_eq!(names("demo/src", "."), names("demo", "src/"));
    assert_eq!(names("demo/src", "../run ../hollow"), "exit 1\n--- stdout\nrun\nhollow/");
    assert_eq!(names("demo/src", ".."), scene.run("store", "demo", "diff --name-only"));
    assert_snapshot!(scene.run("store", "demo", "diff -- hollow"), @r"
    exit 1
    --- stderr
    note: empty folders, which a patch cannot hold: + hollow/
    ");
}

#[test]
fn mistakes_are_told() {
    let scene = changed();
    assert_snapshot!(scene.run("store", "demo", "diff mian"), @r#"
    exit 2
    --- stderr
    error: there is no snapshot or workspace "mian"; did you mean "main"?
    hint: `fastest log` shows the snapshots there are, `fastest workspace list` the workspaces; paths come after `--`
    "#);
    assert_snapshot!(scene.run("store", "demo", "diff src/main.rs"), @r#"
    exit 2
    --- stderr
    error: there is no snapshot or workspace "src/main.rs"
    hint: `fastest log` shows the snapshots there are, `fastest workspace list` the workspaces; paths come after `--`
    "#);
    assert_snapshot!(scene.run("store", "demo", "diff -- src/none"), @r#"
    exit 2
    --- stderr
    error: neither @ nor the working copy has "src/none"
    hint: paths are relative to the current folder, and what is ignored is in no state; `fastest diff --name-only` lists the files that differ
    "#);
    assert_snapshot!(scene.run("store", "demo", "diff -- ../elsewhere"), @r#"
    exit 2
    --- stderr
    error: "../elsewhere" is outside of the working copy
    "#);
    assert_snapshot!(scene.run("store", "", "diff"), @r"
    exit 2
    --- stderr
    error: [TMP] is not in a Fastest project
    hint: run `fastest init` to make the folder a project, `fastest push` to save it too, or `fastest clone PROJECT --here` to join it to one
    ");
    assert_snapshot!(scene.run("store", "demo", "diff --stat --name-only"), @r"
    exit 2
    --- stderr
    error: the argument '--stat' cannot be used with '--name-only'

    Usage: fastest diff --stat [A] [B] [-- <PATH>...]

    For more information, try '--help'.
    ");
    let tool = scene.run_args("store", "demo", &["diff", "--tool", "no-such-tool", "--", "run"]);
    assert!(tool.contains("error: the tool `no-such-tool` cannot be run"), "{tool}");
    let quiet = scene.run_args("store", "demo", &["diff", "--json", "none"]);
    assert!(quiet.contains(r#"{"error":{"code":"unknown_snapshot""#), "{quiet}");
}

#[test]
fn git_applies_what_the_command_prints() {
    let scene = changed();
    fs::write(scene.path("demo/picture"), "a\0b").unwrap();
    scene.write("demo/tab\there", "new\r\nand no end");
    let patch = scene.command("store", "demo").arg("diff").output().unwrap();
    assert_eq!(patch.status.code(), Some(1));
    fs::write(scene.path("patch"), &patch.stdout).unwrap();
    let cloned = scene.run("store", "", "clone demo copy");
    assert!(cloned.starts_with("exit 0"), "{cloned}");
    let mut git = Command::new("git");
    git.current_dir(scene.path("copy")).args(["apply", "--whitespace=nowarn", "../patch"]);
    git.env("GIT_CEILING_DIRECTORIES", scene.path("")).env("GIT_CONFIG_GLOBAL", "/dev/null");
    assert!(git.status().unwrap().success());
    fs::create_dir(scene.path("copy/hollow")).unwrap();
    let tree = |dir: &str| scene.field("store", dir, "status", "manifest_hash");
    assert_eq!(tree("copy"), tree("demo"));
}

#[test]
fn a_tool_gets_both_versions_and_no_name_reaches_the_shell() {
    let scene = changed();
    let name = "demo/$(touch hacked); `touch hacked` '\"";
    scene.write(name, "new\n");
    let tool = ["diff", "--tool", "diff -U0 --label old --label new"];
    assert_snapshot!(scene.run_args("store", "demo", &tool), @r"
    exit 1
    --- stdout
    --- old
    +++ new
    @@ -0,0 +1 @@
    +new
    --- old
    +++ new
    @@ -1 +0,0 @@
    -gone
    --- old
    +++ new
    @@ -1 +1 @@
    -numbers
    \ No newline at end of file
    +no link
    \ No newline at end of file
    --- old
    +++ new
    @@ -20 +20 @@
    -20
    +twenty
    Binary files old and new differ
    --- old
    +++ new
    @@ -2 +2 @@
    -    let a = one(b);
    +    let a = two(b);
    --- stderr
    note: empty folders, which a patch cannot hold: + hollow/
    ");
    assert!(!scene.path("demo/hacked").exists());
    let all = ["diff", "--dir-diff", "--tool", "ls", "--", "src", "gone file"];
    let told = scene.run_args("store", "demo", &all);
    assert!(told.contains("/old:\ngone file\nsrc"), "{told}");
    assert!(told.contains("/new:\nsrc\n"), "{told}");
    let folder = told.lines().find_map(|line| line.strip_suffix("/old:")).unwrap();
    assert!(!fs::exists(folder).unwrap(), "{folder} is left");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let scene = changed();
    for words in ["diff", "diff --stat", "diff --json"] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = scene.command("store", "demo");
        command.args(words.split_whitespace()).arg("-q").stdout(Stdio::from(writer));
        let output = command.stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
        let text = told(&output);
        assert!(["exit 0", "exit 1"].contains(&text.as_str()), "{words}: {text}");
    }
}

#[test]
fn a_large_binary_file_is_not_compared_by_line() {
    let scene = changed();
    fs::write(scene.path("demo/picture"), vec![0; 20 << 20]).unwrap();
    let told = scene.run("store", "demo", "diff -- picture");
    assert!(told.ends_with("\nBinary files a/picture and b/picture differ"), "{told}");
    // A sparse file, which has no lines because it is too large to read.
    fs::File::create(scene.path("demo/picture")).unwrap().set_len(600 << 20).unwrap();
    let told = scene.run("store", "demo", "diff --stat -- picture");
    assert_snapshot!(told, @r"
    exit 1
    --- stdout
     picture | 3 B → 600.0 MiB
     1 file changed, 0 lines added, 0 lines removed
    --- stderr
    note: picture is too large to be compared by line
    ");
}

/// Without a line of its own for the file, git would apply the rest and say nothing.
#[test]
fn git_refuses_a_patch_with_a_binary_file_and_names_it() {
    let scene = Scene::new();
    scene.write("demo/a.txt", "one\n");
    scene.write("demo/picture", "a\0b");
    scene.run("store", "demo", "init");
    scene.run("store", "demo", "snapshot");
    let copy = scene.path("copy");
    fs::create_dir(&copy).unwrap();
    fs::write(copy.join("a.txt"), "one\n").unwrap();
    fs::write(copy.join("picture"), "a\0b").unwrap();
    scene.write("demo/a.txt", "two\n");
    scene.write("demo/picture", "a\0bc");
    fs::write(scene.path("patch"), scene.text("store", "demo", "diff")).unwrap();
    let apply = |options: &[&str]| {
        let mut git = Command::new("git");
        git.args(["apply"]).args(options).arg("../patch").current_dir(&copy);
        // Not as a part of a repository around the folder of temporary files.
        git.env("GIT_CEILING_DIRECTORIES", scene.path("")).output().unwrap()
    };
    let refused = apply(&[]);
    let told = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && told.contains("picture"), "{told}");
    assert_eq!(fs::read_to_string(copy.join("a.txt")).unwrap(), "one\n");
    assert!(apply(&["--exclude=picture"]).status.success());
    assert_eq!(fs::read_to_string(copy.join("a.txt")).unwrap(), "two\n");
}

#[test]
fn a_diff_changes_nothing() {
    let scene = changed();
    let status = scene.text("store", "demo", "status --json");
    for words in ["diff", "diff @ main", "diff main...@", "diff --stat"] {
        scene.run("store", "demo", words);
        assert_eq!(scene.text("store", "demo", "status --json"), status, "{words}");
    }
}

/// Two workspaces that have pulled each other have two merge bases. What these make together is stored
/// nowhere: each side has changed the file further before it merged.
#[test]
fn a_base_that_is_merged_from_two_has_its_contents() {
    let scene = Scene::new();
    let done = |dir: &str, words: &str| {
        let told = scene.run("store", dir, words);
        assert!(told.starts_with("exit 0"), "{dir}: {words}: {told}");
    };
    scene.write("demo/.gitignore", "1\n2\n3\n4\n5\n6\n");
    scene.write("demo/f", "one\n");
    done("demo", "push");
    done("", "clone demo copy --workspace theirs");
    scene.write("demo/.gitignore", "1\na\n2\n3\n4\n5\n6\n");
    scene.write("demo/f", "here\n");
    done("demo", "push");
    scene.write("copy/.gitignore", "1\n2\n3\n4\nb\n5\n6\n");
    scene.write("copy/f", "there\n");
    done("copy", "push");
    // A workspace that stays at the first change of main.
    done("", "clone demo third --workspace third");
    scene.write("demo/.gitignore", "0\n1\na\n2\n3\n4\n5\n6\n");
    scene.write("copy/.gitignore", "1\n2\n3\n4\nb\n5\n6\n7\n");
    // Each pulls the other's first change; the file is in conflict, and both settle it.
    assert!(scene.run("store", "demo", "pull theirs").starts_with("exit 1"));
    assert!(scene.run("store", "copy", "pull third").starts_with("exit 1"));
    scene.write("demo/f", "settled here\n");
    scene.write("copy/f", "settled there\n");
    done("demo", "snapshot");
    done("copy", "snapshot");
    for form in ["", " --stat", " --json", " --side-by-side"] {
        let shown = scene.run("store", "copy", &format!("diff main...theirs{form}"));
        assert!(shown.starts_with("exit 1") && shown.contains(".gitignore"), "{shown}");
    }
}
