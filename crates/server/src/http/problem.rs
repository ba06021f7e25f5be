//! Errors as problem documents.

use axum::Json;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use skillscope_query::ErrorKind;
use utoipa::ToSchema;

use crate::caller::Refused;

/// An error as a problem document (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Problem {
    /// A URI that stands for the kind of problem.
    #[serde(rename = "type")]
    #[schema(example = "urn:skillscope:problem:invalid-parameter")]
    kind: &'static str,
    /// The kind of problem in words.
    #[schema(example = "Invalid parameter")]
    title: &'static str,
    /// The HTTP status.
    #[schema(example = 400)]
    status: u16,
    /// What was wrong this time, and what is allowed.
    #[schema(example = "it is a whole number of minutes from 1 to 1440")]
    detail: String,
    /// The parameter that is to blame.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "timeframe")]
    parameter: Option<String>,
    /// The value that it had; absent where it is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "1441")]
    value: Option<String>,
    /// After how many seconds it is worth another try.
    #[serde(skip)]
    retry_after: Option<u32>,
}

/// Declares the kinds of problems: constructor, status, URI and title.
macro_rules! problems {
    ($($(#[$doc:meta])* $name:ident: $status:ident, $kind:literal, $title:literal;)+) => {
        impl Problem {
            $($(#[$doc])* pub(super) fn $name(detail: impl Into<String>) -> Self {
                Self {
                    kind: concat!("urn:skillscope:problem:", $kind),
                    title: $title,
                    status: StatusCode::$status.as_u16(),
                    detail: detail.into(),
                    parameter: None,
                    value: None,
                    retry_after: None,
                }
            })+
        }
    };
}

problems! {
    invalid_parameter: BAD_REQUEST, "invalid-parameter", "Invalid parameter";
    malformed: BAD_REQUEST, "malformed-request", "Malformed request";
    invalid_body: BAD_REQUEST, "invalid-body", "Invalid request body";
    invalid_query: BAD_REQUEST, "invalid-query", "Invalid SQL statement";
    not_encrypted: BAD_REQUEST, "not-encrypted", "Not encrypted";
    unauthorized: UNAUTHORIZED, "unauthorized", "Not let in";
    forbidden: FORBIDDEN, "forbidden", "Forbidden";
    not_found: NOT_FOUND, "not-found", "Not found";
    method_not_allowed: METHOD_NOT_ALLOWED, "method-not-allowed", "Method not allowed";
    too_late: REQUEST_TIMEOUT, "too-late", "Request takes too long";
    too_large: PAYLOAD_TOO_LARGE, "too-large", "Request body too large";
    url_too_long: URI_TOO_LONG, "url-too-long", "URL too long";
    headers_too_large: REQUEST_HEADER_FIELDS_TOO_LARGE, "headers-too-large", "Headers too large";
    too_many_requests: TOO_MANY_REQUESTS, "too-many-requests", "Too many requests";
    misdirected: MISDIRECTED_REQUEST, "misdirected", "Misdirected request";
    not_acceptable: NOT_ACCEPTABLE, "not-acceptable", "Not acceptable";
    killed: CONFLICT, "killed", "Ended on request";
    too_slow: UNPROCESSABLE_ENTITY, "too-slow", "Statement takes too long";
    unsupported_media_type: UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", "Unsupported media type";
    internal: INTERNAL_SERVER_ERROR, "internal", "Internal error";
    unavailable: SERVICE_UNAVAILABLE, "unavailable", "Not available now";
    unknown_version: HTTP_VERSION_NOT_SUPPORTED, "unknown-version", "HTTP version not supported";
    storage_full: INSUFFICIENT_STORAGE, "storage-full", "Storage is full";
}

impl Problem {
    /// Names the parameter that is to blame, and its value.
    pub(super) fn blaming(mut self, parameter: &str, value: Option<String>) -> Self {
        self.parameter = Some(parameter.to_owned());
        self.value = value;
        self
    }

    /// The status and the reason of what was wrong with a request; `None` where the server is to blame.
    pub(super) fn refusal(&self) -> Option<(u16, &str)> {
        (400..500).contains(&self.status).then_some((self.status, self.detail.as_str()))
    }

    /// There is nothing at a path.
    pub(super) fn nothing_at(path: &str) -> Self {
        Self::not_found(format!("there is nothing at {path}"))
    }

    /// Something that there is not enough of now, and soon may be.
    pub(super) fn busy(detail: impl Into<String>) -> Self {
        Self { retry_after: Some(1), ..Self::unavailable(detail) }
    }

    /// Somebody asks for more than one caller may, and may again after some seconds.
    pub(super) fn too_many(detail: impl Into<String>, seconds: u32) -> Self {
        Self { retry_after: Some(seconds), ..Self::too_many_requests(detail) }
    }

    /// The bytes of an answer for a client whose request nobody takes. It is the connection's last.
    pub(super) fn last_words(&self) -> Vec<u8> {
        let body = serde_json::to_string(self).unwrap_or_default();
        let status = self.status().to_string();
        let retry_after = self.retry_after.map(|seconds| format!("retry-after: {seconds}\r\n")).unwrap_or_default();
        let length = body.len();
        format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/problem+json\r\n{retry_after}connection: close\r\n\
             content-length: {length}\r\n\r\n{body}"
        )
        .into_bytes()
    }

    fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status();
        let retry_after = self.retry_after;
        let mut response = (status, Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"skillscope\""));
        }
        response
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::NoAccount { named, rule } => Self::invalid_parameter(rule).blaming("account", Some(named)),
            Refused::NotText | Refused::NoDatabase => Self::invalid_parameter(refused.to_string()),
            Refused::NoToken
            | Refused::UnknownToken
            | Refused::NotSigned { .. }
            | Refused::SignedAtAnotherTime { .. }
            | Refused::SignedTooEarly
            | Refused::TokenEnded => Self::unauthorized(refused.to_string()),
            Refused::OutOfScope { .. } | Refused::NotPermitted(_) => Self::forbidden(refused.to_string()),
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        Problem::from(self).into_response()
    }
}

impl From<skillscope_query::Error> for Problem {
    fn from(error: skillscope_query::Error) -> Self {
        let (kind, text) = (error.kind(), error.public_text());
        if let skillscope_query::Error::Parameter { parameter, value, rule } = error {
            return Self::invalid_parameter(rule).blaming(parameter, value);
        }
        match kind {
            ErrorKind::Parameter => Self::invalid_parameter(text),
            ErrorKind::Syntax
            | ErrorKind::UnknownTable
            | ErrorKind::UnknownColumn
            | ErrorKind::Value
            | ErrorKind::Statement
            | ErrorKind::NameTaken
            | ErrorKind::WrongKind
            | ErrorKind::TooMuch
            | ErrorKind::ReadOnly => Self::invalid_query(text),
            ErrorKind::NotPermitted => Self::forbidden(text),
            ErrorKind::OutOfMemory | ErrorKind::TooManyQueries => Self::busy(text),
            ErrorKind::Archive | ErrorKind::NotStored => Self::unavailable(text),
            ErrorKind::TimeLimit => Self::too_slow(text),
            ErrorKind::Killed => Self::killed(text),
            ErrorKind::Internal => Self::internal(text),
        }
    }
}

impl From<skillscope_store::Error> for Problem {
    fn from(error: skillscope_store::Error) -> Self {
        use skillscope_segment::Error as Unread;
        use skillscope_store::{Error, RelationError};
        if let Error::Segment(
            error @ (Unread::Unreadable { .. } | Unread::ColumnMissing { .. } | Unread::ColumnType { .. }),
        ) = error
        {
            return Self::invalid_body(error.to_string());
        }
        match error {
            Error::Segment(Unread::UnfoldsTooFar { most }) => {
                return Self::too_large(format!(
                    "the records in the body take more than {most} bytes once they are decoded, which is the most for a body of its size; send several requests, or allow more with --max-body-bytes"
                ));
            }
            Error::Segment(Unread::Table { reason }) => return Self::invalid_body(reason),
            Error::Relation(
                refused @ (RelationError::TooMany { .. }
                | RelationError::TooLarge { .. }
                | RelationError::NoRoom { .. }),
            ) => {
                return Self::storage_full(refused.to_string());
            }
            Error::Relation(refused) => return Self::invalid_parameter(refused.to_string()).blaming("name", None),
            Error::Segment(Unread::Abandoned) => return Self::unavailable("the client has left"),
            _ => {}
        }
        tracing::error!(%error, "the store could not do what a request asked for");
        if error.is_storage_full() {
            return Self::storage_full(
                "there is no room left on the disk; send the request again when there is: what is stored already counts once",
            );
        }
        Self::unavailable(
            "the disk could not be written or read, and the server's log says why; send the request again: what is stored already counts once",
        )
    }
}
