//! What a pull returns, and which answers a device refuses.

use fastest_schema::tables::workspaces::Workspace;
use fastest_schema::{
    Outcome, PageError, Table, Value, decode_hex_page, decode_page, is_lossy, pull_hex_sql,
    pull_sql,
};
use serde_json::json;

use crate::primary::{Primary, schema, tables};

#[test]
fn the_header_comes_even_when_nothing_is_new() {
    let primary = Primary::new();
    let page = primary.pull("P", 3);
    assert_eq!((page.header.seq, page.changes.len(), page.more()), (3, 0, false));
    assert_eq!(page.header.migration.as_deref(), Some("0000_init.sql"));
    assert_eq!(page.header.epoch.len(), 32);
    assert_eq!(primary.pull("nowhere", 0).header.seq, 0);
}

#[test]
fn the_header_says_whether_a_push_is_known() {
    let primary = Primary::new();
    primary.push("p1", json!({"v": 1, "counter": 1}));
    let known = |push| primary.pull_page("P", 0, 10, 1000, push).header.push_known;
    assert!(known("p1"));
    assert!(!known("p2"));
}

#[test]
fn the_header_names_the_last_push() {
    let primary = Primary::new();
    assert_eq!(primary.mark(""), (json!(null), true));
    primary.push("p1", json!({"v": 1, "counter": 1}));
    assert_eq!(primary.mark(""), (json!(["p1", "d", 1]), true));
    primary.push("p2", json!({"v": 2, "counter": 7}));
    // A retry is not a push.
    primary.push("p1", json!({"v": 1, "counter": 1}));
    assert_eq!(primary.mark(""), (json!(["p2", "d", 7]), true));
}

#[test]
fn a_push_that_is_not_there_was_lost_unless_its_record_is_too_old_to_be_kept() {
    let primary = Primary::new();
    primary.push("p1", json!({"v": 2, "counter": 1}));
    let known = |id: &str, device: &str, counter: i64| {
        let is_known = primary.mark(&json!([id, device, counter]).to_string()).1;
        let payload = json!({"v": 2, "counter": 1, "mark": [id, device, counter]});
        let pushed = primary.try_push(&format!("{id}, {device}"), "other", payload);
        primary.run("DELETE FROM fastest_pushes WHERE device = 'other'");
        assert_eq!(pushed.is_ok(), is_known, "{pushed:?}");
        is_known
    };
    assert!(known("p1", "d", 1));
    assert!(!known("lost", "d", 2) && !known("lost", "d", 1) && !known("lost", "nobody", 1));
    primary.push("p2", json!({"v": 2, "counter": 1_001}));
    assert!(known("p1", "d", 1) && known("p2", "d", 1_001));
    assert!(!known("lost", "d", 2) && !known("lost", "nobody", 1));
}

#[test]
fn an_older_engine_names_no_push() {
    let primary = Primary::new();
    primary.push("p1", json!({"v": 2, "counter": 1}));
    primary.run("DROP TRIGGER fastest_push_2_apply");
    primary.run("ALTER TABLE fastest_meta DROP COLUMN last_push");
    assert_eq!(primary.mark(""), (json!(null), true));
}

#[test]
fn changes_come_in_order_after_the_cursor() {
    let primary = Primary::new();
    primary.run("DELETE FROM workspaces WHERE id = 'w1'");
    primary.run("INSERT INTO boards(id, project_id) VALUES ('b', 'P')");
    primary.run("UPDATE boards SET project_id = 'Q'");
    let page = primary.pull("P", 1);
    let seen: Vec<_> = page.changes.iter().map(|c| (c.seq, c.table.name, c.key.as_str())).collect();
    assert_eq!(seen, [(2, "snapshots", "s0"), (4, "workspaces", "w1"), (6, "boards", "b")]);
    assert!(matches!(page.changes[0].outcome, Outcome::Row(_)));
    assert_eq!(page.changes[1].outcome, Outcome::Deleted);
    assert_eq!(page.changes[2].outcome, Outcome::Left { scope: "P".into() });
}

#[test]
fn a_row_comes_as_its_type() {
    let primary = Primary::new();
    let page = primary.pull("P", 2);
    let workspace: Workspace = page.changes[0].row().unwrap().unwrap();
    assert_eq!(
        (workspace.id.as_str(), workspace.name.as_str(), workspace.version),
        ("w1", "main", 1)
    );
    assert!(page.changes[0].row::<fastest_schema::tables::workspaces::Snapshot>().is_none());
}

#[test]
fn a_page_is_bounded_by_rows() {
    let primary = Primary::new();
    let page = primary.pull_page("P", 0, 2, 1_000_000, "");
    assert_eq!(page.changes.len(), 2);
    assert!(page.more());
}

#[test]
fn a_page_is_bounded_by_bytes_and_the_first_row_always_comes() {
    let primary = Primary::new();
    for part in 0..3 {
        let sql = format!(
            "INSERT INTO fastest_packs(id, project_id, pack_id, part, parts, bytes, objects, data)
             VALUES ('P/ab/{part}', 'P', 'ab', {part}, 3, 90000, 1, '{}')",
            "A".repeat(40_000)
        );
        primary.run(&sql);
    }
    let changes = |cursor, bytes| primary.pull_page("P", cursor, 100, bytes, "").changes.len();
    assert_eq!(changes(0, 0), 1);
    assert_eq!(changes(3, 10), 1);
    assert_eq!(changes(3, 85_000), 2);
    assert_eq!(changes(0, 85_000), 5);
    assert_eq!(changes(0, 1_000_000), 6);
}

#[test]
fn a_row_deleted_behind_the_triggers_counts_as_gone() {
    let primary = Primary::new();
    primary.run("INSERT INTO users(id, email) VALUES ('v', 'v@example.org')");
    primary.run("INSERT OR REPLACE INTO users(id, email) VALUES ('x', 'v@example.org')");
    assert_eq!(primary.pull("v", 0).changes[0].outcome, Outcome::Deleted);
}

#[test]
fn projects_are_found_by_name_or_id() {
    let primary = Primary::new();
    let find = |what: &str| {
        let mut statement = primary.0.prepare(fastest_schema::find_projects_sql()).unwrap();
        let read = |row: &rusqlite::Row<'_>| Ok([row.get(0)?, row.get(1)?]);
        let [asked, ids]: [String; 2] = statement.query_row([what], read).unwrap();
        assert_eq!(asked, what);
        ids
    };
    assert_eq!(find("one"), r#"["P"]"#);
    assert_eq!(find("P"), r#"["P"]"#);
    assert_eq!(find("two"), "[]");
}

type Answer = Vec<Vec<Option<String>>>;

/// Expects that a correct answer is refused after this change.
fn lie(change: fn(&mut Answer), expected: fn(&PageError) -> bool) {
    let primary = Primary::new();
    let mut answer = primary.answer("P", 0, 10, 1_000_000, "");
    change(&mut answer);
    let error = decode_page(&tables(), 0, answer).unwrap_err();
    assert!(expected(&error), "{error:?}");
}

fn text(value: &str) -> Option<String> {
    Some(value.to_owned())
}

#[test]
fn garbage_is_an_error() {
    lie(Vec::clear, |e| matches!(e, PageError::NoHeader));
    lie(|a| drop(a.remove(0)), |e| matches!(e, PageError::NoHeader));
    lie(|a| a[0].push(None), |e| matches!(e, PageError::Shape { row: 0, .. }));
    lie(|a| drop(a[2].pop()), |e| matches!(e, PageError::Shape { row: 2, .. }));
    lie(|a| a[0][5] = text("{}"), |e| matches!(e, PageError::Json { row: 0, .. }));
    lie(|a| a[1][5] = text("["), |e| matches!(e, PageError::Json { row: 1, .. }));
    lie(|a| a[1][0] = text("x"), |e| matches!(e, PageError::Number { column: "seq", .. }));
    lie(|a| a[1][0] = text("-1"), |e| matches!(e, PageError::Number { .. }));
    lie(|a| a[1][3] = None, |e| matches!(e, PageError::Shape { column: "version", .. }));
    lie(|a| a[1][4] = text("3"), |e| matches!(e, PageError::Shape { column: "deleted", .. }));
    lie(|a| a[1][1] = text("secret_table"), |e| matches!(e, PageError::UnknownTable(_)));
}

#[test]
fn numbers_must_rise_from_the_cursor_to_the_header() {
    lie(|a| a.swap(1, 2), |e| matches!(e, PageError::Order { seq: 1, after: 2, .. }));
    lie(|a| a[1][0] = text("0"), |e| matches!(e, PageError::Order { seq: 0, after: 0, .. }));
    lie(|a| a[2][0] = text("1"), |e| matches!(e, PageError::Order { seq: 1, after: 1, .. }));
    lie(|a| a[3][0] = text("9"), |e| matches!(e, PageError::Order { seq: 9, last: 3, .. }));
}

#[test]
fn rows_must_fit_their_tables() {
    fn edit(answer: &mut Answer, at: usize, edit: fn(&mut Vec<serde_json::Value>)) {
        let cell = answer[at][5].as_mut().unwrap();
        let mut values = serde_json::from_str(cell).unwrap();
        edit(&mut values);
        *cell = serde_json::to_string(&values).unwrap();
    }
    lie(|a| edit(a, 1, |v| drop(v.pop())), |e| matches!(e, PageError::Width { found: 8, .. }));
    lie(|a| edit(a, 1, |v| v[0] = json!("Q")), |e| matches!(e, PageError::Key { .. }));
}

#[test]
fn a_table_that_this_build_lacks_is_named() {
    let primary = Primary::new();
    let known: Vec<&'static Table> =
        tables().into_iter().filter(|t| t.name != "snapshots").collect();
    let error = decode_page(&known, 0, primary.answer("P", 0, 10, 1000, "")).unwrap_err();
    assert!(error.to_string().contains("`snapshots`"));
}

#[test]
fn what_went_with_its_table_is_passed_over() {
    let primary = Primary::new();
    let before = primary.pull("P", 0);
    // The entry that a migration leaves when it drops a table.
    primary.run(
        "INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
         SELECT 'dropped', 'k', 'P', 2, max(seq) + 1, 1 FROM fastest_changes WHERE scope = 'P'",
    );
    let page = primary.pull("P", 0);
    assert_eq!(page.changes, before.changes);
    assert_eq!((page.reaches, page.more()), (before.header.seq + 1, false));
    let page = primary.pull("P", before.header.seq);
    assert_eq!((page.changes.len(), page.reaches), (0, before.header.seq + 1));
}

/// Writes the title of a board with this SQL, and returns the row as a device sees it. Asks again
/// in hex if necessary.
fn title(primary: &Primary, sql: &str, whole_from: Option<u32>) -> Outcome {
    primary.run("INSERT OR IGNORE INTO boards(id, project_id) VALUES ('b', 'P')");
    primary.run(&format!("UPDATE boards SET title = {sql}"));
    let last = primary.query("SELECT max(seq) FROM fastest_changes WHERE scope = 'P'");
    let cursor = last[0][0].as_i64().unwrap() - 1;
    let asked = |sql: &str| {
        let mut statement = primary.0.prepare(sql).unwrap();
        let parameters = ["P", &cursor.to_string(), "10", "1000000", "", "", "", "echo"];
        let cell = |row: &rusqlite::Row<'_>, at| {
            Ok(match row.get_ref(at)? {
                rusqlite::types::ValueRef::Null => None,
                rusqlite::types::ValueRef::Text(text) => {
                    Some(String::from_utf8_lossy(text).into_owned())
                }
                other => panic!("no text: {other:?}"),
            })
        };
        let rows = statement.query_map(parameters, |row| (0..6).map(|at| cell(row, at)).collect());
        rows.unwrap().map(Result::unwrap).collect::<Answer>()
    };
    let answer = asked(&pull_sql(&schema()));
    let page = if is_lossy(&answer) {
        decode_hex_page(&tables(), cursor, asked(&pull_hex_sql(&schema(), whole_from))).unwrap()
    } else {
        decode_page(&tables(), cursor, answer).unwrap()
    };
    page.changes.into_iter().next_back().unwrap().outcome
}

#[test]
fn a_value_that_no_device_can_hold_is_held_back_and_named() {
    let primary = Primary::new();
    for whole_from in [None, Some(0)] {
        let held = |sql: &str| match title(&primary, sql, whole_from) {
            Outcome::Held { column: "title", why } => why,
            other => panic!("{sql}: {other:?}"),
        };
        assert_eq!(held("x'00ff'"), "a blob of 2 bytes in a column of text");
        assert_eq!(held("CAST(x'61eda080' AS TEXT)"), "a text that is not UTF-8");
        let both = "CAST(x'eda080' AS TEXT)||'\u{fffd}\u{e000}'";
        assert_eq!(held(both), "a text that is not UTF-8");
        let text = |sql: &str| match title(&primary, sql, whole_from) {
            Outcome::Row(values) => values[2].as_str().unwrap().to_owned(),
            other => panic!("{sql}: {other:?}"),
        };
        assert_eq!(text("'a\u{fffd}b'"), "a\u{fffd}b");
        assert_eq!(text("'a'||char(0)||'\"\u{1f980}'"), "a\0\"\u{1f980}");
    }
}

#[test]
fn a_number_of_another_kind_is_held_back() {
    let primary = Primary::new();
    primary.run("INSERT INTO boards(id, project_id) VALUES ('b', 'P')");
    primary.run("INSERT INTO `order`(id, board_id, `group`) VALUES ('c', 'b', 'g')");
    let last = || primary.pull("P", 0).changes.into_iter().next_back().unwrap().outcome;
    for (set, column, why) in [
        ("rank = 'seven'", "rank", "the text \"seven\" in a column of integers"),
        ("rank = 1.5", "rank", "the real 1.5 in a column of integers"),
        ("weight = 'heavy'", "weight", "the text \"heavy\" in a column of reals"),
    ] {
        primary.run("UPDATE `order` SET rank = 1, weight = 1");
        primary.run(&format!("UPDATE `order` SET {set}"));
        assert_eq!(last(), Outcome::Held { column, why: why.to_owned() });
    }
    primary.run("UPDATE `order` SET rank = 1, weight = 7");
    assert!(matches!(last(), Outcome::Row(values) if values[4] == Value::Real(7.0)));
}

#[test]
fn reals_come_as_they_are() {
    let primary = Primary::new();
    primary.run("INSERT INTO boards(id, project_id) VALUES ('b', 'P')");
    primary.run("INSERT INTO `order`(id, board_id, `group`) VALUES ('c', 'b', 'g')");
    let vectors: Vec<(String, serde_json::Value)> =
        serde_json::from_str(include_str!("../data/reals.json")).unwrap();
    for (counter, (bits, wire)) in (1..).zip(vectors) {
        let real = f64::from_bits(u64::from_str_radix(&bits, 16).unwrap());
        let version = primary.changes("order")[0][2].clone();
        primary.push(
            &format!("p{counter}"),
            json!({"v": 2, "counter": counter, "locks": [["order", "c", version]],
                "ops": [["order", "c", {"weight": wire}]]}),
        );
        let stored: f64 =
            primary.0.query_row("SELECT weight FROM `order`", [], |row| row.get(0)).unwrap();
        assert_eq!(Value::Real(stored), Value::Real(real), "{wire}");
        let page = primary.pull("P", 0);
        let Outcome::Row(values) = &page.changes.last().unwrap().outcome else { panic!() };
        assert_eq!(values[4], Value::Real(real), "{wire}");
        let row = primary.answer("P", page.header.seq - 1, 10, 10_000, "")[1][5].clone().unwrap();
        let row: Vec<serde_json::Value> = serde_json::from_str(&row).unwrap();
        let read = Value::from_wire(row[4].clone(), fastest_schema::value::kind::Kind::Real);
        assert_eq!(read, Ok(Value::Real(real)));
    }
}
