//! Writes records as Rust source. The application uses it as its declarations from then on.

use std::collections::BTreeSet;
use std::fmt::Write;

use crate::declare::table::{Column, Default, OnDelete, Policy};
use crate::record::model::{ColumnRecord, ReferenceRecord, ScopeRecord, TableRecord};
use crate::value::kind::Kind;

/// Returns the declarations of adopted tables: a complete, formatted module that depends only on
/// this crate.
pub fn declarations(tables: &[TableRecord]) -> String {
    let mut source =
        "//! Tables that are synced, adopted from a database that another tool makes.\n".to_owned();
    let mut names = tables.iter().flat_map(|table| table.columns.iter().map(|column| &column.name));
    if names.any(|name| name.chars().any(|c| c.is_ascii_uppercase())) {
        source.push_str("#![allow(non_snake_case)]\n");
    }
    source.push_str("\nuse fastest_schema::table;\n");
    let mut taken: BTreeSet<String> = TAKEN.iter().map(|name| (*name).to_owned()).collect();
    for table in tables {
        let name = struct_name(&table.name, &taken);
        taken.extend([format!("New{name}"), name.clone()]);
        source.push_str(&declaration(table, &name));
    }
    source
}

/// rustfmt breaks a line with an attribute if it has this many characters or more.
const LINE_MAX: usize = 100;

/// Type names that the generated code uses.
const TAKEN: [&str; 2] = ["Option", "String"];

/// Returns a free name for the row struct of a table. The name with `New` in front, of the struct
/// for inserts, is free too.
fn struct_name(table: &str, taken: &BTreeSet<String>) -> String {
    let camel = camel_case(table);
    let numbered = (2..).map(|number| format!("{camel}Row{number}"));
    let plain = [singular(&camel), camel.clone(), format!("{camel}Row")];
    let is_free = |name: &String| {
        !name.is_empty() && !taken.contains(name) && !taken.contains(&format!("New{name}"))
    };
    plain.into_iter().chain(numbered).find(is_free).unwrap_or(camel)
}

fn camel_case(name: &str) -> String {
    let words = name.split('_').filter(|word| !word.is_empty());
    words.map(|word| word[..1].to_ascii_uppercase() + &word[1..]).collect()
}

/// Returns the singular of an English plural, roughly: the user can change a wrong name.
fn singular(name: &str) -> String {
    let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
    let cut = |length: usize| name[..name.len() - length].to_owned();
    if ends(&["ss", "us", "is", "eries", "pecies", "ews"]) || name.len() < 3 {
        name.to_owned()
    } else if ends(&["ies"]) {
        cut(3) + "y"
    } else if ends(&["sses", "shes", "ches", "xes"]) {
        cut(2)
    } else if ends(&["s"]) {
        cut(1)
    } else {
        name.to_owned()
    }
}

fn declaration(table: &TableRecord, name: &str) -> String {
    let columns: String = table.columns.iter().map(|column| field(table, column)).collect();
    let (policy, reason) = match table.policy {
        Policy::Versioned => ("versioned", "the application and every device change its rows"),
        Policy::AppendOnly => ("append_only", "its rows are written once"),
        Policy::Private => ("private", "its rows stay where they are"),
    };
    let scope = table.scope.as_ref().map(|scope| format!("    scope = {},\n", path(scope)));
    let scope = scope.unwrap_or_default();
    let unique = unique(table);
    let table = &table.name;
    format!(
        "
/// A row of `{table}`, which the application makes and changes.
#[table(
    name = {table:?},
    policy = {policy}({reason:?}),
{scope}    external,
{unique})]
pub struct {name} {{
{columns}}}
"
    )
}

/// Returns the arguments of `#[table]` for `replaces`, and for the unique indexes that are not of a
/// single column: those have `#[unique]`.
fn unique(table: &TableRecord) -> String {
    let mut source = if table.replaces { "    replaces,\n".to_owned() } else { String::new() };
    for index in table.indexes.iter().filter(|index| index.unique) {
        let columns: Vec<String> = index.columns.iter().map(|name| identifier(name)).collect();
        source.push_str(&format!("    unique({}),\n", columns.join(", ")));
    }
    for rule in &table.unique_rules {
        let terms = rule.terms.iter().map(|term| format!("{term:?}"));
        let filter = rule.filter.iter().map(|filter| format!("filter = {filter:?}"));
        let parts: Vec<String> = terms.chain(filter).collect();
        source.push_str(&format!("    unique_sql({}),\n", parts.join(", ")));
    }
    source
}

fn path(scope: &ScopeRecord) -> String {
    let column = identifier(&scope.column);
    match &scope.by {
        None => column,
        Some(by) => format!("{column} -> {}.{}", identifier(&by.table), identifier(&by.target)),
    }
}

fn field(table: &TableRecord, column: &ColumnRecord) -> String {
    let mut source = format!("    /// {}\n", doc(table, column));
    let mut attribute = |text: &str| writeln!(source, "    #[{text}]").unwrap_or_default();
    if column.name == table.pk {
        attribute("pk");
    }
    if column.unique {
        attribute("unique");
    }
    if column.watched {
        attribute("watched");
    }
    if let Some(to) = &column.references {
        attribute(&reference(to));
    }
    if let Some(default) = column.declared().default {
        source.push_str(&default_attribute(default));
    }
    let name = identifier(&column.name);
    source + &format!("    pub {name}: {},\n", rust_type(&column.declared()))
}

/// The doc comment of a column.
fn doc(table: &TableRecord, column: &ColumnRecord) -> String {
    let kind = match column.kind {
        Kind::Text => "Text",
        Kind::Integer => "Integer",
        Kind::Real => "Real",
    };
    let key = if column.name == table.pk { ", the key" } else { "" };
    let null = if column.null { ", or null" } else { "" };
    let refers = column.references.as_ref();
    let refers = refers.map(|to| format!("; refers to `{}.{}`", to.table, to.column));
    format!("{kind}{key}{null}{}.", refers.unwrap_or_default())
}

fn reference(to: &ReferenceRecord) -> String {
    let on_delete = match to.on_delete {
        OnDelete::NoAction => "",
        OnDelete::Restrict => ", on_delete = restrict",
        OnDelete::Cascade => ", on_delete = cascade",
        OnDelete::SetNull => ", on_delete = set_null",
    };
    format!("references({}.{}{on_delete})", identifier(&to.table), identifier(&to.column))
}

/// The attribute of a default, on one line if rustfmt would keep it there.
fn default_attribute(default: Default) -> String {
    let value = match default {
        Default::Now => "now".to_owned(),
        Default::Text(text) => format!("{text:?}"),
        Default::Integer(integer) => integer.to_string(),
        Default::Real(real) => format!("{real:?}"),
        Default::Sql(sql) => format!("sql = {sql:?}"),
    };
    let line = format!("    #[default({value})]");
    if line.chars().count() < LINE_MAX {
        line + "\n"
    } else {
        format!("    #[default(\n        {value}\n    )]\n")
    }
}

fn rust_type(column: &Column) -> String {
    let kind = match column.kind {
        Kind::Text => "String",
        Kind::Integer => "i64",
        Kind::Real => "f64",
    };
    if column.null { format!("Option<{kind}>") } else { kind.to_owned() }
}

/// A name as a Rust identifier.
fn identifier(name: &str) -> String {
    if KEYWORDS.contains(&name) { format!("r#{name}") } else { name.to_owned() }
}

/// The Rust keywords that can be raw identifiers.
const KEYWORDS: [&str; 48] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn",
    "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let",
    "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return",
    "static", "struct", "trait", "true", "try", "type", "typeof", "unsafe", "unsized", "use",
    "virtual", "where", "while", "yield",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_struct_has_the_name_of_one_row() {
        for (table, expected) in [
            ("tasks", "Task"),
            ("projectMembers", "ProjectMember"),
            ("audit_log", "AuditLog"),
            ("categories", "Category"),
            ("series", "Series"),
            ("addresses", "Address"),
            ("boxes", "Box"),
            ("status", "Status"),
            ("options", "Options"),
            ("string", "StringRow"),
            ("__", "Row"),
        ] {
            let taken = TAKEN.iter().map(|name| (*name).to_owned()).collect();
            assert_eq!(struct_name(table, &taken), expected, "{table}");
        }
    }

    #[test]
    fn no_two_structs_have_one_name() {
        let names = ["note", "notes", "Notes_", "new_notes", "notes_row", "_notes"];
        let mut taken = BTreeSet::new();
        for table in names {
            let name = struct_name(table, &taken);
            assert!(taken.insert(name.clone()), "{name}");
            assert!(taken.insert(format!("New{name}")), "New{name}");
        }
    }
}
