//! The parameters of a request's query.

use std::borrow::Cow;

/// The names and values of a query, in its order. A name may come twice.
pub(super) fn query_parameters(query: &str) -> Vec<(Cow<'_, str>, Cow<'_, str>)> {
    form_urlencoded::parse(query.as_bytes()).collect()
}
