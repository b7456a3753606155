//! Queued pushes. A push is queued if the primary is unreachable. The next command that reaches the
//! primary sends the queue in order.

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

/// How a push ended, as far as the queue is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// The primary accepted it.
    Accepted,
    /// The primary is unreachable.
    OutOfReach,
    /// It failed for another reason.
    Failed,
}

/// What happens to a scope's place in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// It is removed: the push succeeded.
    GiveUp,
    /// The scope is queued, or stays queued: the next command that reaches the primary pushes it.
    Take,
    /// It stays as it is: if the scope was not queued, the user has to repeat the push.
    Leave,
}

impl Ending {
    fn of(pushed: &Result<Pushed, SyncError>) -> Self {
        match pushed {
            Ok(_) => Self::Accepted,
            Err(error) if error.is_unreachable() => Self::OutOfReach,
            Err(_) => Self::Failed,
        }
    }

    fn place(self) -> Place {
        match self {
            Self::Accepted => Place::GiveUp,
            Self::OutOfReach => Place::Take,
            Self::Failed => Place::Leave,
        }
    }

    /// Whether the queued pushes that follow this one are tried.
    fn lets_others_try(self) -> bool {
        self != Self::OutOfReach
    }
}

impl OpenDevice {
    /// Whether a push of another project is queued.
    pub(crate) fn others_wait(&self, scope: &ScopeId) -> Result<bool, SyncError> {
        Ok(Queue(self.replica.read()).scopes()?.iter().any(|other| other != scope))
    }

    /// Sends the queued pushes, the oldest first. One that cannot be sent now stays queued. Returns
    /// notices for the user, and fails if the primary is unreachable.
    pub(crate) async fn send_queued(&mut self, remote: &Remote) -> Result<Vec<String>, SyncError> {
        let mut notices = Vec::new();
        let queued = Queue(self.replica.read()).scopes()?;
        for scope in queued {
            let pushed = self.push_scope(remote, &scope).await;
            let goes_on = Ending::of(&pushed).lets_others_try();
            match pushed {
                Ok(pushed) => notices.extend(notices_of(&pushed)),
                Err(error) if !goes_on => return Err(error),
                Err(error) => notices.push(format!("a queued push goes on waiting: {error}")),
            }
        }
        Ok(notices)
    }

    /// Sends everything that is queued in a scope's outbox, and queues the scope if the primary is
    /// unreachable.
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
        match Ending::of(&pushed).place() {
            Place::GiveUp => self.replica.write(|session| Queue(session).remove(scope))?,
            Place::Take => self.replica.write(|session| Queue(session).add(scope))?,
            Place::Leave => {}
        }
        pushed
    }
}

impl OpenDevice {
    /// Refuses to create a project on a primary that has another project of the same name, whose
    /// creator may not know of this one.
    async fn check_not_second(
        &mut self,
        remote: &Remote,
        scope: &ScopeId,
    ) -> Result<(), SyncError> {
        let project = self.replica.read().row::<Project>(&scope.project())?;
        let entry = Outbox(self.replica.read()).entry(Project::TABLE, &RowKey::of(scope))?;
        let Some(project) = project else { return Ok(()) };
        if remote.chosen.is_none() || entry.is_none_or(|entry| entry.known_base().is_some()) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remote::primary::PrimaryError;

    #[test]
    fn only_a_primary_out_of_reach_queues_a_push_and_stops_the_queue() {
        for (ending, place, goes_on) in [
            (Ending::Accepted, Place::GiveUp, true),
            (Ending::OutOfReach, Place::Take, false),
            (Ending::Failed, Place::Leave, true),
        ] {
            assert_eq!((ending.place(), ending.lets_others_try()), (place, goes_on), "{ending:?}");
        }
    }

    #[test]
    fn an_error_that_may_pass_is_out_of_reach() {
        let ending = |error| Ending::of(&Err(error));
        assert_eq!(Ending::of(&Ok(Pushed::default())), Ending::Accepted);
        assert_eq!(ending(SyncError::RemoteChanged), Ending::Failed);
        let gone = PrimaryError::NoFolder { path: "gone".into() };
        assert_eq!(ending(gone.into()), Ending::OutOfReach);
    }
}
