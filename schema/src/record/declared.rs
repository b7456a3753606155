//! Makes records from declarations.

use crate::declare::ddl::default_sql;
use crate::declare::order::parents_first;
use crate::declare::table::{Column, Index, Policy, Reference, Scope, Table, UniqueRule};
use crate::record::model::{
    ColumnRecord, ENGINE_VERSION, IndexRecord, Object, ObjectKind, RECORD_VERSION, Record,
    ReferenceRecord, ScopePath, ScopeRecord, TableRecord, UniqueRecord,
};
use crate::wire::push::push_ddl;
use crate::wire::row_view::row_ddl;
use crate::wire::triggers::trigger_ddl;

impl Record {
    /// Records these declarations, with the triggers and views that belong to them.
    pub fn of(owner: &str, tables: &[&'static Table]) -> Record {
        let tables = parents_first(tables);
        let triggers = tables.iter().flat_map(|table| trigger_ddl(table));
        let synced = tables.iter().filter(|table| table.policy != Policy::Private);
        let views = synced.map(|table| row_ddl(table));
        let objects = triggers.chain(views).chain(push_ddl(&tables)).map(Object::new);
        Record {
            version: RECORD_VERSION,
            engine: ENGINE_VERSION,
            owner: owner.to_owned(),
            objects: objects.collect(),
            tables: tables.into_iter().map(TableRecord::from).collect(),
        }
    }
}

impl Object {
    /// Records one of the engine's own `CREATE TRIGGER` or `CREATE VIEW` statements.
    fn new(sql: String) -> Object {
        let mut words = sql.split_whitespace().skip(1);
        let kind = match words.next() {
            Some("VIEW") => ObjectKind::View,
            _ => ObjectKind::Trigger,
        };
        let name = words.next().unwrap_or_default().trim_matches('`').to_owned();
        Object { kind, name, sql }
    }
}

impl From<&'static Table> for TableRecord {
    fn from(table: &'static Table) -> TableRecord {
        let index = |index: &Index| IndexRecord {
            columns: index.columns.iter().map(|column| (*column).to_owned()).collect(),
            unique: index.unique,
        };
        let rule = |rule: &UniqueRule| UniqueRecord {
            terms: rule.terms.iter().map(|term| (*term).to_owned()).collect(),
            filter: rule.filter.map(str::to_owned),
        };
        TableRecord {
            name: table.name.to_owned(),
            pk: table.pk.to_owned(),
            columns: table.columns.iter().map(ColumnRecord::from).collect(),
            indexes: table.indexes.iter().map(index).collect(),
            unique_rules: table.unique_rules.iter().map(rule).collect(),
            policy: table.policy,
            scope: table.scope.map(ScopeRecord::from),
            external: table.external,
            replaces: table.replaces,
            renamed_from: table.renamed_from.map(str::to_owned),
        }
    }
}

impl From<&Column> for ColumnRecord {
    fn from(column: &Column) -> ColumnRecord {
        let references = |to: &Reference| ReferenceRecord {
            table: to.table.to_owned(),
            column: to.column.to_owned(),
            on_delete: to.on_delete,
        };
        ColumnRecord {
            name: column.name.to_owned(),
            kind: column.kind,
            null: column.null,
            default: column.default.map(default_sql),
            check: column.check.map(str::to_owned),
            unique: column.unique,
            lock_version: column.lock_version,
            watched: column.watched,
            references: column.references.as_ref().map(references),
            renamed_from: column.renamed_from.map(str::to_owned),
        }
    }
}

impl From<Scope> for ScopeRecord {
    fn from(scope: Scope) -> ScopeRecord {
        match scope {
            Scope::Column(column) => ScopeRecord { column: column.to_owned(), by: None },
            Scope::Path { column, table, key, target } => {
                let [table, key, target] = [table, key, target].map(str::to_owned);
                let by = Some(ScopePath { table, key, target });
                ScopeRecord { column: column.to_owned(), by }
            }
        }
    }
}
