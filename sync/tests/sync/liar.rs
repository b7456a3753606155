//! A primary that lies. Each lie is refused with an error that names it, nothing outside of the
//! store is touched, and once the primary tells the truth again, work continues.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fastest_core::object::id::{ObjectId, PackId, TreeId};
use fastest_core::object::kind::ObjectKind;
use fastest_core::object::source::ObjectSink;
use fastest_core::store::open::Store;
use fastest_schema::FASTEST;
use fastest_sync::World;
use fastest_sync::device::activity::Activity;
use fastest_sync::internals::{Replica, pull_scope};
use fastest_sync::remote::embedded::Embedded;
use fastest_sync::remote::meter::Meter;
use fastest_sync::remote::open::Remote;
use fastest_sync::remote::pack_store::store::{LargePacks, NoPackStore};
use fastest_sync::remote::primary::{Primary, PrimaryError, Rows};
use fastest_sync::remote::state::Packs;
use fastest_sync::remote::statement::Statement;
use rusqlite::{Connection, params};

use super::machine::{Machine, copy_folder, query};
use super::run;

/// A primary with the projects `app` and `lib`, and a device that has a workspace of each.
struct Scene {
    folder: tempfile::TempDir,
    honest: Machine,
    victim: Machine,
    app: String,
    lib: String,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("now")).unwrap();
        fs::write(folder.path().join("bystander"), "untouched").unwrap();
        let primary = folder.path().join("now/primary.db");
        let mut honest = Machine::following(&primary, Packs::Default);
        for project in ["app", "lib"] {
            honest.write(&format!("{project}/a"), "0");
            honest.push(project);
        }
        let mut victim = Machine::following(&primary, Packs::Default);
        victim.clone_project("app", "desk");
        victim.clone_project("lib", "side");
        victim.write("desk/mine", "not saved yet");
        let id = |name: &str| {
            query(&primary, &format!("SELECT id FROM projects WHERE name = '{name}'")).remove(0)
        };
        let (app, lib) = (id("app"), id("lib"));
        Self { folder, honest, victim, app, lib }
    }

    fn primary(&self) -> PathBuf {
        self.folder.path().join("now/primary.db")
    }

    /// Returns the files outside of the victim's store, by path.
    fn surroundings(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut all = BTreeMap::new();
        let home = self.victim.path("");
        for root in [self.folder.path(), &home] {
            list(root, &mut all);
        }
        let (store, primary) = (self.victim.store_dir(), self.folder.path().join("now"));
        all.retain(|path, _| !path.starts_with(&store) && !path.starts_with(&primary));
        assert!(all.len() >= 4, "{:?}", all.keys());
        all
    }

    /// Lets the primary lie, and checks that this is detected and does no harm, then or later.
    fn refuses(&mut self, words: &str, lie: impl FnOnce(&Connection, &Self)) {
        let (now, truth) = (self.folder.path().join("now"), tempfile::tempdir().unwrap());
        copy_folder(&now, truth.path());
        self.is_told([words, words], lie);
        fs::remove_dir_all(&now).unwrap();
        copy_folder(truth.path(), &now);
        self.honest.write("app/after", words);
        self.honest.push("app");
        self.victim.pull("desk", "main");
        assert_eq!(self.victim.files("desk")["after"], words.as_bytes());
        assert_eq!(self.victim.files("desk")["mine"], b"not saved yet");
        self.victim.push("desk");
        self.victim.check();
    }

    /// Lets the primary lie, and checks the errors of a pull and a clone, and that nothing outside
    /// of the store is touched.
    fn is_told(&mut self, words: [&str; 2], lie: impl FnOnce(&Connection, &Self)) {
        let primary = Connection::open(self.primary()).unwrap();
        primary.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
        lie(&primary, self);
        drop(primary);
        let before = self.surroundings();
        let copy = self.victim.copy("desk");
        let pulled = run(self.victim.device.pull(&copy, Some("main"), &Activity::default()));
        let error = pulled.expect_err(words[0]).to_string();
        assert!(error.contains(words[0]), "{}: {error}", words[0]);
        assert!(error.len() < 600, "{error}");
        // A new device gets the error as well, and no folder with false content.
        let mut other = Machine::following(&self.primary(), Packs::Default);
        let dir = other.path("desk");
        let cloned = run(other.device.clone_project("app", &dir, None, &Activity::default()));
        let error = cloned.expect_err(words[1]).to_string();
        assert!(error.contains(words[1]), "{}: {error}", words[1]);
        assert!(error.len() < 600, "{error}");
        assert!(!dir.exists() || other.files("desk").is_empty(), "{words:?}");
        assert!(self.surroundings() == before, "{words:?}: something was touched");
        assert_eq!(files_in(&self.victim.store_dir().join("objects/tmp")), 0, "{words:?}");
    }
}

fn list(dir: &Path, all: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => list(&path, all),
            // Files in `.fastest` are the victim's own, and commands update them.
            false if path.parent().is_some_and(|parent| parent.ends_with(".fastest")) => {}
            false => drop(all.insert(path.clone(), fs::read(&path).unwrap())),
        }
    }
}

fn files_in(dir: &Path) -> usize {
    fs::read_dir(dir).unwrap().count()
}

/// Claims that a row is part of a scope, as its newest change.
fn put_into(primary: &Connection, scope: &str, table: &str, key: &str) {
    let sql = "UPDATE fastest_changes SET scope = ?1,
               seq = (SELECT max(seq) + 1 FROM fastest_changes WHERE scope = ?1)
               WHERE tbl = ?2 AND pk = ?3";
    assert_eq!(primary.execute(sql, [scope, table, key]).unwrap(), 1);
}

/// A pack and its content.
struct Made {
    id: String,
    bytes: Vec<u8>,
    objects: u64,
}

impl Made {
    /// Makes a pack of these objects, whose ids need not be true.
    fn of(objects: &[(ObjectKind, ObjectId, Vec<u8>)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let writer = store.writer();
        for (kind, id, bytes) in objects {
            writer.put(*kind, *id, bytes).unwrap();
        }
        let [info] = writer.finish().unwrap()[..] else { panic!("one pack") };
        let bytes = store.read_pack(&info.id).unwrap();
        Self { id: info.id.to_hex(), bytes, objects: info.objects }
    }

    /// Writes a pack by hand: blocks as stored, each with the length that it claims, and one object
    /// that is claimed to be the whole first block.
    fn by_hand(blocks: &[(Vec<u8>, u32)], id: ObjectId) -> Self {
        const MAGIC: [u8; 8] = *b"FSTPACK\x01";
        let mut bytes = MAGIC.to_vec();
        let mut footer = (blocks.len() as u32).to_le_bytes().to_vec();
        for (stored, raw_bytes) in blocks {
            bytes.extend_from_slice(stored);
            footer.extend_from_slice(&(stored.len() as u32).to_le_bytes());
            footer.extend_from_slice(&raw_bytes.to_le_bytes());
        }
        footer.extend_from_slice(&1u32.to_le_bytes());
        footer.extend_from_slice(&id.0);
        footer.push(ObjectKind::Blob as u8);
        for number in [0, 0, blocks[0].1] {
            footer.extend_from_slice(&u32::to_le_bytes(number));
        }
        bytes.extend_from_slice(&footer);
        bytes.extend_from_slice(&(footer.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&MAGIC);
        let id = PackId(*blake3::hash(&bytes).as_bytes()).to_hex();
        Self { id, bytes, objects: 1 }
    }

    /// Adds the pack's row to a project, with this data.
    fn add_as(&self, primary: &Connection, project: &str, data: Option<&str>) {
        let sql =
            "INSERT INTO fastest_packs(id, project_id, pack_id, part, parts, bytes, objects, data)
                   VALUES (?1, ?2, ?3, 0, 1, ?4, ?5, ?6)";
        let key = format!("{project}/{}/0", self.id);
        let (bytes, objects) = (self.bytes.len() as i64, self.objects as i64);
        primary.execute(sql, params![key, project, self.id, bytes, objects, data]).unwrap();
    }

    fn add(&self, primary: &Connection, project: &str) {
        self.add_as(primary, project, Some(&STANDARD.encode(&self.bytes)));
    }
}

/// Makes a tree the head of a project's main workspace.
fn publish(primary: &Connection, project: &str, tree: &str) {
    let snapshot = "INSERT INTO snapshots(id, project_id, manifest_hash, parent_snapshot_ids)
                    SELECT 'snap-lie', p.id, ?2, json_array(w.current_snapshot_id)
                    FROM projects AS p JOIN workspaces AS w ON w.id = p.main_workspace_id
                    WHERE p.id = ?1";
    primary.execute(snapshot, [project, tree]).unwrap();
    let head = "UPDATE workspaces SET current_snapshot_id = 'snap-lie' WHERE id =
                (SELECT main_workspace_id FROM projects WHERE id = ?1)";
    assert_eq!(primary.execute(head, [project]).unwrap(), 1);
}

/// Encodes a leaf of a tree. Each entry is a name, a kind and an id.
fn leaf(entries: &[(&[u8], u8, [u8; 32])]) -> (TreeId, Vec<u8>) {
    let mut bytes = vec![1, 0, entries.len() as u8];
    for (name, kind, id) in entries {
        bytes.push(name.len() as u8);
        bytes.extend_from_slice(name);
        bytes.push(*kind);
        bytes.extend_from_slice(id);
        bytes.push(1);
        if *kind == 3 {
            bytes.push(1);
        }
    }
    (TreeId::of(&bytes), bytes)
}

const BLOB: &[u8] = b"x";

fn blob() -> (ObjectKind, ObjectId, Vec<u8>) {
    (ObjectKind::Blob, ObjectKind::Blob.id_of(BLOB), BLOB.to_vec())
}

#[test]
fn rows_of_another_scope() {
    let mut scene = Scene::new();
    for (table, insert) in [
        ("workspaces", "INSERT INTO workspaces(id, project_id, name) VALUES ('lie', ?1, 'lie')"),
        (
            "drift_reports",
            "INSERT INTO drift_reports(id, workspace_id)
             SELECT 'lie', main_workspace_id FROM projects WHERE id = ?1",
        ),
        ("activity_events", {
            "INSERT INTO activity_events(id, project_id, actor, type) VALUES ('lie', ?1, 'cli', 'x')"
        }),
    ] {
        let words = format!("row lie of {table} is of another scope");
        let lie = |primary: &Connection, scene: &Scene| {
            primary.execute(insert, [&scene.lib]).unwrap();
            put_into(primary, &scene.app, table, "lie");
        };
        match table {
            // Only a device that knows the workspace can tell its scope. For others, the row has
            // none.
            "drift_reports" => {
                let primary = Connection::open(scene.primary()).unwrap();
                lie(&primary, &scene);
                let copy = scene.victim.copy("desk");
                let pulled =
                    run(scene.victim.device.pull(&copy, Some("main"), &Activity::default()));
                let error = pulled.unwrap_err().to_string();
                assert!(error.contains(&words), "{error}");
                primary.execute("DELETE FROM fastest_changes WHERE pk = 'lie'", []).unwrap();
            }
            _ => scene.refuses(&words, lie),
        }
    }
}

#[test]
fn deletions_of_another_scopes_rows_delete_nothing() {
    let mut scene = Scene::new();
    let of_lib =
        format!("SELECT id FROM workspaces WHERE project_id = '{}' ORDER BY id", scene.lib);
    let before = scene.victim.replica(&of_lib);
    let on_primary = query(&scene.primary(), &of_lib);
    assert!(!on_primary.is_empty());
    let primary = Connection::open(scene.primary()).unwrap();
    for key in &on_primary {
        put_into(&primary, &scene.app, "workspaces", key);
        let sql = "UPDATE fastest_changes SET deleted = 1, version = version + 1 WHERE pk = ?1";
        primary.execute(sql, [key]).unwrap();
    }
    scene.victim.pull("desk", "main");
    assert_eq!(scene.victim.replica(&of_lib), before);
}

#[test]
fn packs_that_are_not_what_they_say() {
    let mut scene = Scene::new();
    let made = Made::of(&[blob()]);
    // The first of two parts is wrong, and the second reveals it.
    let halves = made.bytes.split_at(40);
    scene.refuses("are not those of its id", |primary, scene| {
        let mut wrong = halves.0.to_vec();
        wrong[10] ^= 1;
        for (part, bytes) in [&wrong[..], halves.1].into_iter().enumerate() {
            let key = format!("{}/{}/{part}", scene.app, made.id);
            let sql = "INSERT INTO fastest_packs(id, project_id, pack_id, part, parts, bytes, objects, data)
                       VALUES (?1, ?2, ?3, ?4, 2, ?5, ?6, ?7)";
            let (whole, objects) = (made.bytes.len() as i64, made.objects as i64);
            let data = STANDARD.encode(bytes);
            primary
                .execute(sql, params![key, scene.app, made.id, part as i64, whole, objects, data])
                .unwrap();
        }
    });
    let kept = scene.victim.replica("SELECT count(*) FROM fastest_local_part");
    assert_eq!(kept, ["0"], "parts that make up nothing are not kept");
    scene.refuses("are not those of its id", |primary, scene| {
        let mut bytes = made.bytes.clone();
        bytes[10] ^= 1;
        made.add_as(primary, &scene.app, Some(&STANDARD.encode(&bytes)));
    });
    scene.refuses("is not in base64", |primary, scene| {
        made.add_as(primary, &scene.app, Some("not base64!"));
    });
    scene.refuses("another size of its pack", |primary, scene| {
        made.add(primary, &scene.app);
        primary
            .execute("UPDATE fastest_packs SET bytes = 7 WHERE pack_id = ?1", [&made.id])
            .unwrap();
    });
    for change in ["parts = 0", "parts = 5000, part = 4999", "part = -1", "id = 'lie'"] {
        scene.refuses("is no pack, nor part of one", |primary, scene| {
            made.add(primary, &scene.app);
            let sql = format!("UPDATE fastest_packs SET {change} WHERE pack_id = ?1");
            primary.execute(&sql, [&made.id]).unwrap();
        });
    }
    scene.refuses("is no id of a pack", |primary, scene| {
        made.add(primary, &scene.app);
        let sql = "UPDATE fastest_packs SET pack_id = '../../../x' WHERE pack_id = ?1";
        primary.execute(sql, [&made.id]).unwrap();
    });
}

#[test]
fn trees_with_names_that_lead_elsewhere() {
    let mut scene = Scene::new();
    let blob = blob();
    for name in [&b".."[..], b"../evil", b"a/../../evil", b"/tmp/evil", b".fastest", b".", b"a\0b"]
    {
        let (root, node) = leaf(&[(name, 0, blob.1.0)]);
        scene.refuses("is damaged: a name is", |primary, scene| {
            let tree = (ObjectKind::Tree, root.into(), node.clone());
            Made::of(&[blob.clone(), tree]).add(primary, &scene.app);
            publish(primary, &scene.app, &root.to_hex());
        });
    }
    let (root, node) = leaf(&[(b"b", 0, blob.1.0), (b"a", 0, blob.1.0)]);
    scene.refuses("is damaged: names are not in order", |primary, scene| {
        Made::of(&[(ObjectKind::Tree, root.into(), node.clone())]).add(primary, &scene.app);
        publish(primary, &scene.app, &root.to_hex());
    });
    let list = vec![1, 200, 7];
    scene.refuses("a chunk list breaks the rules", |primary, scene| {
        Made::of(&[(ObjectKind::List, ObjectKind::List.id_of(&list), list.clone())])
            .add(primary, &scene.app);
    });
    for hash in ["", "../../x", "zz"] {
        scene.refuses("row snap-lie of snapshots cannot be read", |primary, scene| {
            publish(primary, &scene.app, hash);
        });
    }
}

#[test]
fn a_node_that_contains_itself() {
    let mut scene = Scene::new();
    // No node can contain its own hash, so the claimed id is wrong.
    let id = TreeId([7; 32]);
    let (_, node) = leaf(&[(b"again", 3, id.0)]);
    scene.refuses("an object is not what its id says", |primary, scene| {
        Made::of(&[(ObjectKind::Tree, id.into(), node.clone())]).add(primary, &scene.app);
        publish(primary, &scene.app, &id.to_hex());
    });
}

#[test]
fn directories_without_end() {
    let mut scene = Scene::new();
    let blob = blob();
    let (mut id, node) = leaf(&[(b"file", 0, blob.1.0)]);
    let mut objects = vec![blob, (ObjectKind::Tree, id.into(), node)];
    for _ in 0..5_000 {
        let (above, node) = leaf(&[(b"d", 3, id.0)]);
        objects.push((ObjectKind::Tree, above.into(), node));
        id = above;
    }
    let words = ["directories nest too deep"; 2];
    scene.is_told(words, |primary, scene| {
        Made::of(&objects).add(primary, &scene.app);
        publish(primary, &scene.app, &id.to_hex());
    });
}

#[test]
fn a_snapshot_without_its_content() {
    let mut scene = Scene::new();
    scene.refuses("row snap-lie of snapshots comes without its content", |primary, scene| {
        publish(primary, &scene.app, &TreeId([9; 32]).to_hex());
    });
}

#[test]
fn zstd_bombs() {
    let mut scene = Scene::new();
    let zeros = vec![0; 256 << 20];
    let bomb = zstd::bulk::compress(&zeros, 1).unwrap();
    let id = ObjectKind::Blob.id_of(&zeros);
    drop(zeros);
    assert!(bomb.len() < 100_000, "{} bytes", bomb.len());
    // The footer tells the true size of the bomb, or hides it.
    scene.refuses("its footer is not consistent", |primary, scene| {
        Made::by_hand(&[(bomb.clone(), 256 << 20)], id).add(primary, &scene.app);
    });
    scene.refuses("a block does not decompress", |primary, scene| {
        Made::by_hand(&[(bomb.clone(), 60 << 20)], id).add(primary, &scene.app);
    });
}

/// Returns the path of a pack in the folder beside the primary.
fn stored_pack(primary: &Connection, scene: &Scene, id: &str) -> PathBuf {
    let sql = "SELECT owner_user_id FROM projects WHERE id = ?1";
    let owner: String = primary.query_row(sql, [&scene.app], |row| row.get(0)).unwrap();
    let dir = scene.folder.path().join(format!("now/primary.db.packs/{owner}/packs"));
    fs::create_dir_all(&dir).unwrap();
    dir.join(id)
}

#[test]
fn packs_of_a_store_that_are_not_what_they_say() {
    let mut scene = Scene::new();
    let made = Made::of(&[blob()]);
    scene.refuses("is larger than its row says", |primary, scene| {
        made.add_as(primary, &scene.app, None);
        let file = fs::File::create(stored_pack(primary, scene, &made.id)).unwrap();
        // A sparse file: it takes no space here, but would on the device.
        file.set_len(2 << 30).unwrap();
    });
    scene.refuses("ended after", |primary, scene| {
        made.add_as(primary, &scene.app, None);
        fs::write(stored_pack(primary, scene, &made.id), &made.bytes[..20]).unwrap();
    });
    scene.refuses("are not those that its id stands for", |primary, scene| {
        made.add_as(primary, &scene.app, None);
        let mut bytes = made.bytes.clone();
        bytes[10] ^= 1;
        fs::write(stored_pack(primary, scene, &made.id), bytes).unwrap();
    });
    scene.refuses("is not in the pack store", |primary, scene| {
        made.add_as(primary, &scene.app, None);
    });
    let mut newcomer = Machine::following(&scene.primary(), Packs::Default);
    let primary = Connection::open(scene.primary()).unwrap();
    primary.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
    primary.execute("UPDATE projects SET owner_user_id = '../../../bystander'", []).unwrap();
    made.add_as(&primary, &scene.app, None);
    let dir = newcomer.path("desk");
    let cloned = run(newcomer.device.clone_project("app", &dir, None, &Activity::default()));
    let error = cloned.unwrap_err().to_string();
    assert!(error.contains("is no key of a pack"), "{error}");
}

#[test]
fn a_migration_that_there_is_not() {
    let mut scene = Scene::new();
    scene.refuses("9999_fastest_x.sql, which this version does not know", |primary, _| {
        let sql = "INSERT INTO d1_migrations(name) VALUES ('9999_fastest_x.sql')";
        primary.execute(sql, []).unwrap();
    });
}

type Lie = fn(&[&str], Rows) -> Rows;

/// A primary that changes its answers to pulls.
struct Liar {
    inner: Embedded,
    lie: Lie,
    asked: std::sync::atomic::AtomicU32,
}

#[async_trait]
impl Primary for Liar {
    fn url(&self) -> &str {
        self.inner.url()
    }

    fn world(&self) -> &World {
        self.inner.world()
    }

    async fn run(
        &self,
        statement: Statement<'_>,
        parameters: &[&str],
    ) -> Result<Rows, PrimaryError> {
        let asked = self.asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        assert!(asked < 200, "it is asked for ever");
        let answer = self.inner.run(statement, parameters).await?;
        Ok(if parameters.len() == 8 { (self.lie)(parameters, answer) } else { answer })
    }

    async fn migrate(&self, name: &str, statements: &[&str]) -> Result<(), PrimaryError> {
        self.inner.migrate(name, statements).await
    }
}

/// Replaces a value in the header.
fn with_header(mut answer: Rows, name: &str, value: serde_json::Value) -> Rows {
    let cell = answer[0][5].as_mut().unwrap();
    let mut header: serde_json::Value = serde_json::from_str(cell).unwrap();
    header[name] = value;
    *cell = header.to_string();
    answer
}

/// Returns a row of an answer: sequence number, table, key, version, state and row of a change.
fn change(cells: [&str; 6]) -> Vec<Option<String>> {
    cells.map(|cell| Some(cell.to_owned()).filter(|cell| !cell.is_empty())).to_vec()
}

/// Replaces all changes by one, and makes the header claim how far the scope goes.
fn only(mut answer: Rows, last: &str, cells: [&str; 6]) -> Rows {
    answer.truncate(1);
    answer[0][0] = Some(last.to_owned());
    answer.push(change(cells));
    answer
}

#[test]
fn answers_of_another_shape_and_answers_without_end() {
    let scene = Scene::new();
    let lies: [(&str, Lie); 13] = [
        ("promises more, and gives next to nothing", |parameters, answer| {
            let next = (parameters[1].parse::<i64>().unwrap() + 1).to_string();
            let answer = with_header(answer, "seen_known", 1.into());
            only(answer, &(1i64 << 50).to_string(), [&next, "workspaces", "x", "1", "1", ""])
        }),
        ("another primary, or an older one, with each answer", |_, answer| {
            with_header(answer, "seen_known", 0.into())
        }),
        ("answer to something else", |_, answer| with_header(answer, "request", "x".into())),
        ("which this version does not know", |_, answer| {
            with_header(answer, "migration", "9999_fastest_x.sql".into())
        }),
        ("the answer has no header", |_, _| Vec::new()),
        ("is missing or out of place", |_, answer| {
            answer.into_iter().map(|row| row[..5].to_vec()).collect()
        }),
        ("is out of order", |_, answer| {
            only(answer, "900", ["901", "workspaces", "x", "1", "1", ""])
        }),
        ("is not a count", |_, answer| {
            only(answer, "900", ["900", "workspaces", "x", "9223372036854775807", "1", ""])
        }),
        ("a table `secrets` that this version does not know", |_, answer| {
            only(answer, "900", ["900", "secrets", "x", "1", "0", "[]"])
        }),
        ("is not the JSON it should be", |_, answer| {
            only(answer, "900", ["900", "workspaces", "x", "1", "0", "{"])
        }),
        ("has 1 values, expected", |_, answer| {
            only(answer, "900", ["900", "workspaces", "x", "1", "0", "[1]"])
        }),
        ("carries another row", |_, answer| {
            let row = "[\"y\",\"a@b\",null,null,\"2026\"]";
            only(answer, "900", ["900", "users", "x", "1", "0", row])
        }),
        ("name has the integer 7 in a column of text", |_, answer| {
            let row = "[\"x\",\"p\",7,null,null,null,null,null,null,\"2026\",1,null]";
            only(answer, "900", ["900", "workspaces", "x", "1", "0", row])
        }),
    ];
    for (words, lie) in lies {
        let victim = scene.victim.copied();
        let store_dir = victim.store_dir();
        let mut replica =
            Replica::open(&store_dir.join("replica.db"), &FASTEST, World::system()).unwrap();
        let store = Store::open(&store_dir.join("objects")).unwrap();
        let primary =
            Liar { inner: Embedded::new(&scene.primary(), World::system()), lie, asked: 0.into() };
        let remote = Remote {
            primary: Arc::new(primary),
            packs: Arc::new(NoPackStore),
            large: LargePacks::Rows,
            meter: Meter::default(),
            chosen: Some(format!("file://{}", scene.primary().display())),
        };
        let pulled =
            run(pull_scope(&mut replica, Some(&store), &remote, &scene.app.as_str().into()));
        let error = pulled.expect_err(words).to_string();
        assert!(error.contains(words), "{words}: {error}");
    }
}
