//! Values, rows and statements: what the rest of the store sees of a database, whichever it is.
//!
//! A value is an integer, text, bytes or nothing: what both databases have in the same way. Truth is an integer, 0 or 1.

use super::postgres::{self, Open};
use super::sqlite;

/// What a statement can go wrong with.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// SQLite said no.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// PostgreSQL said no, or says nothing any more.
    #[error("PostgreSQL: {0}")]
    Postgres(#[from] ::postgres::Error),
    /// Rows could not be sent to PostgreSQL.
    #[error("PostgreSQL: rows could not be sent: {0}")]
    Sending(#[from] std::io::Error),
    /// A column holds something else than was asked for; its place in the row, from 0.
    #[error("column {0} of the answer holds something else than was asked for")]
    Unexpected(usize),
    /// There is no row, where one was asked for.
    #[error("there is no such row")]
    NoRow,
    /// A statement of the same transaction failed before.
    #[error("the transaction had failed before")]
    Aborted,
    /// A statement was begun while the answer of another was being read.
    #[error("another answer is still being read")]
    Busy,
    /// Another transaction changed what this one had found.
    #[error("another transaction was faster")]
    Overtaken,
    /// A value is longer than two gigabytes.
    #[error("a value is too long")]
    TooLong,
}

impl Failure {
    /// Whether the cause is a full disk.
    pub(crate) fn is_full(&self) -> bool {
        match self {
            Failure::Sqlite(error) => sqlite::is_full(error),
            Failure::Postgres(error) => postgres::is_full(error),
            _ => false,
        }
    }

    /// Whether the transaction has surely left nothing.
    pub(crate) fn is_surely_undone(&self) -> bool {
        match self {
            Failure::Sqlite(error) => sqlite::is_surely_undone(error),
            Failure::Postgres(error) => postgres::is_surely_undone(error),
            Failure::Aborted => true,
            _ => false,
        }
    }

    /// Whether the same transaction may go well when it is tried again, because others were in its way.
    pub(crate) fn is_in_the_way(&self) -> bool {
        match self {
            Failure::Postgres(error) => postgres::is_in_the_way(error),
            Failure::Overtaken => true,
            _ => false,
        }
    }
}

/// What a statement gives.
pub(crate) type Result<T> = std::result::Result<T, Failure>;

/// A value on its way into or out of a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    /// Nothing: "still", "unknown".
    Null,
    /// A number, a time, a truth.
    Integer(i64),
    /// Text.
    Text(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
}

/// What can be a parameter of a statement.
pub(crate) trait ToValue {
    /// The value it is.
    fn to_value(&self) -> Value<'_>;
}

/// What a column can be read as.
pub(crate) trait FromValue: Sized {
    /// What the value is; `None` when it is not of this sort, or out of range.
    fn from_value(value: Value<'_>) -> Option<Self>;
}

macro_rules! integers {
    ($($of:ty)*) => { $(
        impl ToValue for $of {
            fn to_value(&self) -> Value<'_> {
                Value::Integer(i64::from(*self))
            }
        }
        impl FromValue for $of {
            fn from_value(value: Value<'_>) -> Option<$of> {
                match value {
                    Value::Integer(number) => <$of>::try_from(number).ok(),
                    _ => None,
                }
            }
        }
    )* };
}

integers!(i64 i32 u8 u16 u32);

impl ToValue for u64 {
    /// What no column can hold is kept as the most that one can.
    fn to_value(&self) -> Value<'_> {
        Value::Integer(i64::try_from(*self).unwrap_or(i64::MAX))
    }
}

impl FromValue for u64 {
    fn from_value(value: Value<'_>) -> Option<u64> {
        i64::from_value(value).and_then(|number| u64::try_from(number).ok())
    }
}

impl ToValue for bool {
    fn to_value(&self) -> Value<'_> {
        Value::Integer(i64::from(*self))
    }
}

impl FromValue for bool {
    fn from_value(value: Value<'_>) -> Option<bool> {
        i64::from_value(value).map(|number| number != 0)
    }
}

impl ToValue for str {
    fn to_value(&self) -> Value<'_> {
        Value::Text(self)
    }
}

impl ToValue for String {
    fn to_value(&self) -> Value<'_> {
        Value::Text(self)
    }
}

impl FromValue for String {
    fn from_value(value: Value<'_>) -> Option<String> {
        match value {
            Value::Text(text) => Some(text.to_owned()),
            _ => None,
        }
    }
}

impl ToValue for [u8] {
    fn to_value(&self) -> Value<'_> {
        Value::Bytes(self)
    }
}

impl ToValue for Vec<u8> {
    fn to_value(&self) -> Value<'_> {
        Value::Bytes(self)
    }
}

impl FromValue for Vec<u8> {
    fn from_value(value: Value<'_>) -> Option<Vec<u8>> {
        match value {
            Value::Bytes(bytes) => Some(bytes.to_vec()),
            _ => None,
        }
    }
}

impl<const N: usize> ToValue for [u8; N] {
    fn to_value(&self) -> Value<'_> {
        Value::Bytes(self)
    }
}

impl<const N: usize> FromValue for [u8; N] {
    fn from_value(value: Value<'_>) -> Option<[u8; N]> {
        match value {
            Value::Bytes(bytes) => bytes.try_into().ok(),
            _ => None,
        }
    }
}

impl<T: ToValue> ToValue for Option<T> {
    fn to_value(&self) -> Value<'_> {
        self.as_ref().map_or(Value::Null, T::to_value)
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: Value<'_>) -> Option<Option<T>> {
        match value {
            Value::Null => Some(None),
            value => T::from_value(value).map(Some),
        }
    }
}

impl<T: ToValue + ?Sized> ToValue for &T {
    fn to_value(&self) -> Value<'_> {
        (*self).to_value()
    }
}

impl ToValue for Value<'_> {
    fn to_value(&self) -> Value<'_> {
        *self
    }
}

/// The parameters of a statement: a tuple or an array of values, `()` for none. Nothing is copied or allocated.
pub(crate) trait Params {
    /// Hands the values to `run`.
    fn with<Out>(&self, run: impl FnOnce(&[Value<'_>]) -> Out) -> Out;
}

impl Params for () {
    fn with<Out>(&self, run: impl FnOnce(&[Value<'_>]) -> Out) -> Out {
        run(&[])
    }
}

impl<T: ToValue, const N: usize> Params for [T; N] {
    fn with<Out>(&self, run: impl FnOnce(&[Value<'_>]) -> Out) -> Out {
        run(&self.each_ref().map(T::to_value))
    }
}

macro_rules! tuples {
    ($($name:ident)+) => {
        impl<$($name: ToValue),+> Params for ($($name,)+) {
            #[allow(non_snake_case)]
            fn with<Out>(&self, run: impl FnOnce(&[Value<'_>]) -> Out) -> Out {
                let ($($name,)+) = self;
                run(&[$($name.to_value()),+])
            }
        }
    };
}

tuples!(A);
tuples!(A B);
tuples!(A B C);
tuples!(A B C D);
tuples!(A B C D E);
tuples!(A B C D E F);
tuples!(A B C D E F G);
tuples!(A B C D E F G H);
tuples!(A B C D E F G H I);
tuples!(A B C D E F G H I J);
tuples!(A B C D E F G H I J K);
tuples!(A B C D E F G H I J K L);
tuples!(A B C D E F G H I J K L M);
tuples!(A B C D E F G H I J K L M N);
tuples!(A B C D E F G H I J K L M N O);
tuples!(A B C D E F G H I J K L M N O P);
tuples!(A B C D E F G H I J K L M N O P Q);
tuples!(A B C D E F G H I J K L M N O P Q R);
tuples!(A B C D E F G H I J K L M N O P Q R S);
tuples!(A B C D E F G H I J K L M N O P Q R S T);
tuples!(A B C D E F G H I J K L M N O P Q R S T U);
tuples!(A B C D E F G H I J K L M N O P Q R S T U V);
tuples!(A B C D E F G H I J K L M N O P Q R S T U V W);
tuples!(A B C D E F G H I J K L M N O P Q R S T U V W X);
tuples!(A B C D E F G H I J K L M N O P Q R S T U V W X Y);
tuples!(A B C D E F G H I J K L M N O P Q R S T U V W X Y Z);
tuples!(A B C D E F G H I J K L M N O P Q R S T U V W X Y Z A2);
tuples!(A B C D E F G H I J K L M N O P Q R S T U V W X Y Z A2 B2);
tuples!(A B C D E F G H I J K L M N O P Q R S T U V W X Y Z A2 B2 C2);
tuples!(A B C D E F G H I J K L M N O P Q R S T U V W X Y Z A2 B2 C2 D2);
tuples!(A B C D E F G H I J K L M N O P Q R S T U V W X Y Z A2 B2 C2 D2 E2);
tuples!(A B C D E F G H I J K L M N O P Q R S T U V W X Y Z A2 B2 C2 D2 E2 F2);
tuples!(A B C D E F G H I J K L M N O P Q R S T U V W X Y Z A2 B2 C2 D2 E2 F2 G2);
tuples!(A B C D E F G H I J K L M N O P Q R S T U V W X Y Z A2 B2 C2 D2 E2 F2 G2 H2);
tuples!(A B C D E F G H I J K L M N O P Q R S T U V W X Y Z A2 B2 C2 D2 E2 F2 G2 H2 I2);
tuples!(A B C D E F G H I J K L M N O P Q R S T U V W X Y Z A2 B2 C2 D2 E2 F2 G2 H2 I2 J2);
tuples!(A B C D E F G H I J K L M N O P Q R S T U V W X Y Z A2 B2 C2 D2 E2 F2 G2 H2 I2 J2 K2);
tuples!(A B C D E F G H I J K L M N O P Q R S T U V W X Y Z A2 B2 C2 D2 E2 F2 G2 H2 I2 J2 K2 L2);
tuples!(A B C D E F G H I J K L M N O P Q R S T U V W X Y Z A2 B2 C2 D2 E2 F2 G2 H2 I2 J2 K2 L2 M2);
tuples!(A B C D E F G H I J K L M N O P Q R S T U V W X Y Z A2 B2 C2 D2 E2 F2 G2 H2 I2 J2 K2 L2 M2 N2);
tuples!(A B C D E F G H I J K L M N O P Q R S T U V W X Y Z A2 B2 C2 D2 E2 F2 G2 H2 I2 J2 K2 L2 M2 N2 O2);
tuples!(A B C D E F G H I J K L M N O P Q R S T U V W X Y Z A2 B2 C2 D2 E2 F2 G2 H2 I2 J2 K2 L2 M2 N2 O2 P2);
tuples!(A B C D E F G H I J K L M N O P Q R S T U V W X Y Z A2 B2 C2 D2 E2 F2 G2 H2 I2 J2 K2 L2 M2 N2 O2 P2 Q2);
tuples!(A B C D E F G H I J K L M N O P Q R S T U V W X Y Z A2 B2 C2 D2 E2 F2 G2 H2 I2 J2 K2 L2 M2 N2 O2 P2 Q2 R2);

/// A row of an answer.
pub(crate) enum Row<'a> {
    /// Of SQLite.
    Sqlite(&'a rusqlite::Row<'a>),
    /// Of PostgreSQL.
    Postgres(&'a ::postgres::Row),
}

impl Row<'_> {
    /// The value of a column, counted from 0.
    ///
    /// # Errors
    /// [`Failure::Unexpected`] when it is of another sort, or does not fit.
    pub(crate) fn get<T: FromValue>(&self, at: usize) -> Result<T> {
        let value = match self {
            Row::Sqlite(row) => sqlite::value(row, at)?,
            Row::Postgres(row) => postgres::value(row, at)?,
        };
        T::from_value(value).ok_or(Failure::Unexpected(at))
    }
}

/// A statement that is ready to be run, any number of times.
pub(crate) enum Statement<'a> {
    /// Of SQLite.
    Sqlite(rusqlite::CachedStatement<'a>),
    /// Of PostgreSQL, with the transaction it runs in.
    Postgres(&'a Open, ::postgres::Statement),
}

impl Statement<'_> {
    /// Runs it; the number of rows it changed.
    ///
    /// # Errors
    /// [`Failure`].
    pub(crate) fn execute(&mut self, parameters: impl Params) -> Result<usize> {
        match self {
            Statement::Sqlite(statement) => parameters.with(|values| sqlite::execute(statement, values)),
            Statement::Postgres(open, statement) => {
                parameters.with(|values| open.on(|session| postgres::execute(session, statement, values)))
            }
        }
    }

    /// Runs it, and reads the first row of its answer.
    ///
    /// # Errors
    /// [`Failure::NoRow`] when there is none (see [`OptionalExtension`]), and those of `read`.
    pub(crate) fn query_row<T>(&mut self, parameters: impl Params, read: impl FnOnce(&Row<'_>) -> Result<T>) -> Result<T> {
        let mut rows = self.query(parameters)?;
        match rows.next()? {
            Some(row) => read(&row),
            None => Err(Failure::NoRow),
        }
    }

    /// Runs it, and reads every row of its answer.
    ///
    /// # Errors
    /// [`Failure`]; each item has its own.
    pub(crate) fn query_map<T, F: FnMut(&Row<'_>) -> Result<T>>(
        &mut self,
        parameters: impl Params,
        read: F,
    ) -> Result<impl Iterator<Item = Result<T>>> {
        let mut rows = self.query(parameters)?;
        let mut read = read;
        Ok(std::iter::from_fn(move || match rows.next() {
            Ok(Some(row)) => Some(read(&row)),
            Ok(None) => None,
            Err(failure) => Some(Err(failure)),
        }))
    }

    /// Runs it, and hands every row of its answer to `take`, without keeping them: for answers of any length. No other
    /// statement may be run meanwhile.
    ///
    /// # Errors
    /// [`Failure`], and those of `take`.
    pub(crate) fn each<E: From<Failure>>(
        &mut self,
        parameters: impl Params,
        mut take: impl FnMut(&Row<'_>) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        match self {
            Statement::Sqlite(statement) => {
                let mut rows = parameters.with(|values| sqlite::query(statement, values))?;
                while let Some(row) = rows.next().map_err(Failure::from)? {
                    take(&Row::Sqlite(row))?;
                }
                Ok(())
            }
            Statement::Postgres(open, statement) => {
                let mut taken = Ok(());
                let each = |row: &::postgres::Row| {
                    taken = take(&Row::Postgres(row));
                    taken.is_ok()
                };
                parameters.with(|values| open.on(|session| postgres::each(session, statement, values, each)))?;
                taken
            }
        }
    }

    /// Runs it; its answer, to be gone through.
    ///
    /// # Errors
    /// [`Failure`].
    pub(crate) fn query(&mut self, parameters: impl Params) -> Result<Rows<'_>> {
        match self {
            Statement::Sqlite(statement) => Ok(Rows::Sqlite(parameters.with(|values| sqlite::query(statement, values))?)),
            Statement::Postgres(open, statement) => {
                let rows = parameters.with(|values| open.on(|session| postgres::query(session, statement, values)))?;
                Ok(Rows::Postgres(rows.into_iter(), None))
            }
        }
    }
}

/// The rows of an answer, one after the other.
pub(crate) enum Rows<'a> {
    /// Of SQLite.
    Sqlite(rusqlite::Rows<'a>),
    /// Of PostgreSQL: those to come, and the present one.
    Postgres(std::vec::IntoIter<::postgres::Row>, Option<::postgres::Row>),
}

impl Rows<'_> {
    /// The next row; `None` behind the last.
    ///
    /// # Errors
    /// [`Failure`].
    #[allow(clippy::should_implement_trait)] // A row borrows from its answer, which an iterator's item cannot.
    pub(crate) fn next(&mut self) -> Result<Option<Row<'_>>> {
        match self {
            Rows::Sqlite(rows) => Ok(rows.next()?.map(Row::Sqlite)),
            Rows::Postgres(rows, present) => {
                *present = rows.next();
                Ok(present.as_ref().map(Row::Postgres))
            }
        }
    }
}

/// Takes the want of a row as an answer.
pub(crate) trait OptionalExtension<T> {
    /// `None` when there is no row.
    ///
    /// # Errors
    /// Every failure but [`Failure::NoRow`].
    fn optional(self) -> Result<Option<T>>;
}

impl<T> OptionalExtension<T> for Result<T> {
    fn optional(self) -> Result<Option<T>> {
        match self {
            Ok(value) => Ok(Some(value)),
            Err(Failure::NoRow | Failure::Sqlite(rusqlite::Error::QueryReturnedNoRows)) => Ok(None),
            Err(failure) => Err(failure),
        }
    }
}

/// The value of a closed set that a column keeps by its number.
pub(crate) fn numbered<T: Copy>(row: &Row<'_>, at: usize, all: &[T]) -> Result<T> {
    let number: i64 = row.get(at)?;
    let value = usize::try_from(number).ok().and_then(|number| all.get(number));
    value.copied().ok_or(Failure::Unexpected(at))
}
