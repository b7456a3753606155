//! The git settings that decide what is content.

use std::io;
use std::path::{Path, PathBuf};

use gix_config::file::{Metadata, includes, init};
use gix_config::path::interpolate;
use gix_config::{File, Source};

use crate::files::regular_file::read_path;
use crate::worktree::git::file::read_file;
use crate::worktree::git::repository::Repository;

/// The largest settings file, in bytes.
const SETTINGS_BYTES_MAX: u64 = 4 << 20;
/// The most files that settings may include.
const INCLUDED_MAX: usize = 200;
/// The deepest nesting of includes, as in git.
const INCLUDE_DEPTH_MAX: usize = 10;

/// Where git keeps the settings of the user who runs a command. Without them only the repository's
/// settings apply.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserSettings {
    /// The user's home folder, for `~`.
    pub home: Option<PathBuf>,
    /// The settings of all users, then those of this user. Missing files are skipped.
    pub files: Vec<PathBuf>,
    /// The ignore file to use if no settings name one.
    pub ignore_file: Option<PathBuf>,
}

#[derive(Debug)]
pub(super) struct Settings {
    /// The user's ignore file, whether it exists or not.
    pub excludes_file: Option<PathBuf>,
    /// The hash function by which the repository names objects.
    pub object_hash: gix_hash::Kind,
    /// Why the settings cannot be read, if they cannot.
    pub broken: Option<String>,
}

/// Reads the settings that apply in a repository.
pub(super) fn read(repository: &Repository, user: &UserSettings) -> Settings {
    let (file, broken) = match load(repository, user) {
        Ok(file) => (file, None),
        Err(why) => (None, Some(why)),
    };
    let excludes_file = match file.as_ref().and_then(|file| file.path("core.excludesFile")) {
        Some(path) => path.interpolate(context(user)).ok().map(|path| repository.top.join(path)),
        None => user.ignore_file.clone(),
    };
    let format = file.as_ref().and_then(|file| file.string("extensions.objectFormat"));
    let object_hash = match format.as_ref().map(|format| format.to_ascii_lowercase()) {
        Some(format) if format == b"sha256" => gix_hash::Kind::Sha256,
        _ => gix_hash::Kind::Sha1,
    };
    Settings { excludes_file, object_hash, broken }
}

fn context(user: &UserSettings) -> interpolate::Context<'_> {
    interpolate::Context { home_dir: user.home.as_deref(), ..interpolate::Context::default() }
}

/// Reads the settings files in order. Each of them, except for the user's own, and each file that
/// any of them includes, must be a regular file of a limited size.
fn load(repository: &Repository, user: &UserSettings) -> Result<Option<File>, String> {
    let conditional =
        includes::conditional::Context { git_dir: Some(&repository.git_dir), branch_name: None };
    let mut follow = includes::Options::follow(context(user), conditional);
    follow.err_on_max_depth_exceeded = false;
    let options = init::Options { includes: follow, ..init::Options::default() };
    let user_files = user.files.iter().map(|path| (Source::User, path.clone()));
    let files = user_files.chain([
        (Source::Local, repository.common_dir.join("config")),
        (Source::Worktree, repository.git_dir.join("config.worktree")),
    ]);
    let mut all: Option<File> = None;
    let mut included = 0;
    for (source, path) in files {
        let read = match source {
            // The user's own file may be `/dev/null`.
            Source::User => read_file(&path, true),
            _ => read_path(&path, SETTINGS_BYTES_MAX),
        };
        let mut text = match read {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(format!("{}: {error}", path.display())),
        };
        check_includes(&text, &path, user, 0, &mut included)?;
        let settings = Metadata::from(source).at(path);
        let file = File::from_bytes_owned(&mut text, settings, options);
        let file = file.map_err(|error| error.to_string())?;
        match &mut all {
            Some(all) => drop(all.append(file).map_err(|error| error.to_string())?),
            None => all = Some(file),
        }
    }
    Ok(all)
}

/// Rejects settings that include too much, whether or not the condition of an include is met. A
/// file counts each time that it is included, so files that include each other count once for each
/// chain of includes.
fn check_includes(
    text: &[u8],
    path: &Path,
    user: &UserSettings,
    depth: usize,
    included: &mut usize,
) -> Result<(), String> {
    const WORD: &[u8] = b"include";
    if depth > INCLUDE_DEPTH_MAX
        || !text.windows(WORD.len()).any(|word| word.eq_ignore_ascii_case(WORD))
    {
        return Ok(());
    }
    let file =
        File::from_bytes_no_includes(text, Metadata::from(Source::Local), init::Options::default());
    let Ok(file) = file else { return Ok(()) };
    let names = ["include", "includeIf"].into_iter();
    for section in names.filter_map(|name| file.sections_by_name(name)).flatten() {
        for value in section.values("path") {
            let value = gix_config::Path::from(value);
            let Ok(target) = value.interpolate(context(user)) else { continue };
            let target = path.parent().unwrap_or(path).join(target);
            if !target.is_file() {
                continue;
            }
            *included += 1;
            if *included > INCLUDED_MAX {
                return Err(format!("it includes more than {INCLUDED_MAX} files"));
            }
            let text = read_path(&target, SETTINGS_BYTES_MAX);
            let text = text.map_err(|error| format!("{}: {error}", target.display()))?;
            check_includes(&text, &target, user, depth + 1, included)?;
        }
    }
    Ok(())
}
