//! A folder of files, as a person sees and edits it.

use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::time::{Duration, SystemTime};

use fastest_fixtures::random::Random;

use crate::files::contested;
use crate::files::schedule::{Edit, What};
use crate::files::shared;
use crate::files::tree::{Item, Tree, own_path};

/// Reads a folder, without `.fastest`.
pub fn read(root: &Path) -> io::Result<Tree> {
    let mut tree = Tree::new();
    read_below(root, "", &mut tree)?;
    Ok(tree)
}

fn read_below(folder: &Path, prefix: &str, tree: &mut Tree) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().into_string().expect("the names are those of `own_path`");
        if prefix.is_empty() && name == ".fastest" {
            continue;
        }
        let (place, path, kind) = (entry.path(), format!("{prefix}{name}"), entry.file_type()?);
        if kind.is_dir() {
            let before = tree.len();
            read_below(&place, &format!("{path}/"), tree)?;
            if tree.len() == before {
                tree.insert(path, Item::EmptyFolder);
            }
        } else if kind.is_symlink() {
            let target = fs::read_link(&place)?.display().to_string();
            tree.insert(path, Item::Link(target));
        } else if path == shared::NAME {
            shared::read(&String::from_utf8_lossy(&fs::read(&place)?), tree);
        } else {
            let hash = blake3::hash(&fs::read(&place)?).to_hex().to_string();
            let executable = entry.metadata()?.permissions().mode() & 0o100 != 0;
            tree.insert(path, Item::File { hash, executable });
        }
    }
    Ok(())
}

/// Changes one of a working copy's own paths. `number` makes what is written unlike anything else, and
/// `time` is when it is written.
pub fn edit(
    root: &Path,
    copy: usize,
    Edit { path, what }: Edit,
    number: u32,
    time: Duration,
) -> io::Result<()> {
    let place = root.join(own_path(copy, path));
    let time = SystemTime::UNIX_EPOCH + time;
    let write = |content: &[u8]| {
        clear(&place)?;
        fs::write(&place, content)?;
        fs::File::open(&place)?.set_modified(time)
    };
    let small = format!("content {number}\n");
    match what {
        What::Small => write(small.as_bytes()),
        What::Large => {
            let mut random = Random::new(number.into());
            write(&(0..300_000).map(|_| random.number() as u8).collect::<Vec<_>>())
        }
        What::Executable => {
            write(small.as_bytes())?;
            fs::set_permissions(&place, fs::Permissions::from_mode(0o755))
        }
        What::Link => {
            clear(&place)?;
            symlink(format!("nowhere-{number}"), &place)
        }
        What::Folder => {
            clear(&place)?;
            fs::create_dir(&place)?;
            fs::write(place.join("file"), small)
        }
        What::EmptyFolder => {
            clear(&place)?;
            fs::create_dir(&place)
        }
        What::Nothing => clear(&place),
        What::Lines => shared::edit(root, copy, number, time),
        What::Contested => contested::edit(root, copy, number, time),
        What::MovedFrom(other) => {
            let from = root.join(own_path(copy, other));
            if from == place || fs::symlink_metadata(&from).is_err() {
                return Ok(());
            }
            clear(&place)?;
            fs::rename(from, &place)
        }
        What::Touched => match fs::symlink_metadata(&place) {
            Ok(stat) if stat.is_file() => fs::File::open(&place)?.set_modified(time),
            _ => Ok(()),
        },
    }
}

/// Removes what is at a path, and creates the folders above it.
fn clear(place: &Path) -> io::Result<()> {
    let above = place.parent().expect("it is below the root");
    fs::create_dir_all(above)?;
    match fs::symlink_metadata(place) {
        Ok(stat) if stat.is_dir() => fs::remove_dir_all(place),
        Ok(_) => fs::remove_file(place),
        Err(_) => Ok(()),
    }
}
