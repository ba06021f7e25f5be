//! The routes by which existing clients look up the host of a service.

use axum::http::uri::Authority;
use axum::{Extension, Json};
use serde::Serialize;
use utoipa::ToSchema;

use super::forwarded::SeenAs;
use super::openapi::problem_responses;
use super::path_variables::PathVariables;
use super::problem::Problem;

/// The services that existing clients look up before they ask for reports.
const SERVICES: [&str; 2] = ["leDataReporting", "agentVep"];

/// Where a service is.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BaseUri {
    #[schema(example = "leDataReporting")]
    service: String,
    #[schema(example = "acme")]
    account: String,
    /// Host and port of this server, as the client reached it.
    #[serde(rename = "baseURI")]
    #[schema(example = "127.0.0.1:8080")]
    base_uri: String,
}

/// Where all services are.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BaseUris {
    #[serde(rename = "baseURIs")]
    base_uris: Vec<BaseUri>,
}

problem_responses! {
    HostLookupProblems {
        400: "The request names no host.",
        404: "No such service.",
    }
    HostListProblems {
        400: "The request names no host.",
    }
}

/// Look up the host of a service: it is always this server.
#[utoipa::path(get, path = "/api/account/{account}/service/{service}/baseURI.json", operation_id = "base_uri", tag = "report",
    params(
        ("account" = String, Path, description = "The brand's account. Any name is answered alike."),
        ("service" = String, Path, pattern = "^(leDataReporting|agentVep)$", description = "`leDataReporting` or `agentVep`."),
    ),
    responses(
        (status = 200, description = "The host.", body = BaseUri),
        HostLookupProblems,
    ))]
pub(super) async fn get(
    PathVariables((account, service)): PathVariables<(String, String)>,
    Extension(seen): Extension<SeenAs>,
) -> Result<Json<BaseUri>, Problem> {
    let Some(known) = SERVICES.iter().find(|known| service == **known) else {
        let detail = format!("there is no such service; there are {}", SERVICES.join(" and "));
        return Err(Problem::not_found(detail).blaming("service", Some(service)));
    };
    Ok(Json(BaseUri::of(known, &account, &host(seen)?)))
}

/// Look up the hosts of all services: each is this server.
#[utoipa::path(get, path = "/api/account/{account}/service/baseURI.json", operation_id = "base_uris", tag = "report",
    params(("account" = String, Path, description = "The brand's account. Any name is answered alike.")),
    responses(
        (status = 200, description = "The hosts.", body = BaseUris),
        HostListProblems,
    ))]
pub(super) async fn list(
    PathVariables(account): PathVariables<String>,
    Extension(seen): Extension<SeenAs>,
) -> Result<Json<BaseUris>, Problem> {
    BaseUris::of(&account, seen).map(Json)
}

/// The same at the path of other clients.
#[utoipa::path(get, path = "/csdr/account/{account}/service/baseURI.json", operation_id = "base_uris_of_csdr", tag = "report",
    params(("account" = String, Path, description = "The brand's account. Any name is answered alike.")),
    responses(
        (status = 200, description = "The hosts.", body = BaseUris),
        HostListProblems,
    ))]
pub(super) async fn list_of_csdr(
    account: PathVariables<String>,
    seen: Extension<SeenAs>,
) -> Result<Json<BaseUris>, Problem> {
    list(account, seen).await
}

impl BaseUris {
    /// All services, for a client that saw the server so.
    pub(super) fn of(account: &str, seen: SeenAs) -> Result<Self, Problem> {
        let host = host(seen)?;
        Ok(Self { base_uris: SERVICES.iter().map(|service| BaseUri::of(service, account, &host)).collect() })
    }
}

impl BaseUri {
    fn of(service: &str, account: &str, host: &Authority) -> Self {
        Self { service: service.to_owned(), account: account.to_owned(), base_uri: host.to_string() }
    }
}

/// The host as the client saw it.
fn host(seen: SeenAs) -> Result<Authority, Problem> {
    seen.host.ok_or_else(|| Problem::invalid_parameter("the request has no Host header").blaming("Host", None))
}
