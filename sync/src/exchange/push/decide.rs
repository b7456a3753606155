//! Decides the next step of a push, without IO.

use crate::exchange::push::recovery::Recovery;

/// Refusals after which a push gives up. Each lost race means that another push succeeded.
pub(super) const ATTEMPTS_MAX: u32 = 50;

/// Refusals in a row for which a pull finds no cause, after which everything is read again from the
/// primary.
const UNEXPLAINED_MAX: u32 = 2;

/// Refusals for foreign keys after which the refused rows count as at fault, whatever a pull
/// brings: in a busy scope it always brings something. The same number of attempts decides for rows
/// in scopes that are not held.
const LACKING_MAX: u32 = 3;

/// Transactions set aside in a row, with none accepted, after which the primary itself counts as at
/// fault.
const REFUSED_IN_A_ROW_MAX: u32 = 50;

/// The state that decides the next step of a push.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct PushState {
    /// Refusals so far.
    pub(super) attempts: u32,
    /// Refusals for foreign keys.
    lacking: u32,
    /// Refusals in a row for which no cause was found.
    unexplained: u32,
    /// Whether everything was read again from the primary. That is done once.
    pub(super) forgotten: bool,
    /// Whether rows that are refused for a foreign key are at fault themselves: a pull did not
    /// explain the refusal, or there were [`LACKING_MAX`] refusals.
    pub(super) is_complete: bool,
    /// Whether the primary has rows of the statement in scopes that are not held here, so that no
    /// pull brings them.
    pub(super) are_foreign: bool,
    /// Transactions that were set aside since the primary last accepted a statement.
    in_a_row: u32,
}

/// The outcome of the last step of a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The primary has applied a statement.
    Taken,
    /// A transaction is to be set aside.
    AtFault,
    /// The primary refused a statement; with the recovery, if there is one.
    Refused(Option<Recovery>),
    /// The scopes of a refused statement were pulled.
    Looked(Looked),
}

/// What was found when the scopes of a refused statement were pulled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Looked {
    /// Whether there was a cause: changes, or rows that deletes have to yield to.
    pub(super) is_explained: bool,
    /// Whether the primary has rows of the statement in scopes that are not held here.
    pub(super) is_foreign: bool,
    /// Whether the refusal is about a foreign key.
    pub(super) lacks_rows: bool,
    /// Whether the schema never deletes a row that others refer to.
    pub(super) referred_rows_stay: bool,
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Go on.
    GoOn,
    /// Set the primary up, then do as for [`Step::Look`].
    SetUp,
    /// Become a new device, then do as for [`Step::Look`].
    BecomeNewDevice,
    /// Forget what the primary was known to have, then do as for [`Step::Look`].
    Forget,
    /// Pull the scopes of the statement, and see whether that explains the refusal.
    Look,
    /// Plan again. The next refusal then leads to a search for the transaction at fault, which is
    /// set aside.
    FindFault,
    /// Read everything again from the primary, then plan again.
    ReadAnew,
    /// Plan again.
    PlanAgain,
    /// Give up with the primary's own error.
    GiveUp,
    /// Give up, because others were faster each time.
    Contended,
    /// Give up, and explain why the primary refuses. The statement is dropped: one that the primary
    /// will never accept must not block the queue.
    Unmendable,
}

impl PushState {
    /// What to do after `outcome`.
    pub(super) fn next(&mut self, outcome: Outcome) -> Step {
        match outcome {
            Outcome::Taken => {
                self.in_a_row = 0;
                Step::GoOn
            }
            Outcome::AtFault => {
                self.in_a_row += 1;
                if self.in_a_row > REFUSED_IN_A_ROW_MAX { Step::GiveUp } else { Step::GoOn }
            }
            Outcome::Refused(recovery) => self.after_refusal(recovery),
            Outcome::Looked(looked) => self.after_look(looked),
        }
    }

    fn after_refusal(&mut self, recovery: Option<Recovery>) -> Step {
        let step = match recovery {
            None => return Step::Unmendable,
            Some(_) if self.in_a_row > REFUSED_IN_A_ROW_MAX => return Step::GiveUp,
            Some(_) if self.attempts == ATTEMPTS_MAX => return Step::Contended,
            Some(Recovery::Migrate) => Step::SetUp,
            Some(Recovery::NewDevice) => Step::BecomeNewDevice,
            Some(Recovery::Forget) if self.forgotten => return Step::Unmendable,
            Some(Recovery::Forget) => {
                self.forgotten = true;
                Step::Forget
            }
            Some(Recovery::Pull | Recovery::Complete) => Step::Look,
        };
        self.attempts += 1;
        step
    }

    fn after_look(&mut self, looked: Looked) -> Step {
        let Looked { is_explained, is_foreign, lacks_rows, referred_rows_stay } = looked;
        // In a busy scope, a pull always brings something.
        if is_foreign && (!is_explained || self.attempts >= LACKING_MAX) {
            self.are_foreign = true;
            return Step::FindFault;
        }
        // After a lost race, a pull brings the change that won. If it brings nothing several times
        // in a row, something is wrong that only reading everything again can find.
        self.unexplained = if is_explained { 0 } else { self.unexplained + 1 };
        self.lacking += u32::from(lacks_rows);
        let mut is_lost = self.unexplained == UNEXPLAINED_MAX;
        if lacks_rows && (!is_explained || self.lacking == LACKING_MAX) {
            // If referred rows are never deleted, the primary may have lost one: everything is read
            // again, once. Otherwise the row at fault is searched for first.
            if !referred_rows_stay {
                self.is_complete = true;
            } else if !is_explained {
                if self.forgotten {
                    return Step::GiveUp;
                }
                is_lost = true;
            }
        }
        if is_lost && !self.forgotten {
            self.forgotten = true;
            return Step::ReadAnew;
        }
        Step::PlanAgain
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXPLAINED: Looked = Looked {
        is_explained: true,
        is_foreign: false,
        lacks_rows: false,
        referred_rows_stay: true,
    };
    const UNEXPLAINED: Looked = Looked { is_explained: false, ..EXPLAINED };

    /// Returns the steps that follow these outcomes, one after another.
    fn steps(state: &mut PushState, outcomes: &[Outcome]) -> Vec<Step> {
        outcomes.iter().map(|outcome| state.next(*outcome)).collect()
    }

    fn refused(recovery: Recovery) -> Outcome {
        Outcome::Refused(Some(recovery))
    }

    #[test]
    fn a_refusal_asks_for_what_mends_it() {
        for (recovery, step) in [
            (Some(Recovery::Migrate), Step::SetUp),
            (Some(Recovery::NewDevice), Step::BecomeNewDevice),
            (Some(Recovery::Forget), Step::Forget),
            (Some(Recovery::Pull), Step::Look),
            (Some(Recovery::Complete), Step::Look),
            (None, Step::Unmendable),
        ] {
            assert_eq!(PushState::default().next(Outcome::Refused(recovery)), step);
        }
    }

    #[test]
    fn what_was_forgotten_once_is_not_forgotten_again() {
        let outcomes =
            [refused(Recovery::Forget), Outcome::Looked(EXPLAINED), refused(Recovery::Forget)];
        let expected = [Step::Forget, Step::PlanAgain, Step::Unmendable];
        assert_eq!(steps(&mut PushState::default(), &outcomes), expected);
    }

    #[test]
    fn races_may_be_lost_so_often_and_no_more() {
        let mut state = PushState::default();
        for _ in 0..ATTEMPTS_MAX {
            assert_eq!(state.next(refused(Recovery::Pull)), Step::Look);
            assert_eq!(state.next(Outcome::Looked(EXPLAINED)), Step::PlanAgain);
        }
        assert_eq!(state.next(refused(Recovery::Pull)), Step::Contended);
    }

    #[test]
    fn what_nothing_explains_leads_to_a_full_look_once() {
        let pulled = [refused(Recovery::Pull), Outcome::Looked(UNEXPLAINED)];
        let mut state = PushState::default();
        assert_eq!(steps(&mut state, &pulled), [Step::Look, Step::PlanAgain]);
        assert_eq!(steps(&mut state, &pulled), [Step::Look, Step::ReadAnew]);
        for _ in 0..4 {
            assert_eq!(steps(&mut state, &pulled), [Step::Look, Step::PlanAgain]);
        }
        // An explained refusal in between restarts the count.
        let mut state = PushState::default();
        let explained = [refused(Recovery::Pull), Outcome::Looked(EXPLAINED)];
        for _ in 0..4 {
            assert_eq!(steps(&mut state, &pulled), [Step::Look, Step::PlanAgain]);
            assert_eq!(steps(&mut state, &explained), [Step::Look, Step::PlanAgain]);
        }
    }

    #[test]
    fn rows_that_lack_others() {
        let lacking = |is_explained, referred_rows_stay| {
            let looked =
                Looked { is_explained, referred_rows_stay, lacks_rows: true, is_foreign: false };
            [refused(Recovery::Complete), Outcome::Looked(looked)]
        };
        // Fastest's own rows: everything is read again, once. After that, the primary is at fault.
        let mut state = PushState::default();
        assert_eq!(steps(&mut state, &lacking(false, true)), [Step::Look, Step::ReadAnew]);
        assert_eq!(steps(&mut state, &lacking(false, true)), [Step::Look, Step::GiveUp]);
        // An application's rows: the row at fault is found and set aside.
        let mut state = PushState::default();
        assert_eq!(steps(&mut state, &lacking(false, false)), [Step::Look, Step::PlanAgain]);
        assert!(state.is_complete);
        let mut state = PushState::default();
        for at in 1..=LACKING_MAX {
            assert_eq!(steps(&mut state, &lacking(true, false)), [Step::Look, Step::PlanAgain]);
            assert_eq!(state.is_complete, at == LACKING_MAX);
        }
    }

    #[test]
    fn rows_of_scopes_that_are_not_held() {
        let foreign = |is_explained| {
            let looked = Looked { is_explained, is_foreign: true, ..EXPLAINED };
            [refused(Recovery::Pull), Outcome::Looked(looked)]
        };
        let mut state = PushState::default();
        assert_eq!(steps(&mut state, &foreign(false)), [Step::Look, Step::FindFault]);
        assert!(state.are_foreign);
        let mut state = PushState::default();
        assert_eq!(steps(&mut state, &foreign(true)), [Step::Look, Step::PlanAgain]);
        assert_eq!(steps(&mut state, &foreign(true)), [Step::Look, Step::PlanAgain]);
        assert_eq!(steps(&mut state, &foreign(true)), [Step::Look, Step::FindFault]);
    }

    #[test]
    fn a_primary_that_takes_nothing_is_at_fault_itself() {
        let mut state = PushState::default();
        for _ in 0..REFUSED_IN_A_ROW_MAX {
            assert_eq!(state.next(Outcome::AtFault), Step::GoOn);
        }
        let mut taken = state;
        assert_eq!(state.next(Outcome::AtFault), Step::GiveUp);
        assert_eq!(state.next(refused(Recovery::Pull)), Step::GiveUp);
        assert_eq!(
            steps(&mut taken, &[Outcome::Taken, Outcome::AtFault]),
            [Step::GoOn, Step::GoOn]
        );
    }
}
