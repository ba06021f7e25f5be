//! Bodies that are made on other threads than those that send them.

use std::future::Future;

use axum::body::Body;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, stream};
use tokio::sync::mpsc;

/// Pieces of a body that are ready before the client has read the ones before them.
const PIECES_AHEAD: usize = 2;

/// The same body, a little ahead of its reader. `spawn` runs what makes it, and ends that when its own future is dropped.
pub(crate) fn ahead<T, E>(body: Body, spawn: impl FnOnce(BoxFuture<'static, ()>) -> T) -> Body
where
    T: Future<Output = Result<(), E>> + Send + Unpin + 'static,
    E: std::error::Error + Send + Sync + 'static,
{
    let (pieces, made) = mpsc::channel(PIECES_AHEAD);
    let mut body = body.into_data_stream();
    let making = async move {
        while let Some(piece) = body.next().await {
            if pieces.send(piece).await.is_err() {
                return;
            }
        }
    };
    let task = spawn(making.boxed());
    let next = |(mut made, task): (mpsc::Receiver<_>, Option<T>)| async move {
        if let Some(piece) = made.recv().await {
            return Some((piece, (made, task)));
        }
        // There are no more pieces, either because the body is whole or because the task has panicked.
        match task?.await {
            Ok(()) => None,
            Err(error) => Some((Err(axum::Error::new(error)), (made, None))),
        }
    };
    Body::from_stream(stream::unfold((made, Some(task)), next).fuse())
}
