//! What the command line says by itself: help, usage errors, completions, man pages.

use std::fs;
use std::process::Stdio;

use insta::assert_snapshot;

use crate::scene::{Scene, told};

#[test]
fn version() {
    let scene = Scene::new();
    assert_eq!(scene.run("", "", "--version"), "exit 0\n--- stdout\nfastest 0.1.0");
}

#[test]
fn help() {
    let scene = Scene::new();
    assert_snapshot!(scene.run("", "", "--help"), @r"
    exit 0
    --- stdout
    Save, share and compare copies of project folders

    Usage: fastest [OPTIONS] <COMMAND>

    Commands:
      init         Make a folder a project
      snapshot     Save the project's files on this device
      status       Show what changed since the last snapshot
      push         Save the project's files and send them to the primary
      clone        Make a working copy of a project, in a workspace of its own
      pull         Bring a workspace's changes into this working copy
      merge        Merge a workspace into this working copy, after a look at what that would do
      drift        Compare this working copy with a workspace
      diff         Show how two states of the project differ, line by line
      log          List the project's snapshots, newest first
      undo         Take back what a command did here
      redo         Do again what the last undo took back
      op           Show the operations of this workspace on this device
      restore      Restore files from a snapshot
      untrack      Stop syncing files or folders, and leave them where they are
      cat          Print a file as it was in a snapshot
      workspace    Create, list and rename workspaces, and set the main one
      project      List and rename projects
      conflicts    List files and rows that both sides changed differently
      resolve      Settle conflicts of files, or of a row
      remote       Choose the primary, show it and check it
      schema       Manage the tables of a primary
      doctor       Check the whole store for damage
      completions  Print a completion script
      man          Print the main man page, or write all man pages
      help         Print this message or the help of the given subcommand(s)

    Options:
      -h, --help     Print help
      -V, --version  Print version

    Global options:
      -C <DIR>           Run as if started in DIR
          --store <DIR>  Use the store in DIR [env: FASTEST_STORE] [default: fastest, in the platform's
                         data folder]
          --json         Print JSON, also for errors
      -q, --quiet        Print only results, warnings and errors
          --no-progress  Show no progress bar

    Exit status: 0 done or in sync, 1 drift, difference or conflict, 2 error, 3 saved on this device
    while the primary is out of reach
    ");
    // Without a command, it prints the same, but as an error.
    let help = scene.run("", "", "--help").replace("exit 0\n--- stdout", "exit 2\n--- stderr");
    assert_eq!(scene.run("", "", ""), help);
}

#[test]
fn help_of_a_command() {
    let scene = Scene::new();
    assert_snapshot!(scene.run("", "", "drift -h"), @r"
    exit 0
    --- stdout
    Compare this working copy with a workspace

    Usage: fastest drift [OPTIONS] [WORKSPACE]

    Arguments:
      [WORKSPACE]  Name or id of the workspace [default: the project's main one]

    Options:
          --committed       Ignore changes that are not in a snapshot yet
          --all             Compare every pair of the project's workspaces, the worst first
          --history         List the reports of earlier runs, newest first
          --fail-on <WHAT>  Exit with 1 only if this is found; an overlap is a file that both changed
                            [default: any] [possible values: any, overlap, conflict]
      -h, --help            Print help (see more with '--help')

    Global options:
      -C <DIR>           Run as if started in DIR
          --store <DIR>  Use the store in DIR [env: FASTEST_STORE] [default: fastest, in the platform's
                         data folder]
          --json         Print JSON, also for errors
      -q, --quiet        Print only results, warnings and errors
          --no-progress  Show no progress bar
    ");
}

#[test]
fn every_command_has_help() {
    let scene = Scene::new();
    let commands = [
        "init",
        "snapshot",
        "status",
        "push",
        "clone",
        "pull",
        "drift",
        "log",
        "restore",
        "cat",
        "workspace new",
        "workspace list",
        "workspace rename",
        "workspace set-main",
        "project list",
        "project rename",
        "remote set",
        "remote show",
        "remote check",
        "remote login",
        "remote logout",
        "remote migrate",
        "schema adopt",
        "schema detach",
        "schema attach",
        "schema migrate",
        "schema check",
        "schema print",
        "schema generate",
        "conflicts",
        "resolve",
        "doctor",
        "completions",
        "man",
    ];
    for command in commands {
        let help = scene.run("", "", &format!("{command} --help"));
        assert!(help.starts_with("exit 0\n--- stdout\n"), "{help}");
        assert!(help.contains(&format!("Usage: fastest {command}")), "{help}");
        let first = help.lines().nth(2).expect("help has a first line");
        assert!(!first.ends_with('.'), "{first}");
    }
}

#[test]
fn usage_errors() {
    let scene = Scene::new();
    assert_snapshot!(scene.run("", "", "pul"), @r"
    exit 2
    --- stderr
    error: unrecognized subcommand 'pul'

      tip: some similar subcommands exist: 'push', 'pull'

    Usage: fastest [OPTIONS] <COMMAND>

    For more information, try '--help'.
    ");
    assert_snapshot!(scene.run("", "", "clone demo"), @r"
    exit 2
    --- stderr
    error: the following required arguments were not provided:
      <DIR>

    Usage: fastest clone <PROJECT> <DIR>

    For more information, try '--help'.
    ");
    assert_snapshot!(scene.run("", "", "remote set"), @r"
    exit 2
    --- stderr
    error: the following required arguments were not provided:
      <URL>

    Usage: fastest remote set <URL>

    For more information, try '--help'.
    ");
    assert_snapshot!(scene.run("", "", "log -n x"), @r"
    exit 2
    --- stderr
    error: invalid value 'x' for '-n <N>': invalid digit found in string

    For more information, try '--help'.
    ");
}

#[test]
fn usage_errors_in_json() {
    let scene = Scene::new();
    assert_snapshot!(scene.run("", "", "--json pul"), @r#"
    exit 2
    --- stdout
    {"error":{"code":"usage","message":"unrecognized subcommand 'pul'","hint":"some similar subcommands exist: 'push', 'pull'"}}
    "#);
    // The position of the option does not matter.
    assert_snapshot!(scene.run("", "", "clone --json"), @r#"
    exit 2
    --- stdout
    {"error":{"code":"usage","message":"the following required arguments were not provided: <PROJECT> <DIR>","hint":"run `fastest --help`"}}
    "#);
    assert_snapshot!(scene.run("", "", "--json workspace"), @r#"
    exit 2
    --- stdout
    {"error":{"code":"usage","message":"a command is missing","hint":"run `fastest --help`"}}
    "#);
    assert_snapshot!(scene.run("", "", "remote set file:///a --default --json"), @r#"
    exit 2
    --- stdout
    {"error":{"code":"usage","message":"the argument '[URL]' cannot be used with '--default'","hint":"run `fastest --help`"}}
    "#);
}

#[test]
fn a_folder_to_run_in_must_be_there() {
    let scene = Scene::new();
    assert_snapshot!(scene.run("", "", "-C gone status"), @r"
    exit 2
    --- stderr
    error: [TMP]/gone is not a folder
    ");
    assert_snapshot!(scene.run("", "", "status -C gone --json"), @r#"
    exit 2
    --- stdout
    {"error":{"code":"not_a_folder","message":"[TMP]/gone is not a folder","hint":null}}
    "#);
}

#[test]
fn completions_for_every_shell() {
    let scene = Scene::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = scene.run("", "", &format!("completions {shell}"));
        assert!(script.starts_with("exit 0\n--- stdout\n"), "{script}");
        assert!(script.contains("set-main"), "{script}");
        assert!(!script.contains("--- stderr"), "{script}");
    }
}

#[test]
fn man_pages() {
    let scene = Scene::new();
    let page = scene.run("", "", "man");
    assert!(page.contains(".TH fastest 1"), "{page}");
    assert_snapshot!(scene.run("", "", "man pages"), @r"
    exit 0
    --- stderr
    note: the man pages are in [TMP]/pages
    ");
    for page in ["fastest.1", "fastest-push.1", "fastest-workspace-new.1"] {
        assert!(scene.path("pages").join(page).is_file(), "{page}");
    }
    assert_eq!(scene.run("", "", "man pages --quiet"), "exit 0");
    fs::write(scene.path("file"), "").unwrap();
    let blocked = scene.run("", "", "man file");
    assert!(blocked.starts_with("exit 2\n--- stderr\nerror: cannot create "), "{blocked}");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let scene = Scene::new();
    for words in ["man", "--help", "completions zsh"] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = scene.command("", "");
        command.args(words.split_whitespace()).stdout(Stdio::from(writer));
        let output = command.stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
        assert_eq!(told(&output), "exit 0", "{words}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn output_that_cannot_be_written_is_an_error() {
    let scene = Scene::new();
    for words in ["man", "--help"] {
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        let mut command = scene.command("", "");
        command.arg(words).stdout(full).stderr(Stdio::piped());
        let output = command.spawn().unwrap().wait_with_output().unwrap();
        assert_eq!(
            told(&output),
            "exit 2\n--- stderr\nerror: cannot write the output: No space left on device (os error 28)"
        );
    }
}
