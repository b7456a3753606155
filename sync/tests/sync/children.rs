//! Deleted rows to which other rows refer, while another device writes those.

use std::path::Path;
use std::sync::LazyLock;

use fastest_schema::{Migration, Row, Schema, init_sql, table};
use fastest_sync::WriteError;
use fastest_sync::database::error::DatabaseError;
use fastest_sync::remote::embedded::Embedded;
use fastest_sync::{Database, Remote, Resolution, World, migrate};

use super::machine::query;
use super::run;

#[table(
    name = "boards",
    policy = versioned("boards are edited on any device"),
    scope = team,
    unique(team, name),
)]
struct Board {
    #[pk]
    id: String,
    team: String,
    name: String,
    #[references(boards.id, on_delete = cascade)]
    above: Option<String>,
}

#[table(name = "cards", policy = versioned("cards are edited on any device"), scope = team)]
struct Card {
    #[pk]
    id: String,
    team: String,
    #[references(boards.id, on_delete = cascade)]
    board: String,
    text: String,
}

#[table(name = "pins", policy = versioned("pins are moved on any device"), scope = team)]
struct Pin {
    #[pk]
    id: String,
    team: String,
    #[references(boards.id, on_delete = set_null)]
    board: Option<String>,
}

#[table(name = "bills", policy = versioned("bills are edited on any device"), scope = team)]
struct Bill {
    #[pk]
    id: String,
    team: String,
    #[references(boards.id)]
    board: Option<String>,
}

#[table(name = "visits", policy = append_only("who came has come"), scope = team)]
struct Visit {
    #[pk]
    id: String,
    team: String,
    #[references(boards.id, on_delete = cascade)]
    board: String,
}

#[table(name = "looks", policy = append_only("who looked has looked"), scope = team)]
struct Look {
    #[pk]
    id: String,
    team: String,
    #[references(boards.id, on_delete = set_null)]
    board: Option<String>,
}

static BOARDS: LazyLock<Schema> = LazyLock::new(|| {
    let tables = [Board::TABLE, Card::TABLE, Pin::TABLE, Bill::TABLE, Visit::TABLE, Look::TABLE];
    let tables = tables.to_vec().leak();
    let sql = init_sql(tables).leak();
    let migrations = vec![Migration { name: "0000_boards_init.sql", sql }].leak();
    Schema { owner: "boards", tables, migrations }
});

fn board(id: &str, name: &str) -> Board {
    Board { id: id.into(), team: "a".into(), name: name.into(), above: None }
}

fn card(id: &str, board: &str, text: &str) -> Card {
    Card { id: id.into(), team: "a".into(), board: board.into(), text: text.into() }
}

fn pin(id: &str, board: &str) -> Pin {
    Pin { id: id.into(), team: "a".into(), board: Some(board.into()) }
}

fn bill(id: &str, board: &str) -> Bill {
    Bill { id: id.into(), team: "a".into(), board: Some(board.into()) }
}

fn visit(id: &str, board: &str) -> Visit {
    Visit { id: id.into(), team: "a".into(), board: board.into() }
}

fn look(id: &str, board: &str) -> Look {
    Look { id: id.into(), team: "a".into(), board: Some(board.into()) }
}

struct Desk {
    folder: tempfile::TempDir,
    remote: Remote,
    one: Database,
    two: Database,
}

fn open(folder: &Path, name: &str) -> Database {
    Database::open_for(&folder.join(name), &BOARDS, "a", World::system()).unwrap()
}

/// Returns two devices that hold board `b` with card `c`.
fn desk() -> Desk {
    let folder = tempfile::tempdir().unwrap();
    let remote =
        Remote::of(Box::new(Embedded::new(&folder.path().join("primary.db"), World::system())));
    run(migrate(&*remote.primary, &BOARDS)).unwrap();
    let (one, two) = (open(folder.path(), "one.db"), open(folder.path(), "two.db"));
    let mut desk = Desk { folder, remote, one, two };
    desk.one.save(&board("b", "plan")).unwrap();
    desk.one.save(&card("c", "b", "first")).unwrap();
    desk.sync();
    desk
}

impl Desk {
    /// Pushes from the first device, then from the second, and brings both up to date.
    fn sync(&mut self) {
        for db in [&mut self.one, &mut self.two] {
            run(db.push_all(&self.remote)).unwrap();
            run(db.pull_all(&self.remote)).unwrap();
        }
        run(self.one.pull_all(&self.remote)).unwrap();
    }

    fn primary(&self, sql: &str) -> Vec<String> {
        query(&self.folder.path().join("primary.db"), sql)
    }

    /// Resolves every conflict of the second device.
    fn resolve(&mut self, resolution: &Resolution) {
        for conflict in self.two.conflicts().unwrap() {
            assert!(conflict.deleted_here, "{conflict:?}");
            self.two.resolve(conflict.id.as_str(), resolution).unwrap();
        }
        self.sync();
        assert!(self.two.conflicts().unwrap().is_empty());
        assert!(self.two.waiting().unwrap().is_empty());
    }
}

const CARDS: &str = "SELECT id || text FROM cards ORDER BY id";

#[test]
fn a_delete_yields_to_a_child_that_others_changed() {
    let mut desk = desk();
    desk.two.delete::<Board>("b").unwrap();
    desk.one.save(&card("c", "b", "second")).unwrap();
    desk.sync();
    assert_eq!(desk.primary(CARDS), ["csecond"]);
    assert_eq!(desk.two.all::<Board>().unwrap().len(), 1);
    assert_eq!(desk.two.conflicts().unwrap().len(), 2, "of the card, and of its board");
    desk.resolve(&Resolution::Theirs);
    assert_eq!(desk.primary(CARDS), ["csecond"]);
    assert_eq!(desk.two.all::<Card>().unwrap()[0].text, "second");
}

#[test]
fn a_delete_yields_to_a_child_that_others_added() {
    let mut desk = desk();
    desk.two.delete::<Board>("b").unwrap();
    desk.one.save(&card("d", "b", "new")).unwrap();
    desk.one.save(&Board { above: Some("b".into()), ..board("under", "part") }).unwrap();
    desk.sync();
    assert_eq!(desk.primary("SELECT id FROM boards ORDER BY id"), ["b", "under"]);
    assert_eq!(desk.primary(CARDS), ["dnew"]);
    assert_eq!(desk.two.conflicts().unwrap().len(), 1);
    // This is like a new delete: it takes the children that exist by now.
    desk.resolve(&Resolution::Ours);
    assert_eq!(desk.primary("SELECT id FROM boards UNION SELECT id FROM cards"), [""; 0]);
    assert!(desk.one.all::<Card>().unwrap().is_empty());
}

#[test]
fn a_delete_yields_to_a_child_that_would_lose_its_reference() {
    let mut desk = desk();
    desk.one.save(&pin("known", "b")).unwrap();
    desk.sync();
    desk.two.delete::<Board>("b").unwrap();
    desk.one.save(&pin("new", "b")).unwrap();
    desk.sync();
    assert_eq!(desk.primary("SELECT board FROM pins WHERE id = 'new'"), ["b"]);
    desk.resolve(&Resolution::Ours);
    assert_eq!(
        desk.primary("SELECT id FROM pins WHERE board IS NULL ORDER BY id"),
        ["known", "new"]
    );
}

#[test]
fn a_tree_goes_with_its_root() {
    let mut desk = desk();
    desk.one.save(&Board { above: Some("b".into()), ..board("under", "part") }).unwrap();
    desk.one.save(&card("d", "under", "deep")).unwrap();
    desk.one.save(&pin("p", "under")).unwrap();
    desk.one.save(&board("other", "rest")).unwrap();
    desk.sync();
    // This card is moved to another board first, and stays.
    desk.two.save(&card("d", "other", "deep")).unwrap();
    desk.two.delete::<Board>("b").unwrap();
    desk.sync();
    assert_eq!(desk.primary("SELECT id FROM boards"), ["other"]);
    assert_eq!(desk.primary(CARDS), ["ddeep"]);
    assert_eq!(desk.primary("SELECT id FROM pins WHERE board IS NULL"), ["p"]);
    assert!(desk.two.conflicts().unwrap().is_empty());
}

#[test]
fn what_was_never_sent_outlives_a_delete_that_fails() {
    let mut desk = desk();
    for at_odds in [true, false] {
        desk.two.save(&visit("v", "b")).unwrap();
        desk.two.save(&look("l", "b")).unwrap();
        desk.two.delete::<Board>("b").unwrap();
        if at_odds {
            desk.one.save(&board("b", "renamed")).unwrap();
        }
        desk.sync();
        let visits = desk.primary("SELECT id || board FROM visits");
        let looks = desk.primary("SELECT id || coalesce(board, '') FROM looks");
        if at_odds {
            assert_eq!((visits, looks), (vec!["vb".to_owned()], vec!["lb".to_owned()]));
            desk.two
                .resolve(desk.two.conflicts().unwrap()[0].id.as_str(), &Resolution::Theirs)
                .unwrap();
        } else {
            assert_eq!((visits.len(), looks), (0, vec!["l".to_owned()]));
            assert!(desk.two.all::<Visit>().unwrap().is_empty());
            assert_eq!(desk.two.get::<Look>("l").unwrap().unwrap().board, None);
            assert!(desk.two.waiting().unwrap().is_empty());
        }
    }
}

#[test]
fn what_hangs_on_a_row_that_was_never_sent_goes_with_it() {
    let mut desk = desk();
    desk.two.save(&board("new", "new")).unwrap();
    desk.two.save(&visit("v", "new")).unwrap();
    desk.two.delete::<Board>("new").unwrap();
    assert!(desk.two.all::<Visit>().unwrap().is_empty() && desk.two.waiting().unwrap().is_empty());
}

#[test]
fn a_choice_is_checked_as_any_write() {
    let mut desk = desk();
    // The card cannot come back to a deleted board.
    desk.two.save(&card("c", "b", "ours")).unwrap();
    desk.one.delete::<Board>("b").unwrap();
    desk.sync();
    let [conflict] = &desk.two.conflicts().unwrap()[..] else { panic!("one conflict") };
    let refused = desk.two.resolve(conflict.id.as_str(), &Resolution::Ours);
    assert!(
        matches!(refused, Err(DatabaseError::Write(WriteError::Deleted { .. }))),
        "{refused:?}"
    );
    assert_eq!(desk.two.conflicts().unwrap().len(), 1, "it is still there to be settled");
    desk.two.resolve(conflict.id.as_str(), &Resolution::Theirs).unwrap();

    // Nor can a board be deleted while another row restricts it.
    desk.one.save(&board("b", "again")).unwrap();
    desk.sync();
    desk.two.delete::<Board>("b").unwrap();
    desk.one.save(&board("b", "renamed")).unwrap();
    desk.one.save(&bill("x", "b")).unwrap();
    desk.sync();
    let [conflict] = &desk.two.conflicts().unwrap()[..] else { panic!("one conflict") };
    let refused = desk.two.resolve(conflict.id.as_str(), &Resolution::Ours);
    assert!(
        matches!(refused, Err(DatabaseError::Write(WriteError::Referred { .. }))),
        "{refused:?}"
    );
    assert_eq!(desk.two.all::<Board>().unwrap()[0].name, "renamed");
}

#[test]
fn a_row_that_another_holds_fast_stands() {
    let mut desk = desk();
    desk.two.delete::<Board>("b").unwrap();
    desk.one.save(&bill("x", "b")).unwrap();
    desk.sync();
    assert_eq!(desk.primary("SELECT id || board FROM bills"), ["xb"]);
    assert_eq!(desk.two.conflicts().unwrap().len(), 1);
    assert_eq!(desk.two.all::<Board>().unwrap().len(), 1);
}

#[test]
fn a_row_whose_parent_was_deleted_is_named_and_nothing_is_forgotten() {
    let mut desk = desk();
    desk.one.save(&board("other", "other")).unwrap();
    desk.sync();
    desk.two.save(&bill("x", "b")).unwrap();
    desk.one.delete::<Board>("b").unwrap();
    run(desk.one.push_all(&desk.remote)).unwrap();
    let path = desk.folder.path().join("two.db");
    for _ in 0..2 {
        run(desk.two.push_all(&desk.remote)).unwrap();
        let named = "it names boards b, which was deleted";
        let [refused] = &desk.two.refused().unwrap()[..] else { panic!("one") };
        assert_eq!((&*refused.why, refused.column.as_deref()), (named, Some("board")));
        assert_eq!(query(&path, "SELECT push_id FROM fastest_local_sent"), [""; 0]);
        let known = "SELECT pk || version FROM fastest_changes WHERE tbl = 'boards' ORDER BY pk";
        assert_eq!(query(&path, known), ["b2", "other1"]);
    }
    desk.two.save(&bill("x", "other")).unwrap();
    desk.sync();
    assert_eq!(desk.primary("SELECT id || board FROM bills"), ["xother"]);
}

#[test]
fn what_hangs_on_a_row_goes_with_it_before_its_name_is_taken() {
    let mut desk = desk();
    desk.one.save(&bill("x", "b")).unwrap();
    desk.one.save(&pin("p", "b")).unwrap();
    desk.sync();
    desk.two.delete::<Bill>("x").unwrap();
    desk.two.delete::<Board>("b").unwrap();
    desk.two.save(&board("z", "plan")).unwrap();
    desk.two.save(&bill("y", "z")).unwrap();
    desk.sync();
    assert_eq!(desk.primary("SELECT id || name FROM boards"), ["zplan"]);
    assert_eq!(desk.primary("SELECT id || board FROM bills"), ["yz"]);
    assert_eq!(desk.primary("SELECT id FROM pins WHERE board IS NULL"), ["p"]);
    assert!(desk.two.conflicts().unwrap().is_empty() && desk.two.waiting().unwrap().is_empty());
}

#[test]
fn names_are_handed_on_before_they_are_taken() {
    let mut desk = desk();
    let names = "SELECT group_concat(id || name) FROM (SELECT * FROM boards ORDER BY id)";
    desk.one.save(&board("a", "x")).unwrap();
    desk.one.save(&board("c", "y")).unwrap();
    desk.sync();
    // In either order of the two rows on the primary.
    for (giver, taker, name) in [("c", "a", "y"), ("a", "c", "y")] {
        desk.two.save(&board(giver, giver)).unwrap();
        desk.two.save(&board(taker, name)).unwrap();
        desk.two.save(&Board { above: Some("b".into()), ..board(giver, giver) }).unwrap();
        desk.sync();
    }
    assert_eq!(desk.primary(names), ["aa,bplan,cy"]);
}

#[test]
fn a_circle_of_names_is_refused_and_ends_where_one_is_free() {
    let mut desk = desk();
    desk.one.save(&board("c", "past")).unwrap();
    desk.sync();
    desk.two.save(&board("c", "between")).unwrap();
    desk.two.save(&board("b", "past")).unwrap();
    desk.two.save(&board("c", "plan")).unwrap();
    let refused = run(desk.two.push_all(&desk.remote)).unwrap().refused;
    assert!(refused[0].why.contains("UNIQUE") && refused[0].rows.len() == 2, "{refused:?}");
    desk.two.save(&board("c", "between")).unwrap();
    assert!(run(desk.two.push_all(&desk.remote)).unwrap().refused.is_empty());
    desk.two.save(&board("c", "plan")).unwrap();
    desk.sync();
    assert_eq!(desk.primary("SELECT id || name FROM boards ORDER BY id"), ["bpast", "cplan"]);
}

#[test]
fn a_delete_takes_along_what_is_of_another_scope() {
    let mut desk = desk();
    let mut any =
        Database::open(&desk.folder.path().join("any.db"), &BOARDS, World::system()).unwrap();
    any.save(&Card { team: "b".into(), ..card("far", "b", "far") }).unwrap();
    run(any.push_all(&desk.remote)).unwrap();
    run(any.pull(&desk.remote, "a")).unwrap();
    any.delete::<Board>("b").unwrap();
    any.save(&board("z", "plan")).unwrap();
    run(any.push_all(&desk.remote)).unwrap();
    assert_eq!(desk.primary("SELECT id FROM boards UNION SELECT id FROM cards"), ["z"]);
    assert!(any.waiting().unwrap().is_empty() && any.conflicts().unwrap().is_empty());
    desk.sync();
}

#[test]
fn a_delete_yields_to_what_this_device_does_not_hold() {
    for kept in ["cards", "bills"] {
        let mut desk = desk();
        let mut far =
            Database::open_for(&desk.folder.path().join("far.db"), &BOARDS, "b", World::system())
                .unwrap();
        match kept {
            "cards" => far.save(&Card { team: "b".into(), ..card("far", "b", "far") }).unwrap(),
            _ => far.save(&Bill { team: "b".into(), ..bill("far", "b") }).unwrap(),
        }
        run(far.push_all(&desk.remote)).unwrap();
        desk.two.delete::<Board>("b").unwrap();
        desk.sync();
        assert_eq!(desk.primary(&format!("SELECT board FROM {kept} WHERE id = 'far'")), ["b"]);
        assert_eq!(desk.two.conflicts().unwrap().len(), 1);
        assert_eq!(desk.two.all::<Board>().unwrap().len(), 1);
    }
}

#[test]
fn what_hangs_on_a_row_goes_on_every_device() {
    let mut desk = desk();
    desk.one.save(&visit("v", "b")).unwrap();
    desk.one.save(&look("l", "b")).unwrap();
    desk.sync();
    assert_eq!(desk.two.all::<Visit>().unwrap().len(), 1);
    desk.one.delete::<Board>("b").unwrap();
    run(desk.one.push_all(&desk.remote)).unwrap();
    // A row that was written here meanwhile is not lost silently.
    desk.two.save(&visit("w", "b")).unwrap();
    run(desk.two.pull_all(&desk.remote)).unwrap();
    let visits: Vec<String> = desk.two.all().unwrap().into_iter().map(|v: Visit| v.id).collect();
    assert_eq!(visits, ["w"]);
    assert_eq!(desk.two.get::<Look>("l").unwrap().unwrap().board, None);
    let refused = run(desk.two.push_all(&desk.remote)).unwrap().refused;
    assert_eq!((refused.len(), refused[0].key.as_str()), (1, "w"), "{refused:?}");
    assert_eq!(desk.primary("SELECT id FROM visits"), [""; 0]);
}
