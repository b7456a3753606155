//! How many generations of rows a delete cascades to on the primary.
//!
//! A device deletes rows of versioned tables one by one, children first, so such tables may refer
//! to each other to any depth. It cannot delete rows of append-only and private tables: the primary
//! deletes those by their foreign keys, and each generation needs a level of nested triggers. D1
//! allows ten levels; a push takes two, and the trigger that records the last row takes one.

use crate::declare::table::{OnDelete, Policy, Table};

/// The maximum number of generations that may cascade from a row that a push deletes.
pub const GENERATIONS_MAX: usize = 7;

/// How many generations a delete can cascade to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Generations {
    /// At most this many. The last one is in this table.
    Most(usize, &'static str),
    /// Any number: a table refers to itself, directly or through others, so the rows decide.
    Endless,
}

/// Returns how many generations the primary alone deletes or changes after a row of `table`.
pub fn generations(tables: &[&'static Table], table: &'static Table) -> Generations {
    let (mut at, mut last) = (vec![table], table.name);
    // If there are more generations than tables, one table occurs twice.
    for depth in 0..=tables.len() {
        let mut deleted: Vec<&'static Table> = Vec::new();
        let mut cleared = None;
        for parent in at {
            for child in tables.iter().copied().filter(|child| cascades_on_primary(parent, child)) {
                let keys = child.columns.iter().filter_map(|column| column.references.as_ref());
                for key in keys.filter(|key| key.table == parent.name) {
                    match key.on_delete {
                        OnDelete::Cascade if !deleted.contains(&child) => deleted.push(child),
                        OnDelete::SetNull => cleared = Some(child.name),
                        _ => {}
                    }
                }
            }
        }
        match (deleted.first(), cleared) {
            (None, None) => return Generations::Most(depth, last),
            (None, Some(cleared)) => return Generations::Most(depth + 1, cleared),
            (Some(first), _) => last = first.name,
        }
        at = deleted;
    }
    Generations::Endless
}

/// Whether the primary alone applies `ON DELETE` to rows of `child` when their row of `parent` is
/// deleted. It does, unless both tables are versioned: then devices delete the rows of both.
pub fn cascades_on_primary(parent: &Table, child: &Table) -> bool {
    parent.policy != Policy::Versioned || child.policy != Policy::Versioned
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::declarations::check;
    use crate::declare::attribute::table;
    use crate::declare::table::{Column, Reference, Row};

    #[table(name = "roots", policy = versioned("a test"), scope = team)]
    struct Root {
        #[pk]
        id: String,
        team: String,
    }

    /// A table that refers to others.
    fn child(
        name: &'static str,
        policy: Policy,
        on: &[(&'static str, OnDelete)],
    ) -> &'static Table {
        let [id, team] = Root::TABLE.columns else { panic!("it has two columns") };
        let mut columns =
            vec![Column { references: None, ..*id }, Column { references: None, ..*team }];
        columns.extend(on.iter().map(|(table, on_delete)| Column {
            name: table,
            null: true,
            references: Some(Reference { table, column: "id", on_delete: *on_delete }),
            ..*team
        }));
        Box::leak(Box::new(Table { name, policy, columns: columns.leak(), ..*Root::TABLE }))
    }

    const NAMES: [&str; 9] = ["a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8", "a9"];

    /// A chain of tables, each of which refers to the one before it, and the first one to `roots`.
    fn line(policy: Policy, length: usize) -> Vec<&'static Table> {
        let above = ["roots"].into_iter().chain(NAMES);
        let line = NAMES.into_iter().zip(above).take(length);
        let line = line.map(|(name, above)| child(name, policy, &[(above, OnDelete::Cascade)]));
        [Root::TABLE].into_iter().chain(line).collect()
    }

    #[test]
    fn what_devices_cannot_delete_goes_in_so_many_generations() {
        let of = |tables: &[&'static Table]| generations(tables, Root::TABLE);
        assert_eq!(of(&[Root::TABLE]), Generations::Most(0, "roots"));
        assert_eq!(of(&line(Policy::AppendOnly, 9)), Generations::Most(9, "a9"));
        assert_eq!(of(&line(Policy::Versioned, 9)), Generations::Most(0, "roots"));
        let mut mixed = line(Policy::AppendOnly, 2);
        mixed.push(child("notes", Policy::Versioned, &[("a2", OnDelete::SetNull)]));
        mixed.push(child("under", Policy::AppendOnly, &[("notes", OnDelete::Cascade)]));
        assert_eq!(of(&mixed), Generations::Most(3, "notes"), "a row that stays takes none along");
        let both = [("roots", OnDelete::Cascade), ("tree", OnDelete::Cascade)];
        let tree = child("tree", Policy::AppendOnly, &both);
        assert_eq!(of(&[Root::TABLE, tree]), Generations::Endless);
        let tree = child("tree", Policy::Versioned, &both);
        assert_eq!(of(&[Root::TABLE, tree]), Generations::Most(0, "roots"));
    }

    #[test]
    fn a_line_that_is_too_long_is_refused() {
        assert_eq!(check(&line(Policy::AppendOnly, 7)), Ok(()));
        assert_eq!(check(&line(Policy::Versioned, 9)), Ok(()));
        let error = check(&line(Policy::AppendOnly, 8)).unwrap_err().to_string();
        let expect = "deleting a row of `roots` takes along rows of `a8` in generation 8";
        assert!(error.starts_with(expect) && error.contains("D1 takes 7"), "{error}");
    }
}
