//! The route that tells callers who they are here: what their token opens.

use axum::Json;
use serde::Serialize;
use skillscope_segment::AccountId;
use utoipa::ToSchema;

use super::openapi::scopes;
use super::tables::ALL;
use crate::access::{Holder, Permission};
use crate::caller::Caller;

/// What the token of a request opens.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MeBody {
    /// Whether tokens are asked for. Where the data directory has none, everybody opens everything.
    #[schema(example = true)]
    tokens: bool,
    /// The token's name. It is null where no tokens are asked for, and for the owner of the data directory, who needs
    /// none.
    #[schema(example = "wallboard")]
    name: Option<String>,
    /// The account that it opens, or `*` for all of them.
    #[schema(pattern = r"^([A-Za-z0-9._-]{1,64}|\*)$", example = "acme")]
    account: String,
    /// What it opens of that.
    #[schema(schema_with = scopes)]
    scopes: Vec<Permission>,
}

/// Tell who asks.
///
/// The answer is about the token of this request, whatever that opens, or about the token that a bearer stands for.
#[utoipa::path(get, path = "/v1/me", operation_id = "me", tag = "operation",
    responses((status = 200, description = "What the token opens, or that there are no tokens.", body = MeBody)))]
pub(super) async fn get(caller: Caller) -> Json<MeBody> {
    Json(MeBody {
        tokens: caller.holder() != Holder::Anybody,
        name: caller.name().map(str::to_owned),
        account: caller.scope().account().map_or(ALL, AccountId::as_str).to_owned(),
        scopes: caller.permissions(),
    })
}
