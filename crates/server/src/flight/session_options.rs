//! The options of a session of Flight, which the client keeps: they come back with its requests in a cookie.

use std::collections::HashMap;

use arrow_flight::Action;
use prost::Message;
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::{Request, Response, Status};

use super::actions::{Results, one_result};
use super::sent_schema::Dictionaries;
use crate::caller::ALL_ACCOUNTS;

/// The option, and the header of a request without a session, that says how dictionaries are sent.
const DICTIONARIES: &str = "dictionaries";

const TEXT: &str = "text";
const KEEP: &str = "keep";

/// Where clients find themselves, which cannot be changed: the account is in a header.
const FIXED: [(&str, &str); 2] = [("catalog", ALL_ACCOUNTS), ("schema", "public")];

/// The name of the cookie, which clients know.
const COOKIE: &str = "arrow_flight_session_id";

/// How the value of the cookie begins; the choice for dictionaries follows.
const COOKIE_PREFIX: &str = "dictionaries-";

#[derive(Clone, PartialEq, Message)]
struct SetRequest {
    #[prost(map = "string, message", tag = "1")]
    options: HashMap<String, OptionValue>,
}

#[derive(Clone, PartialEq, Message)]
struct SetResult {
    #[prost(map = "string, message", tag = "1")]
    errors: HashMap<String, OptionError>,
}

#[derive(Clone, PartialEq, Message)]
struct OptionError {
    #[prost(int32, tag = "1")]
    reason: i32,
}

const UNKNOWN_NAME: i32 = 1;
const INVALID_VALUE: i32 = 2;

#[derive(Clone, PartialEq, Message)]
struct GetResult {
    #[prost(map = "string, message", tag = "1")]
    options: HashMap<String, OptionValue>,
}

#[derive(Clone, PartialEq, Message)]
struct CloseResult {
    #[prost(int32, tag = "1")]
    status: i32,
}

const CLOSED: i32 = 1;

/// A value of an option. Those that are known are texts; the others are there to be told apart from none.
#[derive(Clone, PartialEq, Message)]
struct OptionValue {
    #[prost(oneof = "Choice", tags = "1, 2, 3, 4, 5")]
    choice: Option<Choice>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum Choice {
    #[prost(string, tag = "1")]
    Text(String),
    #[prost(bool, tag = "2")]
    Truth(bool),
    #[prost(sfixed64, tag = "3")]
    Number(i64),
    #[prost(double, tag = "4")]
    Double(f64),
    #[prost(message, tag = "5")]
    Texts(Texts),
}

#[derive(Clone, PartialEq, Message)]
struct Texts {
    #[prost(string, repeated, tag = "1")]
    texts: Vec<String>,
}

impl OptionValue {
    fn text(text: &str) -> Self {
        Self { choice: Some(Choice::Text(text.to_owned())) }
    }
}

/// How the sender of a request wants dictionaries: by its header, or else by its session.
pub(super) fn dictionaries(headers: &MetadataMap) -> Result<Dictionaries, Status> {
    let Some(named) = headers.get(DICTIONARIES) else { return Ok(of_session(headers)) };
    let named = named.to_str().ok().and_then(choice);
    named.ok_or_else(|| Status::invalid_argument(format!("the header {DICTIONARIES} is {TEXT} or {KEEP}")))
}

fn choice(text: &str) -> Option<Dictionaries> {
    match text {
        TEXT => Some(Dictionaries::AsText),
        KEEP => Some(Dictionaries::Kept),
        _ => None,
    }
}

fn of_session(headers: &MetadataMap) -> Dictionaries {
    let cookies = headers.get_all("cookie").iter().filter_map(|cookies| cookies.to_str().ok());
    let mut values = cookies.flat_map(|cookies| cookies.split(';')).filter_map(|cookie| {
        let (name, value) = cookie.trim().split_once('=')?;
        (name == COOKIE).then(|| choice(value.trim_matches('"').strip_prefix(COOKIE_PREFIX)?)).flatten()
    });
    values.next().unwrap_or(Dictionaries::AsText)
}

/// Sets options. What cannot be set is listed in the answer, and the others are.
pub(super) fn set(request: &Request<Action>) -> Result<Response<Results>, Status> {
    let asked = SetRequest::decode(request.get_ref().body.as_ref());
    let asked = asked.map_err(|error| Status::invalid_argument(error.to_string()))?;
    let mut dictionaries = of_session(request.metadata());
    let mut errors = HashMap::new();
    for (name, value) in asked.options {
        let fixed = FIXED.iter().find(|(fixed, _)| *fixed == name).map(|(_, value)| *value);
        let is_set = match (name.as_str(), fixed, &value.choice) {
            (_, Some(_), None) => true,
            (_, Some(fixed), Some(Choice::Text(text))) => text == fixed,
            (DICTIONARIES, None, None) => {
                dictionaries = Dictionaries::AsText;
                true
            }
            (DICTIONARIES, None, Some(Choice::Text(text))) => {
                let chosen = choice(text);
                dictionaries = chosen.unwrap_or(dictionaries);
                chosen.is_some()
            }
            (DICTIONARIES, ..) | (_, Some(_), _) => false,
            _ => {
                errors.insert(name, OptionError { reason: UNKNOWN_NAME });
                continue;
            }
        };
        if !is_set {
            errors.insert(name, OptionError { reason: INVALID_VALUE });
        }
    }
    with_cookie(one_result(SetResult { errors }.encode_to_vec()), &format!("{COOKIE_PREFIX}{}", name_of(dictionaries)))
}

/// Tells all options.
pub(super) fn get(request: &Request<Action>) -> Response<Results> {
    let mut options: HashMap<_, _> =
        FIXED.iter().map(|(name, value)| ((*name).to_owned(), OptionValue::text(value))).collect();
    let chosen = name_of(of_session(request.metadata()));
    options.insert(DICTIONARIES.to_owned(), OptionValue::text(chosen));
    one_result(GetResult { options }.encode_to_vec())
}

/// Lets the client forget its session.
pub(super) fn close() -> Result<Response<Results>, Status> {
    with_cookie(one_result(CloseResult { status: CLOSED }.encode_to_vec()), "closed; Max-Age=0")
}

fn name_of(dictionaries: Dictionaries) -> &'static str {
    match dictionaries {
        Dictionaries::AsText => TEXT,
        Dictionaries::Kept => KEEP,
    }
}

fn with_cookie(mut response: Response<Results>, value: &str) -> Result<Response<Results>, Status> {
    let cookie = MetadataValue::try_from(format!("{COOKIE}={value}"));
    let cookie = cookie.map_err(|_| Status::internal("the session cannot be told"))?;
    response.metadata_mut().insert("set-cookie", cookie);
    Ok(response)
}

#[cfg(test)]
mod tests {
    use futures::TryStreamExt;

    use super::*;

    fn action(options: &[(&str, Option<Choice>)], cookie: Option<&str>) -> Request<Action> {
        let options = options.iter().map(|(name, choice)| ((*name).to_owned(), OptionValue { choice: choice.clone() }));
        let body = SetRequest { options: options.collect() }.encode_to_vec();
        let mut request = Request::new(Action::new("SetSessionOptions", body));
        if let Some(cookie) = cookie {
            request.metadata_mut().insert("cookie", cookie.parse().unwrap());
        }
        request
    }

    async fn body(response: Response<Results>) -> Vec<u8> {
        let results: Vec<_> = response.into_inner().try_collect().await.unwrap();
        results[0].body.to_vec()
    }

    #[tokio::test]
    async fn options_are_set_told_and_forgotten() {
        let text = |text: &str| Some(Choice::Text(text.to_owned()));
        let response = set(&action(&[("dictionaries", text("keep")), ("catalog", text("skillscope"))], None)).unwrap();
        let cookie = response.metadata().get("set-cookie").unwrap().to_str().unwrap().to_owned();
        assert_eq!(cookie, "arrow_flight_session_id=dictionaries-keep");
        assert!(SetResult::decode(&*body(response).await).unwrap().errors.is_empty());
        let told = get(&action(&[], Some(&format!("other=1; {cookie}"))));
        let told = GetResult::decode(&*body(told).await).unwrap().options;
        let expected = [("catalog", "skillscope"), ("dictionaries", "keep"), ("schema", "public")];
        let expected = expected.map(|(name, value)| (name.to_owned(), OptionValue::text(value)));
        assert_eq!(told, HashMap::from(expected));
        let response = close().unwrap();
        assert!(response.metadata().get("set-cookie").unwrap().to_str().unwrap().ends_with("Max-Age=0"));
        assert_eq!(CloseResult::decode(&*body(response).await).unwrap().status, CLOSED);
    }

    #[tokio::test]
    async fn what_cannot_be_set_is_told_by_its_name() {
        let wrong = [
            ("dictionaries", Some(Choice::Truth(true))),
            ("catalog", Some(Choice::Text("other".to_owned()))),
            ("nonsense", None),
        ];
        let response = set(&action(&wrong, None)).unwrap();
        let errors = SetResult::decode(&*body(response).await).unwrap().errors;
        let mut reasons: Vec<_> = errors.iter().map(|(name, error)| (name.as_str(), error.reason)).collect();
        reasons.sort_unstable();
        assert_eq!(reasons, [("catalog", INVALID_VALUE), ("dictionaries", INVALID_VALUE), ("nonsense", UNKNOWN_NAME)]);
        let mut request = Request::new(Action::new("SetSessionOptions", b"\xff".to_vec()));
        assert!(set(&request).is_err());
        request.metadata_mut().insert("dictionaries", "nonsense".parse().unwrap());
        assert!(dictionaries(request.metadata()).unwrap_err().message().contains("text or keep"));
    }
}
