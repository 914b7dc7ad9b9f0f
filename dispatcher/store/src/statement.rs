//! SQL whose plan is kept: `diesel::sql_query` would be parsed and planned anew at every call.

use std::marker::PhantomData;

use diesel::RunQueryDsl;
use diesel::pg::{Pg, PgConnection};
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::serialize::ToSql;
use diesel::sql_types::HasSqlType;

/// A statement with its parameters: the n-th `?` in the text is the n-th bound value. `Row` names the SQL types of the
/// columns that come back.
pub(crate) struct Statement<'a, Row> {
    sql: &'static str,
    values: Vec<Box<dyn QueryFragment<Pg> + 'a>>,
    row: PhantomData<fn() -> Row>,
}

/// Begins a statement.
pub(crate) const fn statement<'a, Row>(sql: &'static str) -> Statement<'a, Row> {
    Statement {
        sql,
        values: Vec::new(),
        row: PhantomData,
    }
}

impl<'a, Row> Statement<'a, Row> {
    /// Binds the next parameter.
    pub(crate) fn bind<SqlType, Value>(mut self, value: Value) -> Self
    where
        SqlType: 'a,
        Pg: HasSqlType<SqlType>,
        Value: ToSql<SqlType, Pg> + 'a,
    {
        self.values.push(Box::new(Bound::<SqlType, Value> {
            value,
            sql_type: PhantomData,
        }));
        self
    }
}

struct Bound<SqlType, Value> {
    value: Value,
    sql_type: PhantomData<SqlType>,
}

impl<SqlType, Value> QueryFragment<Pg> for Bound<SqlType, Value>
where
    Pg: HasSqlType<SqlType>,
    Value: ToSql<SqlType, Pg>,
{
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        pass.push_bind_param::<SqlType, Value>(&self.value)
    }
}

impl<Row> QueryFragment<Pg> for Statement<'_, Row> {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let mut values = self.values.iter();
        for (place, text) in self.sql.split('?').enumerate() {
            if place > 0
                && let Some(value) = values.next()
            {
                value.walk_ast(pass.reborrow())?;
            }
            pass.push_sql(text);
        }
        Ok(())
    }
}

impl<Row> QueryId for Statement<'_, Row> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Row> Query for Statement<'_, Row> {
    type SqlType = Row;
}

impl<Row> RunQueryDsl<PgConnection> for Statement<'_, Row> {}
