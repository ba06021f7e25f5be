//! Values that several records have in common: times, and words of a vocabulary.

use serde::Serialize;
use skillscope_segment::{AgentKind, ClosedBy, EndReason, Outcome, Sender, StartReason, UserType};
use utoipa::ToSchema;
use utoipa::openapi::schema::{Array, ArrayBuilder, Object, ObjectBuilder, Type};

use crate::access::Permission;

/// A time from 1970 to 2199.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "it is there to be described")]
pub(super) enum TimeBody {
    /// Milliseconds since the epoch.
    Milliseconds(i64),
    /// RFC 3339; digits beyond the millisecond are dropped. Without an offset it is of the zone that `time_zone` names.
    Rfc3339(String),
}

/// Text that is one of `words`.
pub(super) fn one_of(words: impl IntoIterator<Item = &'static str>) -> Object {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words)).build()
}

/// Declares, for each vocabulary, the function that `schema_with` calls.
macro_rules! vocabularies {
    ($($function:ident: $words:ident,)+) => {
        $(pub(super) fn $function() -> Object {
            one_of($words::ALL.iter().map(|word| word.as_str()))
        })+
    };
}

/// What a token opens.
pub(in crate::http) fn scopes() -> Array {
    ArrayBuilder::new().items(one_of(Permission::ALL.map(Permission::as_str))).build()
}

vocabularies! {
    start_reasons: StartReason,
    end_reasons: EndReason,
    user_types: UserType,
    outcomes: Outcome,
    agent_kinds: AgentKind,
    senders: Sender,
    closers: ClosedBy,
}
