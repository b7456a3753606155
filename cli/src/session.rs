//! One run of the command: its folder, its store, and its threads.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::{env, thread};

use directories::ProjectDirs;
use fastest_sync::device::activity::Activity;
use fastest_sync::remote::address::file_url;
use fastest_sync::remote::open::Remote;
use fastest_sync::remote::secret::Secrets;
use fastest_sync::remote::state::RemoteState;
use fastest_sync::{Device, GitSettings, Identity, SyncError, Trust, World};
use rayon::ThreadPoolBuilder;
use tokio::runtime::{Builder, Runtime};

use crate::args::Global;
use crate::error::CliError;
use crate::output::Output;
use crate::secrets::EnvironmentThenKeyring;
use crate::{logs, progress};

/// One run of the command.
pub struct Session<'a> {
    /// The output that it prints to.
    pub out: &'a mut Output,
    base: PathBuf,
    store: PathBuf,
    show_progress: bool,
}

impl<'a> Session<'a> {
    /// Reads the current folder, the home folder and the options.
    pub fn new(global: &Global, out: &'a mut Output) -> Result<Self, CliError> {
        let io = |source| CliError::Io { action: "find", path: ".".into(), source };
        let current = env::current_dir().map_err(io)?;
        let mut base = current.clone();
        if let Some(dir) = &global.start_dir {
            base.push(dir);
            if !base.is_dir() {
                return Err(CliError::NotAFolder { path: base });
            }
        }
        // An empty variable counts as unset. An empty option is a mistake: the parser refuses it.
        let named = env::var_os("FASTEST_STORE").filter(|store| !store.is_empty());
        let store = match global.store.clone().or(named.map(PathBuf::from)) {
            // The store is not a path in the project, so `-C` does not apply to it.
            Some(store) => current.join(store),
            None => ProjectDirs::from("", "", "fastest")
                .ok_or(CliError::NoHome)?
                .data_local_dir()
                .to_owned(),
        };
        let asked = global.json || global.quiet || global.no_progress || logs::are_on();
        let show_progress = !asked && io::stderr().is_terminal();
        Ok(Self { out, base, store, show_progress })
    }

    /// Returns the absolute path of the folder that relative paths start from.
    pub fn base(&self) -> &Path {
        &self.base
    }

    /// Makes a path from the command line absolute.
    pub fn path(&self, path: &Path) -> PathBuf {
        self.base.join(path)
    }

    /// Opens the store.
    pub fn device(&self) -> Result<Device, CliError> {
        self.device_with(EnvironmentThenKeyring::new())
    }

    /// Opens the store with these secrets instead of the usual ones.
    pub fn device_with(&self, secrets: impl Secrets + 'static) -> Result<Device, CliError> {
        start_threads()?;
        let trust = trust();
        trust.check_store(&self.store)?;
        let device = Device::open(&self.store, identity(), World::system())?;
        Ok(device
            .with_secrets(Box::new(secrets))
            .with_git_settings(git_settings())
            .with_trust(trust))
    }

    /// Opens the primary at an address, or the one that the device is connected to.
    pub fn remote(&self, url: Option<&str>) -> Result<Remote, CliError> {
        let Some(url) = url else { return Ok(self.device()?.remote()?) };
        let state = RemoteState { url: Some(url.to_owned()), ..RemoteState::default() };
        let remote =
            Remote::open(&state, &self.store, &EnvironmentThenKeyring::new(), World::system());
        Ok(remote.map_err(SyncError::from)?)
    }

    /// Whether the primary at `url` is the one inside the store.
    pub fn is_own_primary(&self, url: &str) -> bool {
        let Ok(store) = self.store.canonicalize() else { return false };
        url == file_url(&store.join("primary").join("primary.db"))
    }

    /// Does the work, and shows a progress bar if one is wanted.
    pub fn work<T>(
        &self,
        work: impl FnOnce(&Activity) -> Result<T, SyncError>,
    ) -> Result<T, CliError> {
        Ok(progress::watch(self.show_progress, work)?)
    }
}

/// Starts the engine's threads, once. rayon itself would panic if they cannot start.
fn start_threads() -> Result<(), CliError> {
    static STARTED: OnceLock<()> = OnceLock::new();
    if STARTED.get().is_none() {
        let started = ThreadPoolBuilder::new().build_global();
        started.map_err(|error| CliError::Threads(error.to_string()))?;
        let _ = STARTED.set(());
    }
    Ok(())
}

/// Returns a runtime for asynchronous commands.
pub fn runtime() -> Result<Runtime, CliError> {
    // The HTTP clients resolve names on threads of their own, and panic if none can be started.
    let thread = thread::Builder::new().spawn(|| ());
    let thread = thread.map_err(|error| CliError::Threads(error.to_string()))?;
    thread.join().expect("it does nothing");
    Builder::new_current_thread().enable_all().build().map_err(CliError::Runtime)
}

fn identity() -> Identity {
    let user = ["USER", "LOGNAME", "USERNAME"].into_iter().find_map(|name| {
        env::var_os(name)
            .map(|value| value.to_string_lossy().into_owned())
            .filter(|name| !name.is_empty())
    });
    Identity { user_name: user, machine: machine() }
}

#[cfg(unix)]
fn machine() -> Option<String> {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    Some(name).filter(|name| !name.is_empty())
}

#[cfg(not(unix))]
fn machine() -> Option<String> {
    env::var("COMPUTERNAME").ok().filter(|name| !name.is_empty())
}

/// Returns the folders of other users that the user trusts, and the user who called `sudo`.
fn trust() -> Trust {
    let listed = env::var_os("FASTEST_SAFE_FOLDERS").unwrap_or_default();
    let folders = env::split_paths(&listed).filter(|path| !path.as_os_str().is_empty());
    let sudo_user = env::var("SUDO_UID").ok().and_then(|id| id.parse().ok());
    Trust::new(folders, sudo_user)
}

/// Finds the user's git settings, by the same variables as git.
fn git_settings() -> GitSettings {
    let path = |name| env::var_os(name).filter(|path| !path.is_empty()).map(PathBuf::from);
    let home = path("HOME");
    let config = path("XDG_CONFIG_HOME").or_else(|| Some(home.as_ref()?.join(".config")));
    let system = path("GIT_CONFIG_SYSTEM").unwrap_or_else(|| "/etc/gitconfig".into());
    let system = Some(system).filter(|_| path("GIT_CONFIG_NOSYSTEM").is_none());
    let own = match path("GIT_CONFIG_GLOBAL") {
        Some(path) => vec![path],
        None => {
            let in_config = config.as_ref().map(|config| config.join("git/config"));
            let in_home = home.as_ref().map(|home| home.join(".gitconfig"));
            in_config.into_iter().chain(in_home).collect()
        }
    };
    GitSettings {
        home,
        files: system.into_iter().chain(own).collect(),
        ignore_file: config.map(|config| config.join("git/ignore")),
    }
}
