//! Feeds of questions whose answers are counted.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::Bytes;
use futures::{FutureExt, Stream, StreamExt};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::super::problem::Problem;
use super::event::{HEARTBEAT, event};
use super::feeds::Feeds;
use super::followed::Followed;
use super::latest::Latest;
use super::subscriber::Subscriber;
use crate::statistics::StreamStatistics;

/// Far longer than any test takes, and as short as can be.
const NEVER: Duration = Duration::from_secs(3600);
const ALWAYS: Duration = Duration::from_millis(1);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Question {
    name: &'static str,
    /// So many times there is no answer.
    failures: u64,
}

const A: Question = Question { name: "a", failures: 0 };
const B: Question = Question { name: "b", failures: 0 };
const FAILING: Question = Question { name: "c", failures: 1 };
const FAULTY: Question = Question { name: "a fault", failures: 1 };

/// How often a question was asked.
type Asked = Arc<AtomicU64>;

impl Followed for Question {
    type Source = Asked;

    async fn answer(&self, asked: &Asked) -> Result<Bytes, Problem> {
        let number = asked.fetch_add(1, Ordering::Relaxed) + 1;
        if number <= self.failures {
            assert!(self != &FAULTY, "a fault that the test wants");
            return Err(Problem::busy("not now"));
        }
        let id = i64::try_from(number).unwrap();
        Ok(event("answer", id, |out| out.extend_from_slice(self.name.as_bytes())).into())
    }
}

struct Hub {
    feeds: Feeds<Question>,
    asked: Asked,
    ending: CancellationToken,
    statistics: Arc<StreamStatistics>,
}

type Follower = Pin<Box<dyn Stream<Item = Bytes> + Send>>;

impl Hub {
    fn new() -> Self {
        let (asked, ending, statistics) = (Asked::default(), CancellationToken::new(), Arc::default());
        let feeds = Feeds::new(Arc::clone(&asked), ending.clone(), Arc::clone(&statistics));
        Self { feeds, asked, ending, statistics }
    }

    fn follow(&self, question: Question, every: Duration) -> Follower {
        self.feeds.subscribe(question, every).into_stream().boxed()
    }

    fn asked(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }

    async fn until_asked(&self, times: u64) {
        while self.asked() < times {
            tokio::time::sleep(ALWAYS).await;
        }
    }
}

fn answer(number: u64, name: &str) -> String {
    format!("event: answer\nid: {number}\ndata: {name}\n\n")
}

fn number(event: &Bytes) -> u64 {
    let text = str::from_utf8(event).unwrap();
    text.lines().find_map(|line| line.strip_prefix("id: ")).unwrap().parse().unwrap()
}

#[tokio::test]
async fn all_who_ask_the_same_share_one_answer_and_its_bytes() {
    let hub = Hub::new();
    let mut followers: Vec<Follower> = (0..100).map(|_| hub.follow(A, NEVER)).collect();
    let first = followers[0].next().await.unwrap();
    assert_eq!(first, answer(1, "a"));
    for follower in &mut followers[1..] {
        assert_eq!(follower.next().await.unwrap().as_ptr(), first.as_ptr());
    }
    assert_eq!((hub.asked(), hub.feeds.number(), hub.statistics.number(), hub.statistics.sent()), (1, 1, 100, 100));
    // Another question, and another pace.
    assert_eq!(hub.follow(B, NEVER).next().await.unwrap(), answer(2, "b"));
    assert_eq!(hub.follow(A, 2 * NEVER).next().await.unwrap(), answer(3, "a"));
}

#[tokio::test]
async fn whoever_comes_later_has_the_last_answer_at_once() {
    let hub = Hub::new();
    let mut first = hub.follow(A, NEVER);
    first.next().await.unwrap();
    let mut second = hub.follow(A, NEVER);
    assert_eq!(second.next().now_or_never().unwrap().unwrap(), answer(1, "a"));
    assert_eq!(hub.asked(), 1);
    assert!(first.next().now_or_never().is_none() && second.next().now_or_never().is_none());
}

#[tokio::test]
async fn an_answer_follows_the_other() {
    let hub = Hub::new();
    let mut follower = hub.follow(A, ALWAYS);
    let mut last = 0;
    for _ in 0..5 {
        let number = number(&follower.next().await.unwrap());
        assert!(number > last, "{number} after {last}");
        last = number;
    }
}

#[tokio::test]
async fn a_slow_one_has_the_latest_answer_and_none_of_those_that_it_missed() {
    let hub = Hub::new();
    let mut slow = hub.follow(A, ALWAYS);
    let first = number(&slow.next().await.unwrap());
    hub.until_asked(first + 10).await;
    let second = number(&slow.next().await.unwrap());
    assert!(second >= first + 9, "{second} after {first}");
    assert_eq!((hub.statistics.sent(), hub.statistics.skipped()), (2, second - first - 1));
}

#[tokio::test]
async fn an_answer_that_there_is_not_is_told_and_the_next_one_tried() {
    let hub = Hub::new();
    let told = "event: problem\ndata: {\"type\":\"urn:skillscope:problem:unavailable\",\"title\":\"Not available now\",\
                \"status\":503,\"detail\":\"not now\"}\n\n";
    let mut follower = hub.follow(FAILING, ALWAYS);
    assert_eq!(follower.next().await.unwrap(), told);
    assert_eq!(number(&follower.next().await.unwrap()), 2);
    // Nobody is told of a failure of before: it is tried again.
    let hub = Hub::new();
    let mut first = hub.follow(FAILING, NEVER);
    assert_eq!(first.next().await.unwrap(), told);
    let mut second = hub.follow(FAILING, NEVER);
    assert_eq!(second.next().await.unwrap(), answer(2, "c"));
    assert_eq!(first.next().await.unwrap(), answer(2, "c"));
    assert_eq!(hub.asked(), 2);
}

#[tokio::test]
async fn a_fault_costs_one_answer_and_not_the_feed() {
    let hub = Hub::new();
    let mut follower = hub.follow(FAULTY, ALWAYS);
    let told = String::from_utf8(follower.next().await.unwrap().to_vec()).unwrap();
    assert!(told.starts_with("event: problem\n") && told.contains("\"status\":500"), "{told}");
    assert_eq!(number(&follower.next().await.unwrap()), 2);
}

#[tokio::test]
async fn a_feed_ends_with_the_last_who_follows_it() {
    let hub = Hub::new();
    let (mut one, other) = (hub.follow(A, ALWAYS), hub.follow(A, ALWAYS));
    drop(other);
    one.next().await.unwrap();
    assert_eq!((hub.feeds.number(), hub.statistics.number()), (1, 1));
    drop(one);
    while hub.feeds.number() > 0 {
        tokio::task::yield_now().await;
    }
    let asked = hub.asked();
    assert_eq!(hub.statistics.number(), 0);
    assert_eq!(hub.follow(A, ALWAYS).next().await.unwrap(), answer(asked + 1, "a"));
}

#[tokio::test]
async fn when_the_server_stops_each_stream_says_so_and_ends() {
    let hub = Hub::new();
    let mut follower = hub.follow(A, NEVER);
    follower.next().await.unwrap();
    hub.ending.cancel();
    for mut follower in [follower, hub.follow(B, NEVER)] {
        let last = follower.next().await.unwrap();
        let last = str::from_utf8(&last).unwrap();
        assert!(last.starts_with("event: end\ndata: {") && last.contains("the server is shutting down"), "{last}");
        assert_eq!(follower.next().await, None);
    }
    assert_eq!(hub.asked(), 1);
}

#[tokio::test]
async fn a_heartbeat_comes_where_nothing_else_does_and_hides_no_answer() {
    let feed = watch::Sender::new(Latest::new());
    let mut follower =
        Subscriber::new(feed.subscribe(), 0, 0, Arc::new(StreamStatistics::default()).open()).into_stream().boxed();
    let beat = |since| feed.send_if_modified(|latest| latest.beat(since));
    feed.send_modify(|latest| latest.take(Ok(Bytes::from_static(b"one"))));
    let told = feed.borrow().told;
    assert!(beat(told));
    assert_eq!(follower.next().await.unwrap(), "one");
    assert!(follower.next().now_or_never().is_none());
    let told = feed.borrow().told;
    assert!(beat(told));
    assert_eq!(follower.next().await.unwrap(), HEARTBEAT);
    drop(feed);
    assert!(follower.next().await.unwrap().starts_with(b"event: end\n"));
    assert_eq!(follower.next().await, None);
}
