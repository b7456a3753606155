//! All tables of Fastest: how each is synced, and that each accepts a row of required columns only.

use fastest_schema::tables::auth::{AuthCode, DeviceCode, Session, User, UserApiKey};
use fastest_schema::tables::conversations::Conversation;
use fastest_schema::tables::infrastructure::{
    Deployment, DeploymentSettings, InfrastructureResource, Job, ProviderCredential,
};
use fastest_schema::tables::intelligence::atlas::{
    AtlasChunk, AtlasConcept, AtlasDecisionLink, AtlasDiagram, AtlasEdge, AtlasEmbedding,
};
use fastest_schema::tables::intelligence::{
    ActionItem, ActionItemRun, NextStep, ProjectDecision, RefactoringSuggestion,
};
use fastest_schema::tables::projects::{Project, ProjectEnvVar};
use fastest_schema::tables::workspaces::{ActivityEvent, DriftReport, Snapshot, Workspace};
use fastest_schema::{Column, Default, Kind, Pack, Policy, Row, Scope, TABLES, Table};
use serde_json::{Map, Value, json};

use crate::primary::Primary;

/// What leaves the primary, and by which scope it is shared. A change here changes who sees what.
const POLICIES: [(&str, Policy, &str); 29] = [
    ("users", Policy::Versioned, "id"),
    ("projects", Policy::Versioned, "id"),
    ("fastest_packs", Policy::AppendOnly, "project_id"),
    ("snapshots", Policy::AppendOnly, "project_id"),
    ("workspaces", Policy::Versioned, "project_id"),
    ("drift_reports", Policy::AppendOnly, "workspace_id -> workspaces.project_id"),
    ("activity_events", Policy::AppendOnly, "project_id"),
    ("auth_codes", Policy::Private, "-"),
    ("device_codes", Policy::Private, "-"),
    ("sessions", Policy::Private, "-"),
    ("user_api_keys", Policy::Private, "-"),
    ("project_env_vars", Policy::Private, "-"),
    ("conversations", Policy::Versioned, "workspace_id -> workspaces.project_id"),
    ("next_steps", Policy::Versioned, "project_id"),
    ("project_decisions", Policy::Versioned, "project_id"),
    ("action_items", Policy::Versioned, "project_id"),
    ("action_item_runs", Policy::Versioned, "project_id"),
    ("refactoring_suggestions", Policy::Private, "-"),
    ("atlas_concepts", Policy::Versioned, "project_id"),
    ("atlas_edges", Policy::Versioned, "project_id"),
    ("atlas_chunks", Policy::Versioned, "project_id"),
    ("atlas_embeddings", Policy::Versioned, "chunk_id -> atlas_chunks.project_id"),
    ("atlas_decision_links", Policy::Versioned, "project_id"),
    ("atlas_diagrams", Policy::Versioned, "project_id"),
    ("provider_credentials", Policy::Private, "-"),
    ("infrastructure_resources", Policy::Private, "-"),
    ("deployment_settings", Policy::Versioned, "workspace_id -> workspaces.project_id"),
    ("deployments", Policy::Versioned, "project_id"),
    ("jobs", Policy::Private, "-"),
];

type InsertAndRead = fn(&Primary);

/// A row of each table, parents first.
const ROWS: [(&Table, InsertAndRead); 29] = [
    row::<User>(),
    row::<Project>(),
    row::<Pack>(),
    row::<Snapshot>(),
    row::<Workspace>(),
    row::<DriftReport>(),
    row::<ActivityEvent>(),
    row::<AuthCode>(),
    row::<DeviceCode>(),
    row::<Session>(),
    row::<UserApiKey>(),
    row::<ProjectEnvVar>(),
    row::<Conversation>(),
    row::<NextStep>(),
    row::<ProjectDecision>(),
    row::<ActionItem>(),
    row::<ActionItemRun>(),
    row::<RefactoringSuggestion>(),
    row::<AtlasConcept>(),
    row::<AtlasEdge>(),
    row::<AtlasChunk>(),
    row::<AtlasEmbedding>(),
    row::<AtlasDecisionLink>(),
    row::<AtlasDiagram>(),
    row::<ProviderCredential>(),
    row::<InfrastructureResource>(),
    row::<DeploymentSettings>(),
    row::<Deployment>(),
    row::<Job>(),
];

const fn row<R: Row>() -> (&'static Table, InsertAndRead) {
    (R::TABLE, insert_and_read::<R>)
}

#[test]
fn policies_and_scopes_are_as_reviewed() {
    let scope = |scope: Option<Scope>| match scope {
        None => "-".to_owned(),
        Some(Scope::Column(column)) => column.to_owned(),
        Some(Scope::Path { column, table, target, .. }) => format!("{column} -> {table}.{target}"),
    };
    let found: Vec<_> =
        TABLES.iter().map(|table| (table.name, table.policy, scope(table.scope))).collect();
    let reviewed = POLICIES.map(|(name, policy, scope)| (name, policy, scope.to_owned()));
    assert_eq!(found, reviewed);
}

#[test]
fn what_nobody_uses_any_more_says_so() {
    let deprecated = TABLES.iter().filter(|table| table.deprecated.is_some());
    let names: Vec<_> = deprecated.map(|table| table.name).collect();
    assert_eq!(names, ["refactoring_suggestions", "jobs"]);
}

#[test]
fn every_table_takes_a_row_of_what_it_must_have() {
    let primary = Primary::empty();
    let names = |tables: &[&Table]| tables.iter().map(|table| table.name).collect::<Vec<_>>();
    assert_eq!(names(&ROWS.map(|(table, _)| table)), names(TABLES));
    for (_, insert_and_read) in ROWS {
        insert_and_read(&primary);
    }
}

/// Inserts a `New…` of required columns only, and reads back the row with the defaults of the
/// others.
fn insert_and_read<R: Row>(primary: &Primary) {
    let table = R::TABLE;
    let required = table.columns.iter().filter(|column| !column.null && column.default.is_none());
    let required: Map<String, Value> =
        required.map(|column| (column.name.to_owned(), fixed_value(table, column))).collect();
    let new: R::New = serde_json::from_value(Value::Object(required.clone())).unwrap();
    assert_eq!(serde_json::to_value(&new).unwrap(), Value::Object(required.clone()));
    let (names, values): (Vec<_>, Vec<_>) =
        required.iter().map(|(name, value)| (format!("`{name}`"), sql(value))).unzip();
    let (name, names, values) = (table.name, names.join(","), values.join(","));
    primary.run(&format!("INSERT INTO {name}({names}) VALUES ({values})"));

    let mut found = primary.query(&format!("SELECT * FROM {name}"));
    let values: Vec<Value> = serde_json::from_value(found[0].take()).unwrap();
    let read = {
        let columns = table.columns.iter();
        let values = columns.zip(&values).map(|(column, json)| {
            fastest_schema::value::sql_value::Value::from_wire(json.clone(), column.kind).unwrap()
        });
        R::from_values(values.collect()).unwrap()
    };
    let read: Value = serde_json::to_value(&read).unwrap();
    for (column, value) in table.columns.iter().zip(values) {
        assert_eq!(read[column.name], value, "{name}.{}", column.name);
        match required.get(column.name) {
            Some(required) => assert_eq!(&value, required, "{name}.{}", column.name),
            None => assert_default(column, &value),
        }
    }
}

/// The key of a parent, which has a row already, or a value that is valid for any text or number:
/// `[]` is both an unknown word and JSON.
fn fixed_value(table: &Table, column: &Column) -> Value {
    match (&column.references, column.kind) {
        (Some(to), _) => json!(format!("{} 1", to.table)),
        (None, Kind::Text) if column.name == table.pk => json!(format!("{} 1", table.name)),
        (None, Kind::Text) => json!("[]"),
        (None, Kind::Integer) => json!(7),
        (None, Kind::Real) => json!(0.5),
    }
}

fn sql(value: &Value) -> String {
    match value {
        Value::String(text) => format!("'{text}'"),
        other => other.to_string(),
    }
}

fn assert_default(column: &Column, value: &Value) {
    let name = column.name;
    match column.default {
        None => assert!(value.is_null(), "{name}"),
        Some(Default::Now) => {
            let time = value.as_str().unwrap();
            assert!(time.len() == 24 && time.starts_with("20") && time.ends_with('Z'), "{time}");
        }
        Some(Default::Text(text)) => assert_eq!(value, text, "{name}"),
        Some(Default::Integer(integer)) => assert_eq!(value, &json!(integer), "{name}"),
        Some(Default::Real(real)) => assert_eq!(value, &json!(real), "{name}"),
        Some(Default::Sql(_)) => panic!("{name}: no table of Fastest has such a default"),
    }
}
