//! Compass: a Gantt chart and invoices, planned on two devices.

pub mod schema;

use std::io::Write;

use fastest_schema::Json;
use fastest_sync::{Database, World};

use crate::{Result, Scene, new_id};
use schema::{
    COMPASS, Invoice, Line, NewProject, NewScheduleTask, Project, ScheduleTask, Stage,
    TaskDependency,
};

/// Runs the example, and prints what it does.
pub fn run(out: &mut dyn Write) -> Result<()> {
    let scene = Scene::with(&COMPASS)?;
    let mut office = Database::open(&scene.file("office.db"), &COMPASS, World::system())?;
    let house: Project =
        office.insert(&NewProject { id: new_id(), name: "House".into(), stage: None })?;
    let dig = plan(&mut office, &house, "Dig", "2026-12-01", 5)?;
    let build = plan(&mut office, &house, "Build", "2026-12-08", 20)?;
    let (id, task_id, waits_for) = (new_id(), build.id.clone(), dig.id.clone());
    office.save(&TaskDependency { id, task_id, waits_for })?;
    let lines = Json(vec![
        Line { text: "Digger, days".into(), count: 5, cents: 42_000 },
        Line { text: "Fuel".into(), count: 1, cents: 9_950 },
    ]);
    let (id, project_id) = (new_id(), house.id.clone());
    office.save(&Invoice { id, project_id, due_date: "2027-01-15".into(), lines })?;
    scene.sync(&mut office)?;

    // The device on the site holds only this project.
    let mut site =
        Database::open_for(&scene.file("site.db"), &COMPASS, &house.id, World::system())?;
    scene.sync(&mut site)?;
    site.save(&ScheduleTask { percent: 40.0, ..dig.clone() })?;
    office.save(&ScheduleTask { days: 7, ..dig })?;
    office.save(&Project { stage: Stage::Running, ..house.clone() })?;
    scene.sync(&mut site)?;
    scene.sync(&mut office)?;
    scene.sync(&mut site)?;
    // Each device changed another column of the same row: both changes are kept.
    chart(&site, out)?;

    let due = total(&office)?;
    writeln!(out, "invoiced {}.{:02}", due / 100, due % 100)?;
    match office.delete::<Project>(&house.id) {
        Err(error) => writeln!(out, "kept: {}", without_ids(&error.to_string()))?,
        Ok(_) => writeln!(out, "the project is gone, and its invoices with it")?,
    }
    office.delete::<ScheduleTask>(&build.id)?;
    scene.sync(&mut office)?;
    scene.sync(&mut site)?;
    let (tasks, arrows) = (site.all::<ScheduleTask>()?.len(), site.all::<TaskDependency>()?.len());
    writeln!(out, "on the site: {tasks} task, {arrows} dependencies")?;
    Ok(())
}

fn plan(
    db: &mut Database,
    project: &Project,
    title: &str,
    start: &str,
    days: i64,
) -> Result<ScheduleTask> {
    Ok(db.insert(&NewScheduleTask {
        id: new_id(),
        project_id: project.id.clone(),
        title: title.into(),
        start_date: start.into(),
        days: Some(days),
        percent: None,
    })?)
}

/// Prints the chart, one line for each task, from the application's own SQL query.
fn chart(db: &Database, out: &mut dyn Write) -> Result<()> {
    let connection = db.connection()?;
    let mut query = connection.prepare(
        "SELECT p.stage || ': ' || t.title || ' ' || t.start_date || ' to '
           || date(t.start_date, '+' || (t.days - 1) || ' days') || ', ' || t.percent || ' %'
         FROM schedule_tasks AS t JOIN projects AS p ON p.id = t.project_id ORDER BY t.start_date",
    )?;
    let lines = query.query_map([], |row| row.get::<_, String>(0))?;
    for line in lines {
        writeln!(out, "{}", line?)?;
    }
    Ok(())
}

/// Returns the sum of all invoices in cents.
fn total(db: &Database) -> Result<i64> {
    let invoices = db.all::<Invoice>()?;
    let lines = invoices.iter().flat_map(|invoice| &invoice.lines.0);
    Ok(lines.map(|line| line.count * line.cents).sum())
}

fn without_ids(text: &str) -> String {
    let words = text.split(' ').map(|word| if word.len() == 26 { "…" } else { word });
    words.collect::<Vec<_>>().join(" ")
}
