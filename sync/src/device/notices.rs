//! Notices for the user about a push or a pull.

use crate::exchange::push::state::Pushed;

/// Returns the notices about a push.
pub(crate) fn notices_of(pushed: &Pushed) -> Vec<String> {
    let mut notices = Vec::new();
    if pushed.primary_went_back {
        notices.push(WENT_BACK.to_owned());
    }
    if pushed.new_device {
        notices.push(
            "this store is a copy of another device's: from here on it is a device of its own"
                .to_owned(),
        );
    }
    notices.extend(pushed.behind.as_deref().map(behind_notice));
    notices
}

/// The notice that the primary lacks changes that it had.
pub(crate) const WENT_BACK: &str = "the primary is another one, or was put back to an older day: \
     what this device holds and it lacks is sent again";

/// Returns the notice about packs that were sent again, if there were any.
pub(crate) fn resent_notice(count: u64) -> Option<String> {
    let what = match count {
        0 => return None,
        1 => "1 pack, which was damaged at the remote, was sent again".to_owned(),
        count => format!("{count} packs, which were damaged at the remote, were sent again"),
    };
    Some(what)
}

/// Returns the notice that the primary's schema lacks migrations of this build.
pub(crate) fn behind_notice(last: &str) -> String {
    format!("the primary's schema is at {last}: `fastest remote migrate` brings it up to date")
}
