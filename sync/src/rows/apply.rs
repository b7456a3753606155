//! Applying a page of a primary's changes to the replica.
//!
//! Nothing that was written here is lost by what the primary says: a row that waits in the outbox
//! is merged with the primary's, column by column, and where both sides changed one column the
//! primary's value stands and both versions go into the conflicts. Rows of append-only tables
//! never change and never go: from the primary they only gain what was null here.

use fastest_schema::value::list_to_wire;
use fastest_schema::{Change, Outcome, Pack, Policy, Row, Scope, Table, Value};
use rusqlite::params;

use crate::remote::pack_store::store::INLINE_BYTES_MAX;
use crate::replica::error::ReplicaError;
use crate::replica::outbox::Entry;
use crate::replica::own::Own;
use crate::replica::session::Session;
use crate::replica::values::{Values, column, values_of};
use crate::rows::deletes::Struck;
use crate::rows::history;
use crate::rows::merge::merge_row;

impl Session<'_> {
    /// Applies the changes of one page of `scope`, and moves the cursor to `seq`. `whole` names the
    /// packs in the page that are in the store.
    pub(crate) fn apply_page(
        &self,
        scope: &str,
        changes: &[Change],
        seq: i64,
        whole: &[String],
    ) -> Result<(), ReplicaError> {
        let holds_any = self.holds_any()?;
        for change in changes {
            self.apply(scope, change, whole, holds_any)?;
        }
        self.run(
            "INSERT INTO fastest_local_cursor(scope, seq) VALUES (?1, ?2)
             ON CONFLICT(scope) DO UPDATE SET seq = excluded.seq",
            params![scope, seq],
        )?;
        Ok(())
    }

    fn apply(
        &self,
        scope: &str,
        change: &Change,
        whole: &[String],
        holds_any: bool,
    ) -> Result<(), ReplicaError> {
        let Change { table, key, version, seq, outcome } = change;
        if *version < self.known_version(table, key)? {
            // Read before a push of ours that another process has recorded meanwhile.
            return Ok(());
        }
        // That it left a scope ends nothing where it is held under another.
        let is_here = match outcome {
            Outcome::Left { scope } => self.known_scope(table, key)?.as_deref() == Some(scope),
            Outcome::Deleted => self.is_known_under(scope, table, key)?,
            Outcome::Row(_) | Outcome::Held { .. } => true,
        };
        if holds_any && is_here {
            self.release(table, key)?;
        }
        match outcome {
            Outcome::Row(theirs) if self.own(table) == Some(Own::Pack) => {
                self.put_known(scope, (table, key), *version, Some(*seq), false)?;
                self.apply_pack(table, theirs, whole)
            }
            Outcome::Row(theirs) => {
                self.apply_row(scope, table, key, *version, theirs)?;
                self.put_known(scope, (table, key), *version, Some(*seq), false)
            }
            Outcome::Held { column, why } => {
                self.hold(scope, (table, key), *version, (column, why))?;
                self.put_known(scope, (table, key), *version, Some(*seq), false)
            }
            // It may be held by now under the scope that it went to.
            Outcome::Deleted if !self.is_known_under(scope, table, key)? => Ok(()),
            Outcome::Deleted => {
                match self.own(table) {
                    // Without them, snapshots that this device holds could neither be used nor
                    // pushed anywhere.
                    Some(Own::Project | Own::Snapshot | Own::Pack) => {
                        self.bring_back(scope, table, key, *version)?;
                    }
                    _ => {
                        let values = self.values(table, key)?;
                        self.apply_delete(table, key)?;
                        self.follow_other_device(table, values)?;
                    }
                }
                self.put_known(scope, (table, key), *version, Some(*seq), true)
            }
            Outcome::Left { scope: left } if left == scope => {
                match self.known_scope(table, key)?.as_deref() == Some(scope) {
                    true => self.apply_delete(table, key),
                    false => Ok(()),
                }
            }
            Outcome::Left { .. } => Ok(()),
        }
    }

    /// The scope under which a row is known.
    pub(crate) fn known_scope(
        &self,
        table: &Table,
        key: &str,
    ) -> Result<Option<String>, ReplicaError> {
        let sql = "SELECT scope FROM fastest_changes WHERE tbl = ?1 AND pk = ?2";
        self.get(sql, params![table.name, key])
    }

    /// Whether a row is known under this scope, or under none.
    fn is_known_under(&self, scope: &str, table: &Table, key: &str) -> Result<bool, ReplicaError> {
        Ok(self.known_scope(table, key)?.is_none_or(|known| known == scope))
    }

    fn apply_row(
        &self,
        scope: &str,
        table: &'static Table,
        key: &str,
        version: i64,
        theirs: &[Value],
    ) -> Result<(), ReplicaError> {
        let theirs = theirs.to_vec();
        if table.policy == Policy::AppendOnly {
            let row = match self.values(table, key)? {
                Some(ours) => fill_nulls(&ours, &theirs),
                None => theirs,
            };
            self.drop_entry(table, key)?;
            return self.put_values(table, &row);
        }
        let Some(entry) = self.entry(table, key)? else { return self.put_values(table, &theirs) };
        if version <= entry.base_version {
            // Our own push, coming back: the entry is newer.
            return Ok(());
        }
        // An application's row may have been moved to another one here.
        let waits_in = match self.schema.is_fastest() {
            true => scope.to_owned(),
            false => entry.scope.clone(),
        };
        let entry = Entry { scope: waits_in, ..entry };
        let Some(ours) = &entry.row else {
            return self.apply_over_delete(entry, version, theirs);
        };
        let own = self.own(table);
        let mut merged = merge_row(table, own, entry.base.as_ref(), ours, &theirs);
        self.take_head_that_follows(&entry.scope, table, &mut merged.values, &theirs)?;
        if !merged.conflicts.is_empty() {
            self.keep_conflict(&entry, Some(&theirs), &merged.conflicts)?;
        }
        self.put_values(table, &merged.values)?;
        match merged.values == theirs {
            true => self.drop_entry(table, key),
            false => {
                let (base, row) = (Some(theirs), Some(merged.values));
                self.put_entry(&Entry { base_version: version, base, row, ..entry })
            }
        }
    }

    /// Other scopes in which rows that wait in this one are known: they were moved here, and what
    /// others did to them since is found there.
    pub(crate) fn scopes_left(&self, scope: &str) -> Result<Vec<String>, ReplicaError> {
        let sql = "SELECT DISTINCT known.scope FROM fastest_local_outbox AS waiting
                   JOIN fastest_changes AS known ON known.tbl = waiting.tbl AND known.pk = waiting.pk
                   WHERE waiting.scope = ?1 AND known.scope <> ?1";
        self.all(sql, [scope], |row| row.get(0))
    }

    /// A row that was deleted here was written there since. It stays deleted where it came to the
    /// same; otherwise the primary's row stands, and that it was deleted is kept.
    fn apply_over_delete(
        &self,
        entry: Entry,
        version: i64,
        theirs: Values,
    ) -> Result<(), ReplicaError> {
        let table = entry.table;
        let same = entry.base.as_ref().is_some_and(|base| {
            let columns = table.columns.iter().zip(base.iter().zip(&theirs));
            columns
                .into_iter()
                .all(|(column, (base, theirs))| column.lock_version || base == theirs)
        });
        if same {
            let base = Some(theirs);
            return self.put_entry(&Entry { base_version: version, base, ..entry });
        }
        self.yield_to_primary(&entry, &theirs)
    }

    /// Takes in a pack's row, or that of one of its parts. A pack's bytes are in the object store:
    /// here it has one row, without them, once it is whole. The entry that sends it goes when the
    /// primary has every part.
    fn apply_pack(
        &self,
        table: &'static Table,
        theirs: &[Value],
        whole: &[String],
    ) -> Result<(), ReplicaError> {
        let Ok(pack) = Pack::from_values(theirs.to_vec()) else { return Ok(()) };
        let stem = format!("{}/{}/", pack.project_id, pack.pack_id);
        let first = format!("{stem}0");
        if whole.contains(&pack.pack_id) {
            let row = match self.row::<Pack>(&first)? {
                // Made here as one: on the primary it has parts.
                Some(ours) => Pack { parts: ours.parts.max(pack.parts), ..ours },
                None => Pack { id: first.clone(), part: 0, data: None, ..pack.clone() },
            };
            self.put_values(table, &values_of(&row))?;
        }
        if self.known_parts(&stem)? >= pack.parts {
            self.drop_entry(table, &first)?;
        }
        Ok(())
    }

    /// How many parts of a pack the primary is known to have; `stem` is the keys' beginning.
    fn known_parts(&self, stem: &str) -> Result<i64, ReplicaError> {
        let sql = "SELECT count(*) FROM fastest_changes
                   WHERE tbl = ?1 AND pk >= ?2 AND pk < ?3 AND deleted = 0";
        // What follows a slash.
        let end = format!("{}0", stem.trim_end_matches('/'));
        Ok(self.get(sql, params![Pack::TABLE.name, stem, end])?.unwrap_or(0))
    }

    /// A merge keeps our head of a workspace, for a merge of trees to bring theirs in. Where theirs
    /// follows ours there is nothing to merge: ours waits only because the primary is new to us.
    fn take_head_that_follows(
        &self,
        scope: &str,
        table: &'static Table,
        merged: &mut Values,
        theirs: &[Value],
    ) -> Result<(), ReplicaError> {
        const HEAD: &str = "current_snapshot_id";
        if self.own(table) != Some(Own::Workspace) {
            return Ok(());
        }
        let (Some(ours), Some(their)) = (column(table, merged, HEAD), column(table, theirs, HEAD))
        else {
            return Ok(());
        };
        if ours != their && history::follows(&self.parents(scope)?, &their, &ours) {
            for (at, column) in table.columns.iter().enumerate() {
                if matches!(column.name, HEAD | "current_manifest_hash") {
                    merged[at] = theirs[at].clone();
                }
            }
        }
        Ok(())
    }

    /// Work is not given up because a row is gone on the primary: what all else hangs on goes out
    /// again with the next push.
    fn bring_back(
        &self,
        scope: &str,
        table: &'static Table,
        key: &str,
        version: i64,
    ) -> Result<(), ReplicaError> {
        let Some(row) = self.values(table, key)? else { return Ok(()) };
        let entry = Entry { base_version: version, ..Entry::unknown(scope, table, key, row) };
        self.put_entry(&entry)
    }

    fn apply_delete(&self, table: &'static Table, key: &str) -> Result<(), ReplicaError> {
        if table.policy == Policy::AppendOnly {
            return Ok(());
        }
        if let Some(entry) = self.entry(table, key)? {
            // Deleted on both sides, there is nothing to choose.
            match entry.row {
                Some(_) => self.keep_conflict(&entry, None, &[])?,
                None => self.follow_delete(&entry)?,
            }
            self.drop_entry(table, key)?;
        }
        self.delete(table, key)
    }

    /// Does to an application's rows of append-only tables what the primary did to them as the row that
    /// they refer to was deleted by another device.
    fn follow_other_device(
        &self,
        table: &Table,
        values: Option<Values>,
    ) -> Result<(), ReplicaError> {
        match values {
            Some(values) if !self.schema.is_fastest() && table.policy == Policy::Versioned => {
                self.strike_append_only(table, &values, Struck::Taken)
            }
            _ => Ok(()),
        }
    }

    /// Keeps both versions of a row, null for one that was deleted; the primary's stands.
    pub(crate) fn keep_conflict(
        &self,
        entry: &Entry,
        theirs: Option<&Values>,
        columns: &[&str],
    ) -> Result<(), ReplicaError> {
        let text = |values: &Values| list_to_wire(values);
        self.run(
            "INSERT INTO fastest_local_conflict(id, scope, tbl, pk, columns, base, ours, theirs, at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            params![
                crate::base::clock::new_id(),
                entry.scope,
                entry.table.name,
                entry.key,
                columns.join(","),
                entry.base.as_ref().map(text),
                entry.row.as_ref().map_or_else(|| "null".to_owned(), text),
                theirs.map(text),
                crate::base::clock::now(),
            ],
        )?;
        Ok(())
    }

    /// Forgets what a primary was known to hold, which it was found to lack. What was published is
    /// sent again with the next command, in whatever project.
    pub(crate) fn forget_and_queue(&self) -> Result<(), ReplicaError> {
        if self.schema.is_fastest() {
            let published = "SELECT DISTINCT scope FROM fastest_changes
                             WHERE scope IN (SELECT id FROM projects) ORDER BY scope";
            for scope in self.all(published, [], |row| row.get::<_, String>(0))? {
                self.queue(&scope)?;
            }
        }
        self.queue_known()?;
        self.forget_primary()
    }

    /// Queues the rows of versioned tables that the primary was known to hold. They have no base:
    /// nobody can tell what was lost from what others wrote since, so where they differ from the
    /// primary's, both are kept.
    fn queue_known(&self) -> Result<(), ReplicaError> {
        let known = "SELECT pk, scope FROM fastest_changes WHERE tbl = ?1 AND deleted = 0";
        for table in self.schema.synced().filter(|table| table.policy == Policy::Versioned) {
            let rows = self.all(known, [table.name], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
            })?;
            for (key, scope) in rows {
                if let Some(row) = self.values(table, &key)? {
                    // It stays a part of the transaction that waits.
                    let joined = self.entry(table, &key)?.and_then(|entry| entry.joined);
                    let entry = Entry { joined, ..Entry::unknown(&scope, table, &key, row) };
                    self.put_entry(&entry)?;
                }
            }
        }
        Ok(())
    }

    /// Forgets what the primary was known to hold. Each scope is read anew before it is pushed.
    pub(crate) fn forget_primary(&self) -> Result<(), ReplicaError> {
        let scopes = self.scopes()?;
        self.run("DELETE FROM fastest_changes", [])?;
        self.run("DELETE FROM fastest_local_cursor", [])?;
        self.run("DELETE FROM fastest_local_held", [])?;
        self.run("DELETE FROM fastest_local_refused", [])?;
        self.run("DELETE FROM fastest_local_reading", [])?;
        for scope in scopes {
            self.begin_reading(&scope)?;
        }
        self.run("DELETE FROM fastest_local_part", [])?;
        self.run("DELETE FROM fastest_local_sent", [])?;
        // Bases refer to lock versions that are void now.
        self.run("UPDATE fastest_local_outbox SET base_version = 0", [])?;
        self.run("UPDATE fastest_local_remote SET epoch = NULL, last_push_id = NULL", [])?;
        Ok(())
    }

    /// The scopes that the replica holds: projects, and an application's whatever they are.
    pub(crate) fn scopes(&self) -> Result<Vec<String>, ReplicaError> {
        let sql = match self.schema.is_fastest() {
            true => "SELECT id FROM projects",
            false => {
                "SELECT scope FROM fastest_changes WHERE deleted < 2 UNION
                 SELECT scope FROM fastest_local_cursor UNION
                 SELECT scope FROM fastest_local_reading UNION
                 SELECT scope FROM fastest_local_outbox ORDER BY scope"
            }
        };
        self.all(sql, [], |row| row.get(0))
    }

    /// Notes that a scope is read from its beginning, so that [`Session::end_reading`] is not
    /// forgotten should the process die before the last page.
    pub(crate) fn begin_reading(&self, scope: &str) -> Result<(), ReplicaError> {
        let sql = "INSERT OR IGNORE INTO fastest_local_reading(scope) VALUES (?1)";
        self.run(sql, [scope]).map(drop)
    }

    /// Whether a scope is being read from its beginning.
    pub(crate) fn is_reading(&self, scope: &str) -> Result<bool, ReplicaError> {
        let sql = "SELECT 1 FROM fastest_local_reading WHERE scope = ?1";
        Ok(self.get::<i64>(sql, [scope])?.is_some())
    }

    /// Queues what the primary was found to lack, where a scope was read from its beginning.
    pub(crate) fn end_reading(&self, scope: &str) -> Result<(), ReplicaError> {
        let sql = "DELETE FROM fastest_local_reading WHERE scope = ?1";
        if self.run(sql, [scope])? > 0 {
            self.queue_unknown(scope)?;
        }
        Ok(())
    }

    /// Queues every pack that does not travel inline, for a place of packs that is new.
    pub(crate) fn queue_packs(&self) -> Result<(), ReplicaError> {
        let inline = INLINE_BYTES_MAX.to_string();
        for pack in self.rows::<Pack>("WHERE bytes > CAST(?1 AS INTEGER)", &inline)? {
            let values = values_of(&pack);
            self.put_entry(&Entry::unknown(&pack.project_id, Pack::TABLE, &pack.id, values))?;
        }
        Ok(())
    }

    /// Queues every row of every project, for a primary that is new.
    pub(crate) fn queue_everything(&self) -> Result<(), ReplicaError> {
        for scope in self.scopes()? {
            self.queue_unknown(&scope)?;
        }
        Ok(())
    }

    /// Queues every row of `scope` that the primary, as just read in full, does not have.
    pub(crate) fn queue_unknown(&self, scope: &str) -> Result<u64, ReplicaError> {
        let mut queued = 0;
        for table in self.schema.synced() {
            let sql = format!(
                "SELECT `{pk}` FROM `{name}` AS t WHERE {scope} = ?1 AND {unknown}",
                pk = table.pk,
                name = table.name,
                scope = scope_sql(table),
                unknown = unknown_sql(table, self.own(table))
            );
            for key in self.all(&sql, [scope], |row| row.get::<_, String>(0))? {
                if self.entry(table, &key)?.is_none()
                    && let Some(values) = self.values(table, &key)?
                {
                    self.put_entry(&Entry::unknown(scope, table, &key, values))?;
                    queued += 1;
                }
            }
        }
        Ok(queued)
    }
}

/// Whether the primary is not known to have a row `t` of the replica, or all of it, in SQL.
fn unknown_sql(table: &Table, own: Option<Own>) -> String {
    let (name, pk) = (table.name, table.pk);
    let known = format!("FROM fastest_changes WHERE tbl = '{name}'");
    match own {
        // The rows of its parts, whose keys end with their numbers.
        Some(Own::Pack) => format!(
            "(SELECT count(*) {known} AND pk >= substr(t.id, 1, length(t.id) - 1)
              AND pk < substr(t.id, 1, length(t.id) - 2) || '0') < t.parts"
        ),
        _ => format!("NOT EXISTS (SELECT 1 {known} AND pk = t.`{pk}`)"),
    }
}

/// The scope of a row `t` of the replica, in SQL.
fn scope_sql(table: &Table) -> String {
    match table.scope {
        Some(Scope::Column(column)) => format!("t.`{column}`"),
        Some(Scope::Path { column, table, key, target }) => {
            format!("(SELECT p.`{target}` FROM `{table}` AS p WHERE p.`{key}` = t.`{column}`)")
        }
        None => "NULL".to_owned(),
    }
}

fn fill_nulls(ours: &[Value], theirs: &[Value]) -> Values {
    ours.iter().zip(theirs).map(|(o, t)| if o.is_null() { t.clone() } else { o.clone() }).collect()
}
