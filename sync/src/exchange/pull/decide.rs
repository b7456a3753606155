//! Decides the next step of a pull, without IO.

use fastest_schema::Header;

/// The most pages of a pull, besides the last, that end long before their limits. An honest primary
/// sends such pages only while others write, and only a few.
const SHORT_PAGES_MAX: u32 = 20;

/// The state that decides the next step of a pull.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct PullState {
    /// Whether the primary was found to be another one, or an older state of itself.
    pub(super) went_back: bool,
    short_pages: u32,
}

/// What the device knew about the primary when it requested a page.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asker<'a> {
    /// The epoch of the primary; `None` before its first answer.
    pub(super) epoch: Option<&'a str>,
    /// The sequence number up to which the scope was read.
    pub(super) cursor: i64,
    /// Whether the primary has accepted a push from here.
    pub(super) has_pushed: bool,
}

/// What to do with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Apply the page.
    Take,
    /// Forget what the primary was known to have, then ask again.
    Forget,
    /// Give up: an honest primary does not do this.
    Distrust(&'static str),
}

/// What to do after a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Onward {
    /// Ask for the next page.
    Ask,
    /// Finish: the scope was read to its end.
    Finish,
    /// Give up: an honest primary does not do this.
    Distrust(&'static str),
}

impl PullState {
    /// What to do with an answer.
    pub(super) fn after_answer(&mut self, asker: &Asker<'_>, header: &Header) -> Verdict {
        let went_back = asker.epoch.is_some_and(|epoch| epoch != header.epoch)
            || header.seq < asker.cursor
            || asker.has_pushed && !header.push_known
            || !header.seen_known
            || !header.mark_known;
        match (went_back, self.went_back) {
            (false, _) => Verdict::Take,
            (true, false) => {
                self.went_back = true;
                Verdict::Forget
            }
            (true, true) => {
                Verdict::Distrust("it is another primary, or an older one, with each answer")
            }
        }
    }

    /// Decides what to do after a page was applied. `is_short` says whether it ended long before
    /// its limits.
    pub(super) fn after_page(&mut self, more: bool, is_short: bool) -> Onward {
        if !more {
            return Onward::Finish;
        }
        self.short_pages += u32::from(is_short);
        if self.short_pages > SHORT_PAGES_MAX {
            return Onward::Distrust("it promises more, and gives next to nothing, time and again");
        }
        Onward::Ask
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(epoch: &str, seq: i64, [push_known, seen_known, mark_known]: [bool; 3]) -> Header {
        let (epoch, request) = (epoch.to_owned(), "r".to_owned());
        let (migration, mark) = (None, None);
        Header { seq, epoch, migration, push_known, seen_known, mark_known, mark, request }
    }

    #[test]
    fn a_primary_that_went_back_is_forgotten_once() {
        let first = Asker { epoch: None, cursor: 0, has_pushed: false };
        let later = Asker { epoch: Some("e"), cursor: 7, has_pushed: true };
        for (asker, header, step) in [
            (first, header("e", 0, [false, true, true]), Verdict::Take),
            (later, header("e", 7, [true; 3]), Verdict::Take),
            (later, header("e", 9, [true; 3]), Verdict::Take),
            (
                Asker { has_pushed: false, ..later },
                header("e", 7, [false, true, true]),
                Verdict::Take,
            ),
            (later, header("f", 7, [true; 3]), Verdict::Forget),
            (later, header("e", 6, [true; 3]), Verdict::Forget),
            (later, header("e", 7, [false, true, true]), Verdict::Forget),
            (later, header("e", 7, [true, false, true]), Verdict::Forget),
            (later, header("e", 7, [true, true, false]), Verdict::Forget),
        ] {
            let mut state = PullState::default();
            assert_eq!(state.after_answer(&asker, &header), step, "{asker:?} {header:?}");
            assert_eq!(state.went_back, step == Verdict::Forget);
            let again = state.after_answer(&asker, &header);
            let is_distrusted = matches!(again, Verdict::Distrust(_));
            assert_eq!(is_distrusted, step == Verdict::Forget, "{asker:?} {header:?}");
        }
    }

    #[test]
    fn a_page_ends_the_pull_unless_there_is_more() {
        for (more, is_short, step) in [
            (false, false, Onward::Finish),
            (false, true, Onward::Finish),
            (true, false, Onward::Ask),
            (true, true, Onward::Ask),
        ] {
            assert_eq!(PullState::default().after_page(more, is_short), step);
        }
    }

    #[test]
    fn endless_short_pages_are_not_believed() {
        let mut state = PullState::default();
        let asked = (0..1000).take_while(|_| state.after_page(true, true) == Onward::Ask).count();
        assert_eq!(asked, SHORT_PAGES_MAX as usize);
        let mut state = PullState::default();
        assert!((0..1000).all(|_| state.after_page(true, false) == Onward::Ask));
    }
}
