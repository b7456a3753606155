//! Merges rows three ways, column by column.

use fastest_schema::{Table, Value};

use crate::replica::engine_table::EngineTable;
use crate::replica::values::Values;

/// A merged row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct MergedRow {
    /// The merged columns. If both sides changed one, it has the primary's value, unless `settled`
    /// says otherwise.
    pub(crate) values: Values,
    /// Columns that both sides changed, to different values.
    pub(crate) conflicts: Vec<&'static str>,
}

/// Returns the side whose value is kept without a conflict; `None` if there is a conflict. Some
/// columns only record the last activity. Others are decided by a merge of trees, which needs our
/// value.
fn settled(own: Option<EngineTable>, column: &str) -> Option<Side> {
    match (own?, column) {
        (
            EngineTable::Workspace,
            "current_snapshot_id" | "current_manifest_hash" | "local_path",
        )
        | (EngineTable::Workspace, "last_seen_at" | "machine_id" | "merge_history") => {
            Some(Side::Ours)
        }
        (EngineTable::Project, "updated_at" | "last_snapshot_id") => Some(Side::Theirs),
        _ => None,
    }
}

#[derive(Clone, Copy)]
enum Side {
    Ours,
    Theirs,
}

/// Merges a row that changed here and on the primary since `base`.
pub(crate) fn merge_row(
    table: &'static Table,
    own: Option<EngineTable>,
    base: Option<&Values>,
    ours: &[Value],
    theirs: &[Value],
) -> MergedRow {
    let mut merged = MergedRow { values: Vec::with_capacity(ours.len()), conflicts: Vec::new() };
    for (at, column) in table.columns.iter().enumerate() {
        let (ours, theirs) = (&ours[at], &theirs[at]);
        let base = base.map(|base| &base[at]);
        let kept = if column.lock_version || ours == theirs || base == Some(ours) {
            theirs
        } else if base == Some(theirs) {
            ours
        } else {
            match settled(own, column.name) {
                Some(Side::Ours) => ours,
                Some(Side::Theirs) => theirs,
                None => {
                    merged.conflicts.push(column.name);
                    theirs
                }
            }
        };
        merged.values.push(kept.clone());
    }
    merged
}

#[cfg(test)]
mod tests {
    use fastest_schema::Row;
    use fastest_schema::tables::projects::Project;

    use super::*;

    /// Merges rows of `projects`, each given by its name, last snapshot and main workspace.
    fn check(base: [&str; 3], ours: [&str; 3], theirs: [&str; 3], expect: [&str; 3], bad: &[&str]) {
        let row = |[name, last, main]: [&str; 3]| -> Values {
            let value = |column: &str| match column {
                "name" => name.into(),
                "last_snapshot_id" => last.into(),
                "main_workspace_id" => main.into(),
                _ => Value::from("same"),
            };
            Project::TABLE.columns.iter().map(|column| value(column.name)).collect()
        };
        let own = Some(EngineTable::Project);
        let merged = merge_row(Project::TABLE, own, Some(&row(base)), &row(ours), &row(theirs));
        assert_eq!(merged.values, row(expect));
        assert_eq!(merged.conflicts, bad);
    }

    #[test]
    fn columns_merge_each_for_itself() {
        check(["a", "1", "m"], ["b", "1", "m"], ["a", "1", "n"], ["b", "1", "n"], &[]);
        check(["a", "1", "m"], ["b", "1", "m"], ["b", "1", "m"], ["b", "1", "m"], &[]);
        check(["a", "1", "m"], ["b", "1", "m"], ["c", "1", "m"], ["c", "1", "m"], &["name"]);
        check(["a", "1", "m"], ["a", "2", "m"], ["a", "3", "m"], ["a", "3", "m"], &[]);
    }

    #[test]
    fn nothing_is_settled_in_a_table_of_an_application() {
        let row = |last: &str| -> Values {
            let value = |column: &str| match column {
                "last_snapshot_id" => last.into(),
                _ => Value::from("same"),
            };
            Project::TABLE.columns.iter().map(|column| value(column.name)).collect()
        };
        let merged = merge_row(Project::TABLE, None, Some(&row("1")), &row("2"), &row("3"));
        assert_eq!((merged.values, merged.conflicts), (row("3"), vec!["last_snapshot_id"]));
    }
}
