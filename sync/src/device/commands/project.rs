//! `project list` and `project rename`.

use std::collections::BTreeMap;

use fastest_schema::tables::projects::Project;
use fastest_schema::{ProjectId, list_projects_sql};

use crate::device::find::find_on_primary;
use crate::device::names::check_name;
use crate::device::open::OpenDevice;
use crate::device::report::{ProjectEntry, ProjectsReport};
use crate::error::SyncError;
use crate::error::named::Named;
use crate::remote::cause::Cause;
use crate::remote::primary::{PrimaryError, ask_list};
use crate::replica::local::copies::Copies;
use crate::replica::local::outbox::Outbox;
use crate::rows::projects::Projects;

impl OpenDevice {
    /// See [`Device::projects`](crate::Device::projects).
    pub(crate) async fn projects(&mut self) -> Result<ProjectsReport, SyncError> {
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
            Err(
                PrimaryError::NotMigrated { .. }
                | PrimaryError::Failed { cause: Cause::NoTable, .. },
            ) => Vec::new(),
            // The primary inside a read-only store fails with another error.
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
                && let id = ProjectId::from(id)
                && all.values().all(|known: &ProjectEntry| known.id != id)
            {
                let (key, paths) = ((name.clone(), id.clone()), Vec::new());
                all.insert(key, ProjectEntry { id, name, created_at, known: false, paths });
            }
        }
        Ok(ProjectsReport { projects: all.into_values().collect(), offline: false })
    }

    /// See [`Device::project_rename`](crate::Device::project_rename).
    pub(crate) async fn project_rename(
        &mut self,
        project: &str,
        name: &str,
    ) -> Result<ProjectEntry, SyncError> {
        check_name(Named::Project, name)?;
        let known = self.known_projects(project)?;
        let id = self.one_project(project, known)?;
        if let Some(other) = Projects(self.replica.read()).named(name)?.filter(|other| *other != id)
        {
            let (name, place) = (name.to_owned(), Some(self.tell_project(&other)?));
            return Err(SyncError::NameTaken { what: Named::Project, name, place });
        }
        let remote = self.remote()?;
        if let Ok(found) = find_on_primary(&*remote.primary, name).await
            && let Some(other) = found.into_iter().find(|other| *other != id)
        {
            let place = Some(format!("with id {other} on {}", remote.primary.url()));
            return Err(SyncError::NameTaken {
                what: Named::Project,
                name: name.to_owned(),
                place,
            });
        }
        self.replica.write(|session| {
            let project = session.row::<Project>(&id)?.expect("it was found by its id");
            let (name, updated_at) = (name.to_owned(), session.world.now_text());
            Outbox(session).save(&id.scope(), &Project { name, updated_at, ..project })
        })?;
        let project = self.replica.read().row::<Project>(&id)?.expect("it was just saved");
        let paths = Copies(self.replica.read()).of_project(&id)?;
        let paths = paths.iter().map(|copy| copy.root.display().to_string()).collect();
        let Project { id, name, created_at, .. } = project;
        Ok(ProjectEntry { id, name, created_at, known: true, paths })
    }
}
