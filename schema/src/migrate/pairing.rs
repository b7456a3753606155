//! Pairs the tables of two schemas.

use crate::migrate::change::{TableChange, renames};
use crate::record::model::{Record, TableRecord};

/// Which tables are new, which are kept, and which are dropped.
pub struct Pairing<'a> {
    pub new: Vec<&'a TableRecord>,
    pub kept: Vec<TableChange<'a>>,
    pub dropped: Vec<&'a TableRecord>,
}

impl<'a> Pairing<'a> {
    pub fn new(from: &'a Record, to: &'a Record) -> Pairing<'a> {
        let before = |table: &TableRecord| {
            let renamed = table.renamed_from.as_deref();
            let renamed = renamed.filter(|name| to.table(name).is_none());
            from.table(&table.name).or_else(|| from.table(renamed?))
        };
        let names: Vec<(&str, &str)> = to
            .tables
            .iter()
            .filter_map(|table| Some((before(table)?.name.as_str(), table.name.as_str())))
            .collect();
        let columns: Vec<_> = to
            .tables
            .iter()
            .filter_map(|table| Some((table.name.as_str(), renames(before(table)?, table))))
            .collect();
        let mut pairing = Pairing { new: Vec::new(), kept: Vec::new(), dropped: Vec::new() };
        for table in &to.tables {
            match before(table) {
                Some(before) => {
                    pairing.kept.push(TableChange::new(before, table, &names, &columns))
                }
                None => pairing.new.push(table),
            }
        }
        let is_kept = |table: &&TableRecord| names.iter().any(|(old, _)| *old == table.name);
        pairing.dropped = from.tables.iter().filter(|table| !is_kept(table)).collect();
        pairing
    }

    /// Returns the old and new names of kept tables that change by more than added columns and indexes,
    /// and the names of dropped tables.
    pub fn altered(&self) -> Vec<&'a str> {
        let kept = self.kept.iter().filter(|change| change.is_altered());
        let kept = kept.flat_map(|change| [change.from.name.as_str(), change.to.name.as_str()]);
        kept.chain(self.dropped.iter().map(|table| table.name.as_str())).collect()
    }
}
