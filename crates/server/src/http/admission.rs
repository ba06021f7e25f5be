//! Letting requests in: who asks, and whether that caller may use the route.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use utoipa::openapi::security::SecurityRequirement;
use utoipa_axum::router::OpenApiRouter;

use super::answer_body::{is_live, is_whole};
use super::forwarded::SeenAs;
use super::openapi::{BEARER, problem_response};
use super::state::HttpState;
use super::token_limits::limit;
use super::trailing_slash::AsSent;
use crate::access::{Access, AskedUrl, Holder, Permission};
use crate::caller::Caller;
use crate::ending::until;
use crate::limiter::Limiter;

/// What a route asks of its callers.
#[derive(Debug, Clone)]
struct Admission {
    access: Access,
    /// None where any caller may use it who is let in.
    permission: Option<Permission>,
}

/// These routes, for callers who have this permission; the document says so, too.
pub(super) fn permitted(
    permission: Permission,
    access: &Access,
    limiter: &Arc<Limiter<Holder>>,
    routes: OpenApiRouter<HttpState>,
) -> OpenApiRouter<HttpState> {
    admitting(Some(permission), access, limiter, routes)
}

/// These routes, for all callers who are let in, whatever they have permission for.
pub(super) fn let_in(
    access: &Access,
    limiter: &Arc<Limiter<Holder>>,
    routes: OpenApiRouter<HttpState>,
) -> OpenApiRouter<HttpState> {
    admitting(None, access, limiter, routes)
}

fn admitting(
    permission: Option<Permission>,
    access: &Access,
    limiter: &Arc<Limiter<Holder>>,
    routes: OpenApiRouter<HttpState>,
) -> OpenApiRouter<HttpState> {
    let admission = Admission { access: access.clone(), permission };
    let mut routes = routes
        .route_layer(from_fn_with_state(Arc::clone(limiter), limit))
        .route_layer(from_fn_with_state(admission, admit));
    for item in routes.get_openapi_mut().paths.paths.values_mut() {
        for operation in [&mut item.get, &mut item.post].into_iter().flatten() {
            operation.security = Some(vec![SecurityRequirement::new(BEARER, permission.map(Permission::as_str))]);
            let unknown = "A token is asked for, and there is none, or it is not known, revoked or expired.";
            let forbidden = "The token is for another account, or for something else than this, or a web page of another origin asks.";
            let too_much = "The token asks for too much at a time, or too often.";
            let forbidden = permission.map(|_| (403, forbidden));
            let refusals = [(401, unknown), (429, too_much)].into_iter().chain(forbidden);
            let refusals = refusals.map(|(status, description)| problem_response(status, description));
            operation.responses.responses.extend(refusals);
        }
    }
    routes
}

/// Passes a request on together with its caller. What is under way when the caller's token ends, ends with it.
async fn admit(State(admission): State<Admission>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let from = parts.extensions.get::<SeenAs>().map(|seen| seen.client);
    let caller = match Caller::of_http(asked(&parts), &parts.headers, &admission.access, from).await {
        Ok(caller) => caller,
        Err(refused) => return refused.into_response(),
    };
    let permitted = admission.permission.map_or(Ok(()), |permission| caller.check_permission(permission));
    if let Err(refused) = permitted {
        return refused.into_response();
    }
    parts.extensions.insert(caller.clone());
    let answering = next.run(Request::from_parts(parts, body));
    let response = tokio::select! {
        biased;
        response = answering => response,
        refused = caller.clone().ended() => return refused.into_response(),
    };
    if is_whole(&response) || is_live(&response) {
        return response;
    }
    let ended = caller.ended().map(|refused| Err(axum::Error::new(refused)));
    response.map(|body| Body::from_stream(until(body.into_data_stream(), ended)))
}

/// A request as its sender saw it, which is what a signature covers.
fn asked(parts: &Parts) -> AskedUrl<'_> {
    let seen = parts.extensions.get::<SeenAs>();
    let uri = parts.extensions.get::<AsSent>().map_or(&parts.uri, |AsSent(uri)| uri);
    AskedUrl {
        method: parts.method.as_str(),
        scheme: seen.map_or("http", |seen| seen.scheme.as_str()),
        host: seen.and_then(|seen| seen.host.as_ref()).map_or("", |host| host.as_str()),
        path: uri.path(),
        query: uri.query().unwrap_or_default(),
    }
}
