//! The client at the other end of a connection.

use datafusion_postgres::pgwire::tokio::server::PgWireMessageServerCodec;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::codec::Framed;

use super::prepared::Prepared;

/// What a client is connected by.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send + Sync + 'static {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + Sync + 'static> Stream for S {}

/// A client, with its prepared statements and portals. What is sent to it goes through pgwire's codec.
pub(super) type Client<S> = Framed<S, PgWireMessageServerCodec<Prepared>>;
