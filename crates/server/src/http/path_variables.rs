//! The variables in the path of a request.

use axum::extract::path::ErrorKind;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::problem::Problem;

/// The variables in the path of a request. Where one is not valid UTF-8, the answer is a problem document.
pub(super) struct PathVariables<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for PathVariables<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let variables = Path::from_request_parts(parts, state).await;
        variables.map(|Path(variables)| Self(variables)).map_err(|error| refusal(&error))
    }
}

fn refusal(error: &PathRejection) -> Problem {
    match error {
        PathRejection::FailedToDeserializePathParams(error) => match error.kind() {
            ErrorKind::InvalidUtf8InPathParam { key } => {
                Problem::invalid_parameter("its percent-encoding in the URL is not UTF-8").blaming(key, None)
            }
            _ => Problem::not_found(error.body_text()),
        },
        error => Problem::not_found(error.body_text()),
    }
}
