//! The route by which existing clients log in: they exchange a name and a secret for a bearer, and show that with their
//! other requests.

use std::net::IpAddr;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use skillscope_query::Clock;
use utoipa::ToSchema;

use super::forwarded::SeenAs;
use super::host_lookup::BaseUris;
use super::negotiation::named;
use super::openapi::problem_responses;
use super::path_variables::PathVariables;
use super::problem::Problem;
use super::request_body::RequestBody;
use crate::App;
use crate::access::{Holder, Permission, SigningSecrets};
use crate::caller::{Caller, Credentials};
use crate::memory_budget::Owners;

/// Far more than names and secrets take.
const MAX_BODY_BYTES: usize = 16 << 10;

/// How long a bearer is good: eight hours, in milliseconds.
const SESSION_MS: i64 = 8 * 60 * 60 * 1000;

/// A name and the secret that goes with it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
pub(super) enum LoginBody {
    /// The name of a token, and the token.
    Password {
        /// The token's name.
        #[schema(example = "wallboard")]
        username: String,
        /// The token.
        password: String,
    },
    /// The name of a token of OAuth 1.0, and its keys and secrets.
    #[serde(rename_all = "camelCase")]
    Oauth1 {
        /// The token's name.
        username: String,
        /// Its `consumer_key`.
        app_key: String,
        /// Its `consumer_secret`.
        secret: String,
        /// Its `token`.
        access_token: String,
        /// Its `token_secret`.
        access_token_secret: String,
    },
}

/// A bearer, and what existing clients read beside it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct LoginAnswer {
    config: LoginConfig,
    csds_collection_response: BaseUris,
    account_data: AccountData,
    /// For how many milliseconds the bearer is good.
    #[serde(rename = "sessionTTl")]
    #[schema(example = "28800000")]
    session_ttl: String,
    /// What to send as `Authorization: Bearer …` with other requests.
    bearer: String,
}

/// Who has logged in.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct LoginConfig {
    /// The token's name.
    login_name: String,
    /// Tells tokens apart that had the same name one after the other.
    user_id: String,
    /// Whether the token has the scope `admin`.
    is_admin: bool,
    /// In milliseconds since the epoch, by the machine's clock.
    server_current_time: i64,
    /// Times are in UTC.
    #[schema(example = "UTC")]
    server_time_zone_name: &'static str,
    #[serde(rename = "serverTimeGMTDiff")]
    #[schema(example = 0)]
    server_time_gmt_diff: i64,
    #[schema(example = "UTC")]
    account_time_zone_id: &'static str,
}

/// Clients look for the groups of agents here. There are none.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct AccountData {
    agent_groups_data: AgentGroups,
}

#[derive(Debug, Default, Serialize, ToSchema)]
struct AgentGroups {
    items: Vec<String>,
    revision: u32,
}

problem_responses! {
    LoginProblems {
        400: "The body is no name with its secrets, or the account's name breaks the rules for such names.",
        401: "Name and secret are not those of a token that is good.",
        403: "The token is for another account, or a web page of another origin sends it.",
        408: "The body did not go on.",
        413: "The body is too large.",
        415: "The body is no JSON.",
        503: "The bodies of others have all the memory for them.",
    }
}

/// Log in as existing clients do.
///
/// The bearer stands for the token for eight hours, unless that ends before, or the server does. Where no token is
/// asked for, everybody gets one, and it opens nothing once a token is.
#[utoipa::path(post, path = "/api/account/{account}/login", operation_id = "log_in", tag = "report", request_body = LoginBody,
    params(("account" = String, Path, pattern = "^[A-Za-z0-9._-]{1,64}$", description = "The brand's account.")),
    responses((status = 200, description = "The bearer.", body = LoginAnswer), LoginProblems))]
pub(super) async fn post(
    State(app): State<App>,
    PathVariables(account): PathVariables<String>,
    Extension(seen): Extension<SeenAs>,
    headers: HeaderMap,
    body: RequestBody,
) -> Result<Json<LoginAnswer>, Problem> {
    named(&headers, CONTENT_TYPE, &[("application/json", ())], None)?;
    let body = body.read_at_most(MAX_BODY_BYTES, &Owners::of(None, Holder::Anybody)).await?;
    let parsed: Result<LoginBody, _> = serde_json::from_slice(&body.bytes());
    let rule = r#"the body is {"username": …, "password": …}, or {"username": …, "appKey": …, "secret": …, "accessToken": …, "accessTokenSecret": …}"#;
    // The error of the parser might repeat a secret.
    let login = parsed.map_err(|_| Problem::invalid_body(rule))?;
    drop(body);
    let caller = login.caller(&app, Some(seen.client)).await?;
    caller.account(&account)?;
    answer(&app, &caller, login.username(), &account, seen)
}

impl LoginBody {
    async fn caller(&self, app: &App, from: Option<IpAddr>) -> Result<Caller, Problem> {
        let credentials = match self {
            Self::Password { username, password } => Credentials::Secret { name: username, secret: password },
            Self::Oauth1 { username, app_key, secret, access_token, access_token_secret } => {
                let shown = SigningSecrets { app_key, secret, access_token, access_token_secret };
                Credentials::Signing { name: username, shown }
            }
        };
        Ok(Caller::of_login(credentials, app.access(), from).await?)
    }

    fn username(&self) -> &str {
        match self {
            Self::Password { username, .. } | Self::Oauth1 { username, .. } => username,
        }
    }
}

fn answer(
    app: &App,
    caller: &Caller,
    username: &str,
    account: &str,
    seen: SeenAs,
) -> Result<Json<LoginAnswer>, Problem> {
    let now = Clock::System.now();
    let until = caller.expires().unwrap_or(i64::MAX).min(now.saturating_add(SESSION_MS));
    let bearer = caller.log_in(app.access(), until).map_err(|error| {
        tracing::error!(%error, "nobody can log in");
        Problem::internal("nobody can log in now; the server's log says why")
    })?;
    Ok(Json(LoginAnswer {
        config: LoginConfig {
            login_name: username.to_owned(),
            user_id: caller.holder().to_string(),
            is_admin: caller.check_permission(Permission::Admin).is_ok(),
            server_current_time: now,
            server_time_zone_name: "UTC",
            server_time_gmt_diff: 0,
            account_time_zone_id: "UTC",
        },
        csds_collection_response: BaseUris::of(account, seen)?,
        account_data: AccountData::default(),
        session_ttl: until.saturating_sub(now).to_string(),
        bearer: bearer.reveal().to_owned(),
    }))
}
