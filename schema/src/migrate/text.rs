//! Writes migrations as the text of a file.

use crate::declare::table::Table;
use crate::migrate::diff::migration;
use crate::migrate::plan::Plan;
use crate::record::model::Record;
use crate::sql::statements::STATEMENT_BREAKPOINT;

/// Returns the text of a migration's file. It begins with comments: the destructive steps, for
/// reviewers, and the notes for replicas.
pub(crate) fn text(plan: &Plan) -> String {
    let destructive = plan.destructive.iter().map(|what| format!("-- Destructive: {what}\n"));
    let notes = plan.notes.iter().map(|note| format!("{note}\n"));
    let head: String = destructive.chain(notes).collect();
    format!("{head}{};\n", plan.statements.join(&format!(";\n{STATEMENT_BREAKPOINT}\n")))
}

/// Returns the text of one migration that sets up an empty database with these tables. The result
/// is the same as that of all migrations together.
pub fn init_sql(tables: &[&'static Table]) -> String {
    let plan = migration(None, &Record::of("", tables)).expect("an empty database can be set up");
    text(&plan)
}
