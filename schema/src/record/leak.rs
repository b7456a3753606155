//! Makes declarations from records, for a schema that is known only at run time: an adopted one, or
//! one that a test generates. They are leaked, because declarations are `'static`.

use crate::declare::ddl::NOW;
use crate::declare::table::{Column, Default, Index, Reference, Scope, Table, UniqueRule};
use crate::record::model::{
    ColumnRecord, IndexRecord, ReferenceRecord, ScopeRecord, TableRecord, UniqueRecord,
};

impl TableRecord {
    /// Returns the table as a declaration, whose memory is leaked. Records have no reason,
    /// deprecation or sizes, so these are empty.
    pub fn leak(&self) -> &'static Table {
        let columns: Vec<Column> = self.columns.iter().map(ColumnRecord::declared).collect();
        let indexes: Vec<Index> = self.indexes.iter().map(IndexRecord::declared).collect();
        let rules: Vec<UniqueRule> = self.unique_rules.iter().map(UniqueRecord::declared).collect();
        Box::leak(Box::new(Table {
            name: text(&self.name),
            pk: text(&self.pk),
            columns: columns.leak(),
            indexes: indexes.leak(),
            unique_rules: rules.leak(),
            policy: self.policy,
            reason: "",
            scope: self.scope.as_ref().map(ScopeRecord::declared),
            deprecated: None,
            renamed_from: self.renamed_from.as_deref().map(text),
            external: self.external,
            replaces: self.replaces,
        }))
    }
}

fn text(text: &str) -> &'static str {
    text.to_owned().leak()
}

impl ColumnRecord {
    pub(crate) fn declared(&self) -> Column {
        Column {
            name: text(&self.name),
            kind: self.kind,
            null: self.null,
            default: self.default.as_deref().map(default),
            unique: self.unique,
            lock_version: self.lock_version,
            watched: self.watched,
            references: self.references.as_ref().map(ReferenceRecord::declared),
            size: None,
            check: self.check.as_deref().map(text),
            renamed_from: self.renamed_from.as_deref().map(text),
        }
    }
}

/// Parses a default. Literals are recognised, so that the same SQL is generated from the result.
fn default(sql: &str) -> Default {
    let quoted = sql.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
    let quoted = quoted.filter(|text| !text.replace("''", "").contains('\''));
    if sql == NOW {
        Default::Now
    } else if let Ok(integer) = sql.parse() {
        Default::Integer(integer)
    } else if let Ok(real) = sql.parse() {
        Default::Real(real)
    } else if let Some(text) = quoted {
        Default::Text(text.replace("''", "'").leak())
    } else {
        let inner = sql.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
        Default::Sql(text(inner.unwrap_or(sql)))
    }
}

impl ReferenceRecord {
    fn declared(&self) -> Reference {
        let (table, column) = (text(&self.table), text(&self.column));
        Reference { table, column, on_delete: self.on_delete }
    }
}

impl IndexRecord {
    fn declared(&self) -> Index {
        let columns: Vec<&'static str> = self.columns.iter().map(|column| text(column)).collect();
        Index { columns: columns.leak(), unique: self.unique }
    }
}

impl UniqueRecord {
    fn declared(&self) -> UniqueRule {
        let terms: Vec<&'static str> = self.terms.iter().map(|term| text(term)).collect();
        UniqueRule { terms: terms.leak(), filter: self.filter.as_deref().map(text) }
    }
}

impl ScopeRecord {
    fn declared(&self) -> Scope {
        let column = text(&self.column);
        match &self.by {
            None => Scope::Column(column),
            Some(by) => {
                let [table, key, target] = [&by.table, &by.key, &by.target].map(|name| text(name));
                Scope::Path { column, table, key, target }
            }
        }
    }
}
