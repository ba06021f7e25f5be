//! Following the report: what a stream begins with, what comes then, and how it ends.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Request};
use axum::response::Response;
use futures::FutureExt;
use http_body_util::BodyExt;
use serde_json::Value;
use socket2::{Domain, Socket, Type};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tower::ServiceExt;

use super::connections::{patient, send, serve};
use super::door::{Answer, Door, HOST, NOW, SEGMENTS, line, report_of};
use crate::serve_http;

const EVENTS: &str = "text/event-stream";

async fn asked(door: &Door, uri: &str, headers: &[(&str, &str)]) -> Response {
    let request =
        headers.iter().fold(Request::get(uri).header("host", HOST), |it, (name, value)| it.header(*name, *value));
    door.routes().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

/// A stream under way.
pub(super) struct Followed {
    pub(super) headers: HeaderMap,
    body: Body,
}

impl Followed {
    pub(super) fn new(response: Response) -> Self {
        let (parts, body) = response.into_parts();
        assert_eq!(parts.status, 200);
        assert_eq!(parts.headers["content-type"], EVENTS);
        Self { headers: parts.headers, body }
    }

    /// Follows what there is at `uri`.
    async fn of(door: &Door, uri: &str) -> Self {
        let mut followed = Self::new(asked(door, uri, &[("accept", EVENTS)]).await);
        assert_eq!(followed.frame().await.unwrap(), "retry: 2000\n\n");
        followed
    }

    /// What is sent next; `None` at the end.
    pub(super) async fn frame(&mut self) -> Option<Bytes> {
        Some(self.body.frame().await?.unwrap().into_data().unwrap())
    }

    /// The data of the next event called `name` that is of the instant `at`. One of before may have been on its way.
    async fn data_of(&mut self, name: &str, at: i64) -> String {
        loop {
            let frame = self.frame().await.unwrap();
            let (head, data) = str::from_utf8(&frame).unwrap().split_once("\ndata: ").unwrap();
            let id: i64 = head.strip_prefix(&format!("event: {name}\nid: ")).unwrap().parse().unwrap();
            let data = data.strip_suffix("\n\n").unwrap();
            assert!(!data.contains('\n'), "{data}");
            if id >= at {
                assert_eq!(id, at);
                return data.to_owned();
            }
        }
    }
}

#[tokio::test]
async fn an_event_is_the_report_of_its_instant_and_another_follows() {
    let (door, now) = Door::moving(NOW);
    door.post(SEGMENTS, "application/x-ndjson", line("c-1", 7, 3_599_000) + &line("c-2", 8, 1)).await;
    let uri = format!("{}&interval=30", report_of("acme"));
    let mut followed = Followed::of(&door, &format!("{uri}&every=1")).await;
    for at in [NOW, NOW + 2_000] {
        // By the second instant, the first segment has left the hour.
        now.store(at, Ordering::Relaxed);
        assert_eq!(followed.data_of("report", at).await, door.get(&uri).await.text());
    }
    assert_eq!(door.get(&uri).await.json()["timeframeSummary"]["metricsTotal"]["totalSkillConversationSegments"], 1);
}

#[tokio::test]
async fn what_is_open_is_followed_as_the_report_is() {
    let (door, now) = Door::moving(NOW);
    let uri = "/v1/accounts/acme/now";
    let mut followed = Followed::of(&door, &format!("{uri}?every=1&skillIds=all")).await;
    for at in [NOW, NOW + 2_000] {
        now.store(at, Ordering::Relaxed);
        assert_eq!(followed.data_of("now", at).await, door.get(uri).await.text());
    }
}

#[tokio::test]
async fn a_stream_is_for_those_who_would_rather_have_one() {
    let door = Door::new();
    let rather =
        [EVENTS, "Text/Event-Stream", "application/json;q=0.5, text/event-stream", "text/event-stream, */*;q=0.1"];
    for accept in rather {
        let headers = [("accept", accept), ("accept-encoding", "gzip"), ("last-event-id", "1516265515679")];
        let followed = Followed::new(asked(&door, &report_of("acme"), &headers).await);
        let header = |name: &str| followed.headers.get(name).map(|value| value.to_str().unwrap());
        assert_eq!(header("cache-control"), Some("no-store"), "{accept}");
        assert_eq!((header("x-accel-buffering"), header("content-encoding")), (Some("no"), None));
    }
    let once = ["*/*", "", "text/html", "text/*;q=0", "application/json", "text/event-stream;q=0.5, application/json"];
    for accept in once {
        let answer = asked(&door, &report_of("acme"), &[("accept", accept)]).await;
        assert_eq!(answer.headers()["content-type"], "application/json", "{accept}");
    }
    assert_eq!(asked(&door, &report_of("acme"), &[]).await.headers()["content-type"], "application/json");
}

#[tokio::test]
async fn the_pace_is_from_one_second_to_sixty_and_read_for_streams_alone() {
    let door = Door::new();
    let uri = report_of("acme");
    for (more, value) in ["0", "61", "-1", "1.5", "", "oops", "99999999999999999999"]
        .map(|value| (format!("&every={value}"), value))
        .into_iter()
        .chain([("&every=%2B5".to_owned(), "+5"), ("&every=5&every=6".to_owned(), "6")])
    {
        let uri = format!("{uri}{more}");
        let refused = asked(&door, &uri, &[("accept", EVENTS)]).await;
        let (parts, body) = refused.into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        let problem = Answer { status: parts.status, headers: parts.headers, body }.problem(400);
        assert_eq!((&problem["parameter"], &problem["value"]), (&"every".into(), &value.into()), "{problem}");
        assert_eq!(door.get(&uri).await.status, 200);
        assert_eq!(door.get(&format!("/v1/accounts/acme/report?timeframe=60&v=1&at=1{more}")).await.status, 200);
    }
    for every in ["1", "60", "05"] {
        Followed::of(&door, &format!("{uri}&every={every}")).await;
    }
    // What is wrong with the report is told before the stream begins.
    let wrong = asked(&door, "/operations/api/account/acme/msgskillsegments?v=1&every=5", &[("accept", EVENTS)]).await;
    assert_eq!(wrong.status(), 400);
}

#[tokio::test]
async fn who_asks_the_same_in_other_words_gets_the_same_bytes() {
    let door = Door::new();
    let uri = "/operations/api/account/acme/msgskillsegments?v=1&timeframe=60";
    let mut first = Followed::of(&door, &format!("{uri}&skillIds=7,8&every=60")).await;
    let event = first.frame().await.unwrap();
    for same in ["&skillIds=8,7,8&every=60", "&every=060&userType=all&skillIds=7%2C8", "&x=1&skillIds=7,8&every=60"] {
        let mut other = Followed::of(&door, &format!("{uri}{same}")).await;
        assert_eq!(other.frame().await.unwrap().as_ptr(), event.as_ptr(), "{same}");
    }
    for different in ["&skillIds=7&every=60", "&skillIds=7,8", "&skillIds=7,8&every=60&userType=human"] {
        let mut other = Followed::of(&door, &format!("{uri}{different}")).await;
        assert_ne!(other.frame().await.unwrap().as_ptr(), event.as_ptr(), "{different}");
    }
}

#[tokio::test]
async fn following_is_no_request_under_way() {
    let door = Door::new();
    let mut followed = Followed::of(&door, &format!("{}&every=60", report_of("acme"))).await;
    followed.data_of("report", NOW).await;
    let metrics = door.get("/metrics").await.text();
    let value = |name: &str| metrics.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_owned();
    // The one that asks.
    assert_eq!(value("skillscope_http_requests_in_progress"), "1");
    assert_eq!(value("skillscope_streams"), "1");
    assert_eq!(value("skillscope_stream_events_total{outcome=\"sent\"}"), "1");
    assert_eq!(value("skillscope_stream_events_total{outcome=\"skipped\"}"), "0");
    drop(followed);
    assert!(door.get("/metrics").await.text().contains("\nskillscope_streams 0\n"));
}

#[tokio::test]
async fn only_the_head_of_a_stream_can_be_asked_for() {
    let door = Door::new();
    let request = Request::head(report_of("acme")).header("accept", EVENTS).body(Body::empty()).unwrap();
    let answer = door.send(request).await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type"), answer.body.len()), (200, Some(EVENTS), 0));
}

fn request(more: &str) -> String {
    format!("GET {}{more} HTTP/1.1\r\nHost: localhost\r\nAccept: {EVENTS}\r\n\r\n", report_of("acme"))
}

/// The `id` of the next report over a socket.
async fn id(client: &mut BufReader<TcpStream>) -> i64 {
    loop {
        let mut line = String::new();
        assert!(client.read_line(&mut line).await.unwrap() > 0, "the stream has ended");
        if let Some(id) = line.strip_prefix("id: ") {
            return id.trim().parse().unwrap();
        }
    }
}

#[tokio::test]
async fn a_server_that_stops_ends_streams_at_once_and_says_so() {
    let door = Door::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, told) = oneshot::channel::<()>();
    let serving = tokio::spawn(serve_http(listener, door.app.clone(), patient(), told.map(|_| ())));
    let mut client = BufReader::new(send(address, &request("&every=60")).await);
    assert_eq!(id(&mut client).await, NOW);
    stop.send(()).unwrap();
    let mut rest = String::new();
    client.read_to_string(&mut rest).await.unwrap();
    let (_, end) = rest.split_once("event: end\ndata: ").unwrap();
    let (data, after) = end.split_once("\n\n").unwrap();
    let problem: Value = serde_json::from_str(data).unwrap();
    assert_eq!((&problem["status"], &problem["detail"]), (&503.into(), &"the server is shutting down".into()));
    // The body is whole.
    assert_eq!(after, "\r\n0\r\n\r\n");
    serving.await.unwrap().unwrap();
}

/// A client that takes little before it reads.
async fn slow(address: SocketAddr, request: &str) -> BufReader<TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(4 << 10).unwrap();
    socket.connect(&address.into()).unwrap();
    socket.set_nonblocking(true).unwrap();
    let mut client = TcpStream::from_std(socket.into()).unwrap();
    client.write_all(request.as_bytes()).await.unwrap();
    BufReader::new(client)
}

#[tokio::test]
async fn who_does_not_read_for_a_while_goes_on_with_the_latest_report() {
    let (door, now) = Door::moving(NOW);
    // Some 900 KB, which no socket takes unless somebody reads.
    for some in (0..3_000).collect::<Vec<i64>>().chunks(200) {
        let lines: String = some.iter().map(|skill| line(&format!("c-{skill}"), *skill, 1)).collect();
        door.post(SEGMENTS, "application/x-ndjson", lines).await;
    }
    let address = serve(&door, patient());
    let mut quick = BufReader::new(send(address, &request("&every=1")).await);
    assert_eq!(id(&mut quick).await, NOW);
    let mut slow = slow(address, &request("&every=1")).await;
    // From its first bytes on, the first event is on its way.
    let mut line = String::new();
    while !line.starts_with("id: ") {
        line.clear();
        slow.read_line(&mut line).await.unwrap();
    }
    let first: i64 = line["id: ".len()..].trim().parse().unwrap();
    for step in 1..=3 {
        now.store(NOW + step * 1_000, Ordering::Relaxed);
        while id(&mut quick).await < NOW + step * 1_000 {}
    }
    assert_eq!((first, id(&mut slow).await), (NOW, NOW + 3_000), "what came between is skipped");
}
