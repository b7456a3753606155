//! A temporary folder for a test: stores, projects and primaries side by side.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use insta::Settings;
use insta::internals::SettingsBindDropGuard;
use tempfile::TempDir;

/// Variables that hold tokens and keys.
pub const SECRETS: [&str; 5] = [
    "CLOUDFLARE_API_TOKEN",
    "TURSO_AUTH_TOKEN",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
];

/// A temporary folder. While it exists, ids, times and paths are replaced in snapshots.
pub struct Scene {
    dir: TempDir,
    _settings: SettingsBindDropGuard,
}

impl Scene {
    pub fn new() -> Self {
        let dir = TempDir::new().expect("a temporary folder can be made");
        let mut settings = Settings::clone_current();
        for path in [dir.path().canonicalize().expect("it is there"), dir.path().to_owned()] {
            let path = path.to_str().expect("the temporary folder is UTF-8");
            settings.add_filter(&path.replace('.', r"\."), "[TMP]");
        }
        let ulid = "[0-7][0-9A-HJKMNP-TV-Z]{25}";
        settings.add_filter(&format!("snap-{ulid}"), "snap-[ID]");
        settings.add_filter(&format!(r"\b{ulid}\b"), "[ID]");
        settings.add_filter(r"\b[0-9a-f]{64}\b", "[HASH]");
        settings.add_filter(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "[TIME]");
        settings.add_filter(r"\bin \d+\.\d ms", "in [MS] ms");
        settings.add_filter(r"[\d.]+ (B|KiB|MiB) sent", "[SIZE] sent");
        settings.add_filter(
            r#""(requests|bytes_sent|bytes_received|latency_ms|objects_new)":[\d.]+"#,
            r#""$1":"[NUMBER]""#,
        );
        settings.add_filter(r#"schema(: |_version":")\d+_\w+(\.sql)?"#, "schema${1}[MIGRATION]");
        Self { dir, _settings: settings.bind_to_scope() }
    }

    /// Returns a path in the scene.
    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file, and the folders above it.
    pub fn write(&self, name: impl AsRef<Path>, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("folders are made");
        fs::write(path, text).expect("the file is written");
    }

    /// Returns a file's text.
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect("the file is there")
    }

    /// Returns a command that runs the binary in folder `dir` of the scene, with the scene's store
    /// `store`.
    pub fn command(&self, store: &str, dir: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fastest"));
        command.env("HOME", self.path("home")).env("USER", "ada").env("FASTEST_STORE", "");
        for name in ["NO_COLOR", "XDG_DATA_HOME", "FASTEST_LOG"] {
            command.env_remove(name);
        }
        // Does not use the keyring and secrets of the person who runs the tests.
        command.env("FASTEST_KEYRING", "off");
        for name in SECRETS {
            command.env_remove(name);
        }
        if !store.is_empty() {
            command.arg("--store").arg(self.path(store));
        }
        command.current_dir(self.path(dir));
        command
    }

    /// Runs the binary; `words` are split at spaces.
    pub fn run(&self, store: &str, dir: &str, words: &str) -> String {
        self.run_args(store, dir, &words.split_whitespace().collect::<Vec<_>>())
    }

    /// Runs the binary with these arguments unchanged.
    pub fn run_args(&self, store: &str, dir: &str, args: &[impl AsRef<OsStr>]) -> String {
        told(&self.command(store, dir).args(args).output().expect("the binary runs"))
    }

    /// Runs the binary, and returns its stdout alone.
    pub fn text(&self, store: &str, dir: &str, words: &str) -> String {
        let mut command = self.command(store, dir);
        let output = command.args(words.split_whitespace()).output().expect("the binary runs");
        String::from_utf8(output.stdout).expect("stdout is UTF-8")
    }

    /// Returns the text of one field of a command's JSON, such as an id that the next command
    /// takes.
    pub fn field(&self, store: &str, dir: &str, words: &str, field: &str) -> String {
        let text = self.text(store, dir, &format!("{words} --json"));
        let key = format!("\"{field}\":\"");
        let start = text.find(&key).unwrap_or_else(|| panic!("no {field} in {text}")) + key.len();
        text[start..].split('"').next().expect("a split has a first part").to_owned()
    }
}

/// Returns the exit status and all output of a run.
pub fn told(output: &Output) -> String {
    let mut text = format!("exit {}", output.status.code().expect("it ended by itself"));
    for (name, bytes) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
        if !bytes.is_empty() {
            text.push_str(&format!("\n--- {name}\n{}", String::from_utf8_lossy(bytes).trim_end()));
        }
    }
    text
}
