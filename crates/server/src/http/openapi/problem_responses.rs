//! Problem documents among the answers of a route.

use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};

/// Declares the problems of a route: a name, which stands among the `responses` of its description, and the case for
/// each status.
macro_rules! problem_responses {
    ($($name:ident { $($status:literal: $description:literal,)+ })+) => {
        $(pub(super) enum $name {}

        impl utoipa::IntoResponses for $name {
            fn responses() -> std::collections::BTreeMap<String, utoipa::openapi::RefOr<utoipa::openapi::Response>> {
                [$($crate::http::openapi::problem_response($status, $description)),+].into()
            }
        })+
    };
}
pub(in crate::http) use problem_responses;

/// The response with this status, whose body is a problem document.
pub(in crate::http) fn problem_response(status: u16, description: &str) -> (String, RefOr<Response>) {
    let problem = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    let response = ResponseBuilder::new().description(description).content("application/problem+json", problem).build();
    (status.to_string(), response.into())
}
