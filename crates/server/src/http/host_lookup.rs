//! The route by which existing clients look up the host of a service.

use axum::Json;
use axum::http::HeaderMap;
use axum::http::header::HOST;
use axum::http::uri::Authority;
use serde::Serialize;
use utoipa::ToSchema;

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

problem_responses! {
    HostLookupProblems {
        400: "The request names no host.",
        404: "No such service.",
    }
}

/// Look up the host of a service: it is always this server.
#[utoipa::path(get, path = "/api/account/{account}/service/{service}/baseURI.json", tag = "report",
    params(
        ("account" = String, Path, description = "The brand's account."),
        ("service" = String, Path, pattern = "^(leDataReporting|agentVep)$", description = "`leDataReporting` or `agentVep`."),
    ),
    responses(
        (status = 200, description = "The host.", body = BaseUri),
        HostLookupProblems,
    ))]
pub(super) async fn get(
    PathVariables((account, service)): PathVariables<(String, String)>,
    headers: HeaderMap,
) -> Result<Json<BaseUri>, Problem> {
    if !SERVICES.contains(&service.as_str()) {
        let detail = format!("there is no such service; there are {}", SERVICES.join(" and "));
        return Err(Problem::not_found(detail).blaming("service", Some(service)));
    }
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).and_then(|host| host.parse::<Authority>().ok());
    let host =
        host.ok_or_else(|| Problem::invalid_parameter("the request has no valid Host header").blaming("Host", None))?;
    Ok(Json(BaseUri { service, account, base_uri: host.to_string() }))
}
