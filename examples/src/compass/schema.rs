//! The tables of Compass. Dates are texts such as `2026-11-23`, which sort correctly.

use fastest_schema::{Json, Migration, Row, Schema, table};
use serde::{Deserialize, Serialize};

/// A plan.
#[table(name = "projects", policy = versioned("plans are edited by the team"), scope = id)]
pub struct Project {
    /// ULID.
    #[pk]
    pub id: String,
    /// The name to show.
    pub name: String,
    /// Its stage.
    #[default("planned")]
    pub stage: Stage,
}

/// A bar of the Gantt chart.
#[table(
    name = "schedule_tasks",
    policy = versioned("bars are dragged by anyone"),
    scope = project_id,
    index(project_id, start_date),
)]
pub struct ScheduleTask {
    /// ULID.
    #[pk]
    pub id: String,
    /// The plan that it is part of.
    #[references(projects.id, on_delete = cascade)]
    pub project_id: String,
    /// What is to be done.
    pub title: String,
    /// The first day: `YYYY-MM-DD`.
    pub start_date: String,
    /// Its duration in days.
    #[default(1)]
    pub days: i64,
    /// How much of it is done, in percent.
    #[default(0.0)]
    pub percent: f64,
}

/// One task waits for another.
#[table(
    name = "task_dependencies",
    policy = versioned("arrows are drawn and taken away"),
    scope = task_id -> schedule_tasks.project_id,
    unique(task_id, waits_for),
)]
pub struct TaskDependency {
    /// ULID.
    #[pk]
    pub id: String,
    /// The task that waits.
    #[references(schedule_tasks.id, on_delete = cascade)]
    pub task_id: String,
    /// The task that it waits for.
    #[references(schedule_tasks.id, on_delete = cascade)]
    pub waits_for: String,
}

/// An invoice to a client.
#[table(name = "invoices", policy = versioned("invoices are written in drafts"), scope = project_id)]
pub struct Invoice {
    /// ULID.
    #[pk]
    pub id: String,
    /// The project. A project with invoices cannot be deleted.
    #[references(projects.id)]
    pub project_id: String,
    /// The due date: `YYYY-MM-DD`.
    pub due_date: String,
    /// The lines of the invoice.
    #[default("[]")]
    pub lines: Json<Vec<Line>>,
}

/// A line of an invoice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// What is charged.
    pub text: String,
    /// The quantity.
    pub count: i64,
    /// The unit price in cents.
    pub cents: i64,
}

fastest_schema::vocabulary! {
    /// The stage of a project.
    pub enum Stage {
        /// Not begun.
        Planned = "planned",
        /// In progress.
        Running = "running",
        /// Handed over.
        Done = "done",
    }
}

/// The whole schema.
pub static COMPASS: Schema = Schema {
    owner: "compass",
    tables: &[Project::TABLE, ScheduleTask::TABLE, TaskDependency::TABLE, Invoice::TABLE],
    migrations: &[
        Migration {
            name: "0000_compass_init.sql",
            sql: include_str!("migrations/0000_compass_init.sql"),
        },
        Migration {
            name: "0001_compass_exact_values.sql",
            sql: include_str!("migrations/0001_compass_exact_values.sql"),
        },
        Migration {
            name: "0002_compass_marks.sql",
            sql: include_str!("migrations/0002_compass_marks.sql"),
        },
    ],
};
