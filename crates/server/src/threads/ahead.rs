//! Bodies that are made on other threads than those that send them.

use std::future::Future;
use std::time::Duration;

use axum::body::Body;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, stream};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// Pieces of a body that are ready before the client has read the ones before them.
const PIECES_AHEAD: usize = 2;

/// How long a piece may wait for its reader before the place is left to others.
const A_MOMENT: Duration = Duration::from_millis(50);

/// The same body, a little ahead of its reader. `spawn` runs what makes it, and ends that when its own future is dropped.
/// `place` is held until the body is made, or its reader turns out to be slow.
pub(crate) fn ahead<T, E>(
    body: Body,
    place: impl Send + 'static,
    spawn: impl FnOnce(BoxFuture<'static, ()>) -> T,
) -> Body
where
    T: Future<Output = Result<(), E>> + Send + Unpin + 'static,
    E: std::error::Error + Send + Sync + 'static,
{
    let (pieces, made) = mpsc::channel(PIECES_AHEAD);
    let mut body = body.into_data_stream();
    let making = async move {
        let mut place = Some(place);
        while let Some(piece) = body.next().await {
            let room = match timeout(A_MOMENT, pieces.reserve()).await {
                Ok(room) => room,
                Err(_) => {
                    place = None;
                    pieces.reserve().await
                }
            };
            let Ok(room) = room else { return };
            room.send(piece);
        }
        drop(place);
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn made(pieces: usize, place: &Arc<()>) -> Body {
        let body = Body::from_stream(stream::iter((0..pieces).map(|_| Ok::<_, std::io::Error>(vec![7; 10]))));
        ahead(body, Arc::clone(place), tokio::spawn)
    }

    async fn until_free(place: &Arc<()>) {
        while Arc::strong_count(place) > 1 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    #[tokio::test]
    async fn a_place_is_free_once_the_body_is_made_or_its_reader_is_slow() {
        for pieces in [0, PIECES_AHEAD, 100 * PIECES_AHEAD] {
            let place = Arc::new(());
            let body = made(pieces, &place);
            assert_eq!(Arc::strong_count(&place), 2);
            timeout(Duration::from_secs(60), until_free(&place)).await.unwrap();
            let whole = axum::body::to_bytes(body, usize::MAX).await.unwrap();
            assert_eq!(whole.len(), 10 * pieces);
        }
    }
}
