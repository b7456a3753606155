//! The changes, each with the SQL that it results in.

use fastest_schema::record::model::{
    ColumnRecord, IndexRecord, ReferenceRecord, ScopePath, ScopeRecord, TableRecord,
};
use fastest_schema::{Kind, OnDelete, Policy};
use insta::assert_snapshot;

use super::scene::{Tables, Walk};

fn column(name: &str, kind: Kind) -> ColumnRecord {
    ColumnRecord {
        name: name.into(),
        kind,
        null: false,
        default: None,
        check: None,
        unique: false,
        lock_version: false,
        watched: false,
        references: None,
        renamed_from: None,
    }
}

fn refers(table: &str, on_delete: OnDelete) -> Option<ReferenceRecord> {
    Some(ReferenceRecord { table: table.into(), column: "id".into(), on_delete })
}

fn index(columns: [&str; 2], unique: bool) -> IndexRecord {
    IndexRecord { columns: columns.map(str::to_owned).to_vec(), unique }
}

pub fn what_would_lose_rows_is_refused(walk: &mut Walk) {
    assert_snapshot!(walk.refused(|to| to.column("projects", "priority").default = Some("2".into())), @"no migration was written: `projects` would be rebuilt (the default of `priority` changes), and on D1 that deletes or empties the rows of `tasks` by its foreign key `project_id`: add a new column or a new table instead");
    assert_snapshot!(walk.refused(|to| to.column("people", "email").null = true), @"no migration was written: `people` would be rebuilt (whether null is allowed in `email` changes), and on D1 that deletes or empties the rows of `tasks` by its foreign key `assignee`: add a new column or a new table instead");
    assert_snapshot!(walk.refused(|to| to.column("teams", "name").check = Some("name <> ''".into())), @"no migration was written: `teams` would be rebuilt (the check of `name` changes), and on D1 that deletes or empties the rows of `drafts` by its foreign key `team_id`: add a new column or a new table instead");
    assert_snapshot!(walk.refused(|to| to.column("tasks", "id").kind = Kind::Integer), @"no migration was written: the key of `tasks` cannot change: make a new table, and copy the rows");
}

pub fn columns_come(walk: &mut Walk) {
    let null = ColumnRecord { null: true, ..column("colour", Kind::Text) };
    assert_snapshot!(walk.step("colour", |to| to.table("tasks").columns.push(null)), @"ALTER TABLE `tasks` ADD COLUMN `colour` text;");
    let default = Some("0.5".to_owned());
    let null = ColumnRecord { null: true, default, ..column("weight", Kind::Real) };
    assert_snapshot!(walk.step("weight", |to| to.table("tasks").columns.push(null)), @"ALTER TABLE `tasks` ADD COLUMN `weight` real DEFAULT 0.5;");
    let default = Some("'open'".to_owned());
    let constant = ColumnRecord { default, ..column("state", Kind::Text) };
    assert_snapshot!(walk.step("state", |to| to.table("projects").columns.push(constant)), @"ALTER TABLE `projects` ADD COLUMN `state` text NOT NULL DEFAULT 'open';");
    let default = Some("(strftime('%Y-%m-%dT%H:%M:%fZ','now'))".to_owned());
    let now = ColumnRecord { default, ..column("at", Kind::Text) };
    assert_snapshot!(walk.destructive("at", |to| to.table("tasks").columns.push(now)), @r"
    -- Destructive: `tasks` is rebuilt: `at` is new, and its default is not constant
    PRAGMA defer_foreign_keys = ON;
    CREATE TABLE `fastest_old_tasks` AS SELECT * FROM `tasks`;
    DROP TABLE `tasks`;
    CREATE TABLE `tasks`(
      `id` text PRIMARY KEY NOT NULL,
      `project_id` text NOT NULL,
      `assignee` text,
      `reviewer` text,
      `title` text NOT NULL,
      `estimate` integer,
      `colour` text,
      `weight` real DEFAULT 0.5,
      `at` text NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
      FOREIGN KEY (`project_id`) REFERENCES `projects`(`id`) ON DELETE CASCADE,
      FOREIGN KEY (`assignee`) REFERENCES `people`(`id`) ON DELETE SET NULL
    );
    INSERT INTO `tasks`(`id`, `project_id`, `assignee`, `reviewer`, `title`, `estimate`, `colour`, `weight`, `at`)
      SELECT `id`, `project_id`, `assignee`, `reviewer`, `title`, `estimate`, `colour`, `weight`, (strftime('%Y-%m-%dT%H:%M:%fZ','now')) FROM `fastest_old_tasks`;
    DROP TABLE `fastest_old_tasks`;
    UPDATE `tasks` SET `id` = `id`;
    ");
    let comments = TableRecord {
        name: "comments".into(),
        pk: "id".into(),
        columns: vec![
            column("id", Kind::Text),
            column("team_id", Kind::Text),
            ColumnRecord {
                references: refers("tasks", OnDelete::Restrict),
                ..column("task_id", Kind::Text)
            },
            column("text", Kind::Text),
        ],
        indexes: Vec::new(),
        unique_rules: Vec::new(),
        replaces: false,
        policy: Policy::Versioned,
        scope: Some(ScopeRecord { column: "team_id".into(), by: None }),
        external: false,
        renamed_from: None,
    };
    assert_snapshot!(walk.step("comments", |to| to.0.push(comments)), @r"
    CREATE TABLE `comments`(
      `id` text PRIMARY KEY NOT NULL,
      `team_id` text NOT NULL,
      `task_id` text NOT NULL,
      `text` text NOT NULL,
      FOREIGN KEY (`task_id`) REFERENCES `tasks`(`id`) ON DELETE RESTRICT
    );
    ");
    walk.run(
        "INSERT INTO comments(id, team_id, task_id, text) VALUES ('c1', 'red', 'dig', 'deep')",
    );
}

pub fn names_change_and_columns_go(walk: &mut Walk) {
    let rename = walk.step("title", |to| {
        let column = to.column("projects", "name");
        (column.name, column.renamed_from) = ("title".into(), Some("name".into()));
    });
    assert_snapshot!(rename, @r#"
    -- fastest: {"rename_column":["projects","name","title"]}
    DROP TRIGGER `fastest_push_apply`;
    ALTER TABLE `projects` RENAME COLUMN `name` TO `title`;
    "#);
    assert_snapshot!(walk.step("members", |to| to.rename("people", "members")), @r#"
    -- fastest: {"rename_table":["people","members"]}
    DROP TRIGGER `fastest_push_apply`;
    ALTER TABLE `people` RENAME TO `members`;
    UPDATE OR REPLACE fastest_changes SET tbl = 'members' WHERE tbl = 'people';
    "#);
    let gone = |name: &'static str| move |column: &ColumnRecord| column.name != name;
    let dropped =
        walk.destructive("no_weight", |to| to.table("tasks").columns.retain(gone("weight")));
    assert_snapshot!(dropped, @r#"
    -- Destructive: column `tasks.weight` is dropped, with its values
    -- fastest: {"drop_column":["tasks","weight"]}
    DROP TRIGGER `fastest_push_apply`;
    ALTER TABLE `tasks` DROP COLUMN `weight`;
    "#);
    let dropped =
        walk.destructive("no_task", |to| to.table("events").columns.retain(gone("task_id")));
    assert_snapshot!(dropped, @r#"
    -- Destructive: column `events.task_id` is dropped, with its values
    -- Destructive: `events` is rebuilt: foreign key `task_id` is dropped
    -- fastest: {"drop_column":["events","task_id"]}
    PRAGMA defer_foreign_keys = ON;
    CREATE TABLE `fastest_old_events` AS SELECT * FROM `events`;
    DROP TABLE `events`;
    CREATE TABLE `events`(
      `id` text PRIMARY KEY NOT NULL,
      `team_id` text NOT NULL,
      `what` text NOT NULL
    );
    INSERT INTO `events`(`id`, `team_id`, `what`)
      SELECT `id`, `team_id`, `what` FROM `fastest_old_events`;
    DROP TABLE `fastest_old_events`;
    "#);
}

pub fn columns_change(walk: &mut Walk) {
    let default = |to: &mut Tables| to.column("tasks", "colour").default = Some("'grey'".into());
    assert_snapshot!(walk.destructive("grey", default), @r"
    -- Destructive: `tasks` is rebuilt: the default of `colour` changes
    PRAGMA defer_foreign_keys = ON;
    CREATE TABLE `fastest_old_tasks` AS SELECT * FROM `tasks`;
    DROP TABLE `tasks`;
    CREATE TABLE `tasks`(
      `id` text PRIMARY KEY NOT NULL,
      `project_id` text NOT NULL,
      `assignee` text,
      `reviewer` text,
      `title` text NOT NULL,
      `estimate` integer,
      `colour` text DEFAULT 'grey',
      `at` text NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
      FOREIGN KEY (`project_id`) REFERENCES `projects`(`id`) ON DELETE CASCADE,
      FOREIGN KEY (`assignee`) REFERENCES `members`(`id`) ON DELETE SET NULL
    );
    INSERT INTO `tasks`(`id`, `project_id`, `assignee`, `reviewer`, `title`, `estimate`, `colour`, `at`)
      SELECT `id`, `project_id`, `assignee`, `reviewer`, `title`, `estimate`, `colour`, `at` FROM `fastest_old_tasks`;
    DROP TABLE `fastest_old_tasks`;
    ");
    assert_snapshot!(walk.destructive("coloured", |to| to.column("tasks", "colour").null = false), @r"
    -- Destructive: `tasks` is rebuilt: whether null is allowed in `colour` changes
    PRAGMA defer_foreign_keys = ON;
    CREATE TABLE `fastest_old_tasks` AS SELECT * FROM `tasks`;
    DROP TABLE `tasks`;
    CREATE TABLE `tasks`(
      `id` text PRIMARY KEY NOT NULL,
      `project_id` text NOT NULL,
      `assignee` text,
      `reviewer` text,
      `title` text NOT NULL,
      `estimate` integer,
      `colour` text NOT NULL DEFAULT 'grey',
      `at` text NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
      FOREIGN KEY (`project_id`) REFERENCES `projects`(`id`) ON DELETE CASCADE,
      FOREIGN KEY (`assignee`) REFERENCES `members`(`id`) ON DELETE SET NULL
    );
    INSERT INTO `tasks`(`id`, `project_id`, `assignee`, `reviewer`, `title`, `estimate`, `colour`, `at`)
      SELECT `id`, `project_id`, `assignee`, `reviewer`, `title`, `estimate`, coalesce(`colour`, 'grey'), `at` FROM `fastest_old_tasks`;
    DROP TABLE `fastest_old_tasks`;
    ");
    assert_snapshot!(walk.destructive("silence", |to| to.column("events", "what").null = true), @r"
    -- Destructive: `events` is rebuilt: whether null is allowed in `what` changes
    PRAGMA defer_foreign_keys = ON;
    CREATE TABLE `fastest_old_events` AS SELECT * FROM `events`;
    DROP TABLE `events`;
    CREATE TABLE `events`(
      `id` text PRIMARY KEY NOT NULL,
      `team_id` text NOT NULL,
      `what` text
    );
    INSERT INTO `events`(`id`, `team_id`, `what`)
      SELECT `id`, `team_id`, `what` FROM `fastest_old_events`;
    DROP TABLE `fastest_old_events`;
    ");
    walk.run("INSERT INTO events(id, team_id) VALUES ('e3', 'red')");
}

pub fn keys_change(walk: &mut Walk) {
    let reviewer = |to: &mut Tables| {
        to.column("tasks", "reviewer").references = refers("members", OnDelete::SetNull);
    };
    assert_snapshot!(walk.destructive("reviewer", reviewer), @r"
    -- Destructive: `tasks` is rebuilt: the foreign key `reviewer` changes
    PRAGMA defer_foreign_keys = ON;
    CREATE TABLE `fastest_old_tasks` AS SELECT * FROM `tasks`;
    DROP TABLE `tasks`;
    CREATE TABLE `tasks`(
      `id` text PRIMARY KEY NOT NULL,
      `project_id` text NOT NULL,
      `assignee` text,
      `reviewer` text,
      `title` text NOT NULL,
      `estimate` integer,
      `colour` text NOT NULL DEFAULT 'grey',
      `at` text NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
      FOREIGN KEY (`project_id`) REFERENCES `projects`(`id`) ON DELETE CASCADE,
      FOREIGN KEY (`assignee`) REFERENCES `members`(`id`) ON DELETE SET NULL,
      FOREIGN KEY (`reviewer`) REFERENCES `members`(`id`) ON DELETE SET NULL
    );
    INSERT INTO `tasks`(`id`, `project_id`, `assignee`, `reviewer`, `title`, `estimate`, `colour`, `at`)
      SELECT `id`, `project_id`, `assignee`, `reviewer`, `title`, `estimate`, `colour`, `at` FROM `fastest_old_tasks`;
    DROP TABLE `fastest_old_tasks`;
    SELECT json('a value of tasks.reviewer is no members.id') FROM `tasks` AS c
      WHERE c.`reviewer` IS NOT NULL AND NOT EXISTS (SELECT 1 FROM `members` AS p WHERE p.`id` = c.`reviewer`);
    ");
    let restrict = |to: &mut Tables| {
        to.column("tasks", "project_id").references = refers("projects", OnDelete::Restrict);
    };
    assert_snapshot!(walk.destructive("restrict", restrict), @r"
    -- Destructive: `tasks` is rebuilt: the foreign key `project_id` changes
    PRAGMA defer_foreign_keys = ON;
    CREATE TABLE `fastest_old_tasks` AS SELECT * FROM `tasks`;
    DROP TABLE `tasks`;
    CREATE TABLE `tasks`(
      `id` text PRIMARY KEY NOT NULL,
      `project_id` text NOT NULL,
      `assignee` text,
      `reviewer` text,
      `title` text NOT NULL,
      `estimate` integer,
      `colour` text NOT NULL DEFAULT 'grey',
      `at` text NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
      FOREIGN KEY (`project_id`) REFERENCES `projects`(`id`) ON DELETE RESTRICT,
      FOREIGN KEY (`assignee`) REFERENCES `members`(`id`) ON DELETE SET NULL,
      FOREIGN KEY (`reviewer`) REFERENCES `members`(`id`) ON DELETE SET NULL
    );
    INSERT INTO `tasks`(`id`, `project_id`, `assignee`, `reviewer`, `title`, `estimate`, `colour`, `at`)
      SELECT `id`, `project_id`, `assignee`, `reviewer`, `title`, `estimate`, `colour`, `at` FROM `fastest_old_tasks`;
    DROP TABLE `fastest_old_tasks`;
    SELECT json('a value of tasks.project_id is no projects.id') FROM `tasks` AS c
      WHERE c.`project_id` IS NOT NULL AND NOT EXISTS (SELECT 1 FROM `projects` AS p WHERE p.`id` = c.`project_id`);
    ");
    // This was refused while the foreign key of `tasks` would have deleted its rows.
    let default = |to: &mut Tables| to.column("projects", "priority").default = Some("2".into());
    assert_snapshot!(walk.destructive("priority", default), @r"
    -- Destructive: `projects` is rebuilt: the default of `priority` changes
    PRAGMA defer_foreign_keys = ON;
    CREATE TABLE `fastest_old_projects` AS SELECT * FROM `projects`;
    DROP TABLE `projects`;
    CREATE TABLE `projects`(
      `id` text PRIMARY KEY NOT NULL,
      `team_id` text NOT NULL,
      `title` text NOT NULL,
      `priority` integer NOT NULL DEFAULT 2,
      `lock` integer NOT NULL DEFAULT 1,
      `state` text NOT NULL DEFAULT 'open',
      FOREIGN KEY (`team_id`) REFERENCES `teams`(`id`)
    );
    INSERT INTO `projects`(`id`, `team_id`, `title`, `priority`, `lock`, `state`)
      SELECT `id`, `team_id`, `title`, `priority`, `lock`, `state` FROM `fastest_old_projects`;
    DROP TABLE `fastest_old_projects`;
    ");
}

pub fn indexes_and_checks_come_and_go(walk: &mut Walk) {
    let by_title = || index(["project_id", "title"], false);
    assert_snapshot!(walk.step("by_title", |to| to.table("tasks").indexes.push(by_title())), @"CREATE INDEX `tasks_project_id_title_idx` ON `tasks`(`project_id`, `title`);");
    let unique = index(["team_id", "email"], true);
    assert_snapshot!(walk.step("one_email", |to| to.table("members").indexes.push(unique)), @"CREATE UNIQUE INDEX `members_team_id_email_unique` ON `members`(`team_id`, `email`);");
    assert_snapshot!(walk.step("no_by_title", |to| to.table("tasks").indexes.clear()), @"DROP INDEX `tasks_project_id_title_idx`;");
    let check = |check: Option<&str>| {
        let check = check.map(str::to_owned);
        move |to: &mut Tables| to.column("tasks", "estimate").check = check
    };
    assert_snapshot!(walk.destructive("positive", check(Some("estimate >= 0"))), @r"
    -- Destructive: `tasks` is rebuilt: the check of `estimate` changes
    PRAGMA defer_foreign_keys = ON;
    CREATE TABLE `fastest_old_tasks` AS SELECT * FROM `tasks`;
    DROP TABLE `tasks`;
    CREATE TABLE `tasks`(
      `id` text PRIMARY KEY NOT NULL,
      `project_id` text NOT NULL,
      `assignee` text,
      `reviewer` text,
      `title` text NOT NULL,
      `estimate` integer CHECK (estimate >= 0),
      `colour` text NOT NULL DEFAULT 'grey',
      `at` text NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
      FOREIGN KEY (`project_id`) REFERENCES `projects`(`id`) ON DELETE RESTRICT,
      FOREIGN KEY (`assignee`) REFERENCES `members`(`id`) ON DELETE SET NULL,
      FOREIGN KEY (`reviewer`) REFERENCES `members`(`id`) ON DELETE SET NULL
    );
    INSERT INTO `tasks`(`id`, `project_id`, `assignee`, `reviewer`, `title`, `estimate`, `colour`, `at`)
      SELECT `id`, `project_id`, `assignee`, `reviewer`, `title`, `estimate`, `colour`, `at` FROM `fastest_old_tasks`;
    DROP TABLE `fastest_old_tasks`;
    ");
    assert_snapshot!(walk.destructive("any_estimate", check(None)), @r"
    -- Destructive: `tasks` is rebuilt: the check of `estimate` changes
    PRAGMA defer_foreign_keys = ON;
    CREATE TABLE `fastest_old_tasks` AS SELECT * FROM `tasks`;
    DROP TABLE `tasks`;
    CREATE TABLE `tasks`(
      `id` text PRIMARY KEY NOT NULL,
      `project_id` text NOT NULL,
      `assignee` text,
      `reviewer` text,
      `title` text NOT NULL,
      `estimate` integer,
      `colour` text NOT NULL DEFAULT 'grey',
      `at` text NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
      FOREIGN KEY (`project_id`) REFERENCES `projects`(`id`) ON DELETE RESTRICT,
      FOREIGN KEY (`assignee`) REFERENCES `members`(`id`) ON DELETE SET NULL,
      FOREIGN KEY (`reviewer`) REFERENCES `members`(`id`) ON DELETE SET NULL
    );
    INSERT INTO `tasks`(`id`, `project_id`, `assignee`, `reviewer`, `title`, `estimate`, `colour`, `at`)
      SELECT `id`, `project_id`, `assignee`, `reviewer`, `title`, `estimate`, `colour`, `at` FROM `fastest_old_tasks`;
    DROP TABLE `fastest_old_tasks`;
    ");
}

pub fn types_and_policies_change(walk: &mut Walk) {
    let estimate = |kind| move |to: &mut Tables| to.column("tasks", "estimate").kind = kind;
    assert_snapshot!(walk.destructive("words", estimate(Kind::Text)), @r"
    -- Destructive: `tasks` is rebuilt: the type of `estimate` changes
    PRAGMA defer_foreign_keys = ON;
    CREATE TABLE `fastest_old_tasks` AS SELECT * FROM `tasks`;
    DROP TABLE `tasks`;
    CREATE TABLE `tasks`(
      `id` text PRIMARY KEY NOT NULL,
      `project_id` text NOT NULL,
      `assignee` text,
      `reviewer` text,
      `title` text NOT NULL,
      `estimate` text,
      `colour` text NOT NULL DEFAULT 'grey',
      `at` text NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
      FOREIGN KEY (`project_id`) REFERENCES `projects`(`id`) ON DELETE RESTRICT,
      FOREIGN KEY (`assignee`) REFERENCES `members`(`id`) ON DELETE SET NULL,
      FOREIGN KEY (`reviewer`) REFERENCES `members`(`id`) ON DELETE SET NULL
    );
    INSERT INTO `tasks`(`id`, `project_id`, `assignee`, `reviewer`, `title`, `estimate`, `colour`, `at`)
      SELECT `id`, `project_id`, `assignee`, `reviewer`, `title`, `estimate`, `colour`, `at` FROM `fastest_old_tasks`;
    DROP TABLE `fastest_old_tasks`;
    ");
    assert_snapshot!(walk.destructive("numbers", estimate(Kind::Integer)), @r"
    -- Destructive: `tasks.estimate` goes from text to integer: fails if a value cannot be kept
    -- Destructive: `tasks` is rebuilt: the type of `estimate` changes
    PRAGMA defer_foreign_keys = ON;
    CREATE TABLE `fastest_old_tasks` AS SELECT * FROM `tasks`;
    DROP TABLE `tasks`;
    CREATE TABLE `tasks`(
      `id` text PRIMARY KEY NOT NULL,
      `project_id` text NOT NULL,
      `assignee` text,
      `reviewer` text,
      `title` text NOT NULL,
      `estimate` integer,
      `colour` text NOT NULL DEFAULT 'grey',
      `at` text NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
      FOREIGN KEY (`project_id`) REFERENCES `projects`(`id`) ON DELETE RESTRICT,
      FOREIGN KEY (`assignee`) REFERENCES `members`(`id`) ON DELETE SET NULL,
      FOREIGN KEY (`reviewer`) REFERENCES `members`(`id`) ON DELETE SET NULL
    );
    INSERT INTO `tasks`(`id`, `project_id`, `assignee`, `reviewer`, `title`, `estimate`, `colour`, `at`)
      SELECT `id`, `project_id`, `assignee`, `reviewer`, `title`, `estimate`, `colour`, `at` FROM `fastest_old_tasks`;
    SELECT json('a value of tasks.estimate would change as integer') FROM `fastest_old_tasks` WHERE `estimate` IS NOT NULL AND (CAST(CAST(`estimate` AS INTEGER) AS TEXT) IS NOT `estimate`);
    DROP TABLE `fastest_old_tasks`;
    ");
    let shared = walk.step("shared_drafts", |to| {
        let drafts = to.table("drafts");
        drafts.policy = Policy::Versioned;
        drafts.scope = Some(ScopeRecord { column: "team_id".into(), by: None });
    });
    assert_snapshot!(shared, @r"
    INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
      SELECT tbl, json_array(pk, scope), scope, version, row_number() OVER (PARTITION BY scope ORDER BY pk)
        + (SELECT max(seq) FROM fastest_changes AS c WHERE c.scope = e.scope), 2
      FROM (
        SELECT k.tbl, k.pk, k.scope, k.version, coalesce(t.`team_id`, '') AS now
        FROM fastest_changes AS k JOIN `drafts` AS t ON t.`id` = k.pk WHERE k.tbl = 'drafts'
      ) AS e
      WHERE scope IS NOT now
      ON CONFLICT(tbl, pk) DO UPDATE SET version = excluded.version, seq = excluded.seq;
    INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
      SELECT 'drafts', pk, scope, 1,
        row_number() OVER (PARTITION BY scope ORDER BY pk) + coalesce(
          (SELECT max(seq) FROM fastest_changes AS c WHERE c.scope = r.scope), 0), 0
      FROM (SELECT t.`id` AS pk, coalesce(t.`team_id`, '') AS scope FROM `drafts` AS t) AS r
      WHERE true
      ON CONFLICT(tbl, pk) DO UPDATE SET version = version + 1, seq = excluded.seq,
        scope = excluded.scope, deleted = 0;
    ");
    let by_project = walk.step("by_project", |to| {
        let scope = ScopeRecord { column: "project_id".into(), by: None };
        to.table("tasks").scope = Some(scope);
    });
    assert_snapshot!(by_project, @"UPDATE `tasks` SET `id` = `id`;");
    let by_task = walk.step("by_task", |to| {
        let [table, key, target] = ["tasks", "id", "project_id"].map(str::to_owned);
        let by = Some(ScopePath { table, key, target });
        to.table("comments").scope = Some(ScopeRecord { column: "task_id".into(), by });
    });
    assert_snapshot!(by_task, @"UPDATE `comments` SET `id` = `id`;");
    let dropped =
        walk.destructive("no_comments", |to| to.0.retain(|table| table.name != "comments"));
    assert_snapshot!(dropped, @r#"
    -- Destructive: table `comments` is dropped, with its rows
    -- fastest: {"drop_table":"comments"}
    PRAGMA defer_foreign_keys = ON;
    UPDATE fastest_changes SET version = version + 1, deleted = 1 WHERE tbl = 'comments' AND deleted = 0;
    DROP TABLE `comments`;
    "#);
}
