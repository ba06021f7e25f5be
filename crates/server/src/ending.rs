//! Answers that end before they are complete.

use std::future::Future;

use futures::{Stream, StreamExt, stream};

/// The items of `stream`; once `end` completes, only what it says comes, and nothing after it.
///
/// It may be polled after its end, as compression does.
pub(crate) fn until<T>(stream: impl Stream<Item = T>, end: impl Future<Output = T>) -> impl Stream<Item = T> {
    let open = (Box::pin(stream), Box::pin(end));
    let items = stream::unfold(Some(open), |open| async move {
        let (mut stream, mut end) = open?;
        tokio::select! {
            biased;
            last = &mut end => Some((last, None)),
            item = stream.next() => item.map(|item| (item, Some((stream, end)))),
        }
    });
    items.fuse()
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn a_stream_ends_by_itself_or_with_what_ends_it() {
        let all: Vec<u8> = until(stream::iter([1, 2]), pending()).collect().await;
        assert_eq!(all, [1, 2]);
        let cut: Vec<u8> = until(stream::iter([1, 2]), ready(9)).collect().await;
        assert_eq!(cut, [9]);
        let waiting: Vec<u8> = until(stream::pending(), ready(9)).collect().await;
        assert_eq!(waiting, [9]);
        let never = Box::pin(until(stream::pending::<u8>(), pending())).next().now_or_never();
        assert_eq!(never, None);
        let mut ended = Box::pin(until(stream::empty::<u8>(), pending()));
        assert_eq!((ended.next().await, ended.next().await), (None, None));
    }
}
