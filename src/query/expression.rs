//! Expressions of our own for Diesel's queries.

/// Gives a `QueryFragment<Backend>` that is generic over the source it appears in the traits of an expression. Its columns come
/// from the model whose `Source` that is, which is all that these traits ask. Its text varies, so the text is its key
/// among the prepared statements.
macro_rules! expression {
    ($name:ident, $sql_type:ty) => {
        impl<QS> diesel::expression::Expression for $name<QS> {
            type SqlType = $sql_type;
        }
        impl<QS> diesel::expression::AppearsOnTable<QS> for $name<QS> {}
        impl<QS> diesel::expression::SelectableExpression<QS> for $name<QS> {}
        impl<QS, GroupBy> diesel::expression::ValidGrouping<GroupBy> for $name<QS> {
            type IsAggregate = diesel::expression::is_aggregate::No;
        }
        impl<QS> diesel::query_builder::QueryId for $name<QS> {
            type QueryId = ();
            const HAS_STATIC_QUERY_ID: bool = false;
        }
    };
}
pub(super) use expression;
