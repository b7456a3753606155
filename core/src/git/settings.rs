//! Settings of git that say what is content.

use std::path::PathBuf;

use gix_config::file::{Metadata, includes, init};
use gix_config::path::interpolate;
use gix_config::{File, Source};

use super::repository::Repository;

/// Where git keeps the settings of the user who runs a command. Without them only those of the
/// repository count.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserSettings {
    /// The user's home folder, which `~` stands for.
    pub home: Option<PathBuf>,
    /// Settings of all users, then of this one. Those that are not there are passed over.
    pub files: Vec<PathBuf>,
    /// The ignore file where no settings name one.
    pub ignore_file: Option<PathBuf>,
}

#[derive(Debug)]
pub(super) struct Settings {
    /// The user's ignore file, whether it is there or not.
    pub excludes_file: Option<PathBuf>,
    /// How the repository names objects.
    pub object_hash: gix_hash::Kind,
    /// Why they cannot be read, where they cannot.
    pub broken: Option<String>,
}

/// Reads the settings that hold in a repository.
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
    let mut files = files.map(|(source, path)| Metadata::from(source).at(path));
    File::from_paths_metadata_buf(&mut files, &mut Vec::new(), false, options)
        .map_err(|error| error.to_string())
}
