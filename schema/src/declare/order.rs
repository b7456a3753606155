//! The order of tables by their foreign keys.

use crate::declare::table::Table;

/// Orders tables so that each comes after those that it refers to, and keeps the given order
/// otherwise. Tables that refer to each other in a cycle also stay in the given order.
pub fn parents_first(tables: &[&'static Table]) -> Vec<&'static Table> {
    let mut ordered: Vec<&'static Table> = Vec::with_capacity(tables.len());
    let mut left = tables.to_vec();
    while !left.is_empty() {
        let waits =
            |table: &&Table| {
                table.columns.iter().filter_map(|column| column.references.as_ref()).any(|to| {
                    to.table != table.name && left.iter().any(|other| other.name == to.table)
                })
            };
        let next = left.iter().position(|table| !waits(table)).unwrap_or(0);
        ordered.push(left.remove(next));
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::fastest::TABLES;

    #[test]
    fn parents_come_first_from_any_order() {
        let backwards: Vec<_> = TABLES.iter().rev().copied().collect();
        let names: Vec<_> = parents_first(&backwards).iter().map(|table| table.name).collect();
        let at = |name| names.iter().position(|other| *other == name).unwrap();
        assert!(at("users") < at("projects"));
        assert!(at("snapshots") < at("workspaces"));
        assert!(at("workspaces") < at("drift_reports"));
        assert_eq!(names.len(), TABLES.len());
    }
}
