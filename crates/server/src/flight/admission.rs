//! Letting requests in: who asks, and whether that caller may run statements.

use std::convert::Infallible;
use std::task::{Context, Poll};

use futures::FutureExt;
use futures::future::BoxFuture;
use hyper::http::Extensions;
use hyper::{HeaderMap, Request, Response};
use tonic::Status;
use tonic::body::Body;
use tonic::metadata::MetadataMap;
use tonic::server::NamedService;
use tonic::transport::server::TcpConnectInfo;
use tower::Service;

use super::error::refused;
use crate::access::{Access, Permission};
use crate::caller::{Caller, Refused};

/// The method by which a client exchanges a name and a token for what it sends with its other requests. It looks after
/// itself.
const HANDSHAKE: &str = "/arrow.flight.protocol.FlightService/Handshake";

/// A service whose requests carry a [`Caller`] among their extensions.
#[derive(Debug, Clone)]
pub(super) struct Admitting<S> {
    inner: S,
    access: Access,
}

impl<S> Admitting<S> {
    pub(super) fn new(inner: S, access: Access) -> Self {
        Self { inner, access }
    }
}

impl<S: NamedService> NamedService for Admitting<S> {
    const NAME: &'static str = S::NAME;
}

impl<S, B> Service<Request<B>> for Admitting<S>
where
    S: Service<Request<B>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        // The one that is ready goes, and a copy of it stays.
        let copy = self.inner.clone();
        let (mut inner, access) = (std::mem::replace(&mut self.inner, copy), self.access.clone());
        async move {
            if request.uri().path() == HANDSHAKE {
                return inner.call(request).await;
            }
            let admitted = caller(request.headers(), request.extensions(), &access);
            match admitted.await {
                Ok(caller) => request.extensions_mut().insert(caller),
                Err(reason) => return Ok(refused(reason).into_http()),
            };
            inner.call(request).await
        }
        .boxed()
    }
}

async fn caller(headers: &HeaderMap, extensions: &Extensions, access: &Access) -> Result<Caller, Refused> {
    let from = extensions.get::<TcpConnectInfo>().and_then(TcpConnectInfo::remote_addr);
    let headers = MetadataMap::from_headers(headers.clone());
    let caller = Caller::of_flight(&headers, access, from.map(|from| from.ip())).await?;
    caller.check_permission(Permission::Sql)?;
    Ok(caller)
}

/// The caller of a request that was let in.
pub(super) fn caller_of<T>(request: &tonic::Request<T>) -> Result<Caller, Status> {
    request.extensions().get().cloned().ok_or_else(|| refused(Refused::NoToken))
}
