//! Which of the engine's triggers and views a migration drops and creates.

use crate::record::model::{Object, Record};

/// The engine's triggers and views that are dropped, and those that are created.
pub struct Objects<'a> {
    pub dropped: Vec<&'a Object>,
    pub made: Vec<&'a Object>,
}

impl<'a> Objects<'a> {
    /// Selects the objects that changed, and those that read an altered table: SQLite refuses to
    /// alter a table if a trigger would no longer match it, and drops a table's triggers with it.
    pub fn new(from: &'a Record, to: &'a Record, altered: &[&str]) -> Objects<'a> {
        let reads = |object: &Object| altered.iter().any(|name| object.sql.contains(name));
        let stays = |object: &&Object| to.objects.contains(object) && !reads(object);
        let dropped: Vec<&Object> = from.objects.iter().filter(|object| !stays(object)).collect();
        let is_there =
            |object: &Object| from.objects.contains(object) && !dropped.contains(&object);
        let made = to.objects.iter().filter(|object| !is_there(object)).collect();
        Objects { made, dropped }
    }
}
