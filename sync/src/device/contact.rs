//! Queued pushes. A push that finds the primary out of reach is queued, and sent in order by the
//! next command that reaches it.

use fastest_schema::tables::projects::Project;
use fastest_schema::{Row, RowKey, ScopeId};

use crate::device::find::find_on_primary;
use crate::device::notices::notices_of;
use crate::device::open::OpenDevice;
use crate::error::SyncError;
use crate::exchange::push::push_scope;
use crate::exchange::push::state::Pushed;
use crate::remote::open::Remote;
use crate::replica::local::outbox::Outbox;
use crate::replica::local::queue::Queue;

impl OpenDevice {
    /// Whether a push of another project is queued.
    pub(crate) fn others_wait(&self, scope: &ScopeId) -> Result<bool, SyncError> {
        Ok(Queue(self.replica.read()).scopes()?.iter().any(|other| other != scope))
    }

    /// Sends the queued pushes, the oldest first. One that cannot be sent now stays queued. Returns
    /// what the user should know, and fails if the primary is out of reach.
    pub(crate) async fn send_queued(&mut self, remote: &Remote) -> Result<Vec<String>, SyncError> {
        let mut notices = Vec::new();
        let queued = Queue(self.replica.read()).scopes()?;
        for scope in queued {
            match self.push_scope(remote, &scope).await {
                Ok(pushed) => notices.extend(notices_of(&pushed)),
                Err(error) if error.is_unreachable() => return Err(error),
                Err(error) => notices.push(format!("a queued push goes on waiting: {error}")),
            }
        }
        Ok(notices)
    }

    /// Sends everything that waits in a scope, and queues the scope if the primary is out of reach.
    pub(crate) async fn push_scope(
        &mut self,
        remote: &Remote,
        scope: &ScopeId,
    ) -> Result<Pushed, SyncError> {
        let locks = self.dir.join("locks");
        let pushed = match self.check_not_second(remote, scope).await {
            Ok(()) => push_scope(&mut self.replica, &self.store, remote, scope, &locks).await,
            Err(error) => Err(error),
        };
        match &pushed {
            Ok(_) => self.replica.write(|session| Queue(session).remove(scope))?,
            Err(error) if error.is_unreachable() => {
                self.replica.write(|session| Queue(session).add(scope))?;
            }
            Err(_) => {}
        }
        pushed
    }
}

impl OpenDevice {
    /// Refuses to create a project on a primary that has another one of the same name: whoever made
    /// that one may not know of this one.
    async fn check_not_second(
        &mut self,
        remote: &Remote,
        scope: &ScopeId,
    ) -> Result<(), SyncError> {
        let project = self.replica.read().row::<Project>(&scope.project())?;
        let entry = Outbox(self.replica.read()).entry(Project::TABLE, &RowKey::of(scope))?;
        let Some(project) = project else { return Ok(()) };
        if remote.chosen.is_none() || entry.is_none_or(|entry| entry.base.is_some()) {
            return Ok(());
        }
        let found = find_on_primary(&*remote.primary, &project.name).await?;
        match found.into_iter().find(|id| id.scope() != *scope) {
            Some(id) => {
                let (name, url) = (project.name, remote.primary.url().to_owned());
                Err(SyncError::SecondProject { name, id, url })
            }
            None => Ok(()),
        }
    }
}
