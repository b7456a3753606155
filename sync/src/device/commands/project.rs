//! `project list` and `project rename`.

use std::collections::BTreeMap;

use fastest_schema::list_projects_sql;
use fastest_schema::tables::projects::Project;

use crate::device::find::find_on_primary;
use crate::device::names::check_name;
use crate::device::open::Device;
use crate::device::report::{ProjectEntry, ProjectsReport};
use crate::error::SyncError;
use crate::remote::primary::{PrimaryError, ask_list};
use crate::replica::local::copies::Copies;
use crate::replica::local::outbox::Outbox;
use crate::rows::projects::Projects;

impl Device {
    /// Returns the projects that the device knows or the primary has, by name.
    pub async fn projects(&mut self) -> Result<ProjectsReport, SyncError> {
        let mut all = BTreeMap::new();
        for project in self.replica.read().rows::<Project>("WHERE ?1 = '' ORDER BY id", "")? {
            let paths = Copies(self.replica.read()).of_project(&project.id)?;
            let paths = paths.iter().map(|copy| copy.root.display().to_string()).collect();
            let Project { id, name, created_at, .. } = project;
            let key = (name.clone(), id.clone());
            all.insert(key, ProjectEntry { id, name, created_at, known: true, paths });
        }
        let remote = self.remote()?;
        let request = remote.world().new_id();
        let found = match ask_list(&*remote.primary, list_projects_sql(), &request).await {
            Ok(found) => found,
            Err(PrimaryError::NotMigrated { .. }) => Vec::new(),
            Err(PrimaryError::Failed { message, .. }) if message.contains("no such table") => {
                Vec::new()
            }
            // The primary inside of a read-only store fails with another error.
            Err(error) if error.is_unreachable() || self.replica.is_read_only() => {
                let projects = all.into_values().collect();
                return Ok(ProjectsReport { projects, offline: true });
            }
            Err(error) => return Err(error.into()),
        };
        for line in found {
            let mut words = line.splitn(3, '\n').map(str::to_owned);
            if let (Some(id), Some(created_at), Some(name)) =
                (words.next(), words.next(), words.next())
                && all.values().all(|known: &ProjectEntry| known.id != id)
            {
                let (key, paths) = ((name.clone(), id.clone()), Vec::new());
                all.insert(key, ProjectEntry { id, name, created_at, known: false, paths });
            }
        }
        Ok(ProjectsReport { projects: all.into_values().collect(), offline: false })
    }

    /// Renames a project that the device knows, given by name or id. The new name must be free.
    pub async fn project_rename(
        &mut self,
        project: &str,
        name: &str,
    ) -> Result<ProjectEntry, SyncError> {
        check_name("project", name)?;
        let known = self.known_projects(project)?;
        let id = self.one_project(project, known)?;
        if let Some(other) = Projects(self.replica.read()).named(name)?.filter(|other| *other != id)
        {
            let (name, place) = (name.to_owned(), Some(self.tell_project(&other)?));
            return Err(SyncError::NameTaken { what: "project", name, place });
        }
        let remote = self.remote()?;
        if let Ok(found) = find_on_primary(&*remote.primary, name).await
            && let Some(other) = found.into_iter().find(|other| *other != id)
        {
            let place = Some(format!("with id {other} on {}", remote.primary.url()));
            return Err(SyncError::NameTaken { what: "project", name: name.to_owned(), place });
        }
        self.replica.write(|session| {
            let project = session.row::<Project>(&id)?.expect("it was found by its id");
            let (name, updated_at) = (name.to_owned(), session.world.now_text());
            Outbox(session).save(&id, &Project { name, updated_at, ..project })
        })?;
        let project = self.replica.read().row::<Project>(&id)?.expect("it was just saved");
        let paths = Copies(self.replica.read()).of_project(&id)?;
        let paths = paths.iter().map(|copy| copy.root.display().to_string()).collect();
        let Project { id, name, created_at, .. } = project;
        Ok(ProjectEntry { id, name, created_at, known: true, paths })
    }
}
