//! Several writes as one: the primary applies all of them, or none.

use std::fmt;

use fastest_schema::value::serialize::named_values;
use fastest_schema::{Row, RowKey, ScopeId, Value};

use crate::database::error::DatabaseError;
use crate::replica::session::Session;
use crate::replica::values::{decode, try_values_of};
use crate::rows::write::Writer;
use crate::rows::write_error::WriteError;

/// A [`crate::Database`] within a transaction. Reads see the writes that came before.
pub struct Transaction<'a> {
    session: Session<'a>,
    /// The file's scope; `None` if it may hold rows of any scope.
    scope: Option<&'a ScopeId>,
}

impl fmt::Debug for Transaction<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction").field("scope", &self.scope).finish_non_exhaustive()
    }
}

impl<'a> Transaction<'a> {
    pub(crate) fn new(session: Session<'a>, scope: Option<&'a ScopeId>) -> Self {
        Self { session, scope }
    }

    /// Inserts or updates a row, and queues it for the primary. Its scope is the one that its table
    /// declares.
    pub fn save<R: Row>(&self, row: &R) -> Result<(), DatabaseError> {
        Writer(self.session).check_table(R::TABLE)?;
        let values = try_values_of(row)
            .map_err(|source| WriteError::Unwritable { table: R::TABLE.name, source })?;
        Ok(Writer(self.session).write(self.scope, R::TABLE, &values)?)
    }

    /// Inserts a new row, with defaults for absent columns, and returns it.
    pub fn insert<R: Row>(&self, new: &R::New) -> Result<R, DatabaseError> {
        Writer(self.session).check_table(R::TABLE)?;
        let given = named_values(new)
            .map_err(|source| WriteError::Unwritable { table: R::TABLE.name, source })?;
        Ok(decode(Writer(self.session).insert(self.scope, R::TABLE, &given)?)?)
    }

    /// Deletes a row, and the rows that refer to it as their foreign keys declare. Returns whether
    /// the row was there.
    pub fn delete<R: Row>(&self, key: &str) -> Result<bool, DatabaseError> {
        Writer(self.session).check_table(R::TABLE)?;
        Ok(Writer(self.session).delete(self.scope, R::TABLE, &RowKey::from(key))?)
    }

    /// Returns the row with this key.
    pub fn get<R: Row>(&self, key: &str) -> Result<Option<R>, DatabaseError> {
        Writer(self.session).check_table(R::TABLE)?;
        Ok(self.session.row_at(&RowKey::from(key))?)
    }

    /// Returns every row of a table, ordered by key.
    pub fn all<R: Row>(&self) -> Result<Vec<R>, DatabaseError> {
        Writer(self.session).check_table(R::TABLE)?;
        Ok(self.session.rows_where(None)?)
    }

    /// Returns the rows whose `column` holds `value`, ordered by key. Columns are named by
    /// constants of the row's type.
    pub fn find<R: Row>(
        &self,
        column: &str,
        value: impl Into<Value>,
    ) -> Result<Vec<R>, DatabaseError> {
        Writer(self.session).check_table(R::TABLE)?;
        if R::TABLE.column(column).is_none() {
            let (table, column) = (R::TABLE.name, column.to_owned());
            return Err(DatabaseError::NoColumn { table, column });
        }
        let value = value.into();
        // SQLite would bind NaN as null, which would match rows without a value.
        if value.is_nan() {
            return Ok(Vec::new());
        }
        Ok(self.session.rows_where(Some((column, &value)))?)
    }
}
