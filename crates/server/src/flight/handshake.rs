//! How a client exchanges a name and a token for what it sends with its other requests.

use std::pin::Pin;

use arrow_flight::{HandshakeRequest, HandshakeResponse};
use futures::{Stream, StreamExt, stream};
use tonic::metadata::MetadataValue;
use tonic::transport::server::TcpConnectInfo;
use tonic::{Request, Response, Status, Streaming};

use super::error::refused;
use crate::access::{Access, Permission};
use crate::caller::Caller;

const AUTHORIZATION: &str = "authorization";

type Answers = Pin<Box<dyn Stream<Item = Result<HandshakeResponse, Status>> + Send>>;

/// Checks what the client shows, and answers with a header for its other requests: one that it may send back as it is.
pub(super) async fn handshake(
    access: &Access,
    request: &Request<Streaming<HandshakeRequest>>,
) -> Result<Response<Answers>, Status> {
    let from = request.extensions().get::<TcpConnectInfo>().and_then(TcpConnectInfo::remote_addr);
    let caller = Caller::of_flight(request.metadata(), access, from.map(|from| from.ip())).await.map_err(refused)?;
    caller.check_permission(Permission::Sql).map_err(refused)?;
    let mut response = Response::new(stream::iter([Ok(HandshakeResponse::default())]).boxed());
    // Where nobody is asked, clients still wait for something that they can send.
    let bearer = Caller::bearer_of_flight(request.metadata()).unwrap_or_else(|| "Bearer none".to_owned());
    let bearer = MetadataValue::try_from(bearer).map_err(|_| Status::invalid_argument("the token is not text"))?;
    response.metadata_mut().insert(AUTHORIZATION, bearer);
    Ok(response)
}
