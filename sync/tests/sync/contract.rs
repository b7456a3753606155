//! The contract suite on every primary with every pack store, from one list. New kinds are added
//! here.

use std::path::Path;

use fastest_fixtures::contract::{every_pack_store, every_primary, out_of_reach};
use fastest_fixtures::keys::Keys;
use fastest_fixtures::servers::{D1Server, REGION, S3Server, SqldServer};
use fastest_sync::World;
use fastest_sync::internals::Directory;
use fastest_sync::remote::embedded::Embedded;
use fastest_sync::remote::open::Remote;
use fastest_sync::remote::state::{Packs, RemoteState};

use super::machine::{Machine, noise};
use super::run;

/// Every kind of primary, by the name that a user would use. Each call returns an empty one, and
/// what must outlive it.
const PRIMARIES: [Kind; 4] = [
    ("a file", |folder| {
        let number = std::fs::read_dir(folder).unwrap().count();
        let path = folder.join(format!("{number} ü.db"));
        Place::new(url::Url::from_file_path(path).unwrap().as_str())
    }),
    ("inside the store", |_| Place { url: None, _server: None }),
    ("D1", |_| {
        let server = D1Server::shared();
        Place::new(&format!("d1://local/{}?api={}", server.fresh(), server.api()))
    }),
    ("libSQL", |_| {
        let server = SqldServer::start();
        Place { url: Some(server.url()), _server: Some(Box::new(server)) }
    }),
];

type Kind = (&'static str, fn(&Path) -> Place);

/// A primary's address, and the server that answers there.
struct Place {
    url: Option<String>,
    _server: Option<Box<dyn std::any::Any>>,
}

impl Place {
    fn new(url: &str) -> Self {
        Self { url: Some(url.to_owned()), _server: None }
    }
}

/// Every kind of pack store.
fn pack_stores(folder: &Path, s3: &S3Server) -> [(&'static str, Packs); 3] {
    let dir = folder.join("packs of all");
    Directory::chosen(&dir).prepare().unwrap();
    let dir = format!("file://{}", dir.display());
    let (bucket, endpoint) = (s3.bucket(), s3.endpoint());
    let bucket = format!("s3://{bucket}/tests/here?endpoint={endpoint}&region={REGION}");
    [("rows", Packs::Rows), ("a folder", Packs::At(dir)), ("S3", Packs::At(bucket))]
}

#[test]
fn every_primary_with_every_pack_store() {
    let s3 = S3Server::start();
    for (primary, place) in PRIMARIES {
        let folder = tempfile::tempdir().unwrap();
        for (packs, at) in pack_stores(folder.path(), &s3) {
            println!("{primary}, packs in {packs}");
            let store = tempfile::tempdir().unwrap();
            std::fs::create_dir(store.path().join("primary")).unwrap();
            let here = place(folder.path());
            let state = RemoteState { url: here.url, packs: at, ..RemoteState::default() };
            let open = || Remote::open(&state, store.path(), &Keys::s3(), World::system()).unwrap();
            run(every_primary(&open));
            if state.packs != Packs::Rows {
                run(every_pack_store(&*open().packs));
            }
            if let Some(url) = &state.url {
                there_and_back(url, &state.packs);
            }
        }
    }
}

/// Sends work from one device to another and back, in packs of all sizes.
fn there_and_back(url: &str, packs: &Packs) {
    let machine = || {
        let mut machine = Machine::new().with_secrets(Box::new(Keys::s3()));
        run(machine.device.remote_set(Some(url), packs.clone())).unwrap();
        machine
    };
    let (mut one, mut two) = (machine(), machine());
    one.write("app/small", "0");
    one.push("app");
    one.write("app/middle", noise(600_000, 3));
    one.write("app/large", noise(3_000_000, 5));
    one.push("app");
    two.clone_project("app", "desk");
    assert_eq!(two.files("desk"), one.files("app"));
    two.write("desk/large", noise(3_000_000, 7));
    two.push("desk");
    one.pull("app", "desk");
    assert_eq!(two.files("desk"), one.files("app"));
    one.check();
    two.check();
}

#[test]
fn folders_of_packs() {
    let folder = tempfile::tempdir().unwrap();
    for link in [false, true] {
        run(every_pack_store(&Directory::new(&folder.path().join(format!("packs {link}")), link)));
    }
}

#[test]
fn a_folder_that_is_not_there_is_out_of_reach() {
    run(out_of_reach(&Embedded::new(Path::new("/nowhere/at/all/primary.db"), World::system())));
}
