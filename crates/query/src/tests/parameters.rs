//! The parameters of a request: values that the contract allows are taken, others are refused by name.

use super::world::World;
use crate::{Error, UserTypeFilter};

/// The parameter that a query is refused for; `None` where it is taken.
fn blamed(query: &str) -> Option<&'static str> {
    let parameters: Vec<(&str, &str)> = query
        .split('&')
        .filter(|part| !part.is_empty())
        .map(|part| part.split_once('=').unwrap_or((part, "")))
        .collect();
    match World::new(0, &[]).request("acme", &parameters) {
        Ok(_) => None,
        Err(Error::Parameter { parameter, .. }) => Some(parameter),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn what_the_contract_allows_is_taken() {
    for query in [
        "timeframe=1&v=1",
        "timeframe=1440&v=1",
        "timeframe=60&v=1&interval=30",
        "timeframe=5&v=1&interval=5",
        "timeframe=1440&v=1&interval=1440",
        "timeframe=60&v=1&skillIds=all",
        "timeframe=60&v=1&skillIds=4,153",
        "timeframe=60&v=1&skillIds=-1,4,4,-9223372036854775808,9223372036854775807",
        "timeframe=60&v=1&userType=human",
        "timeframe=60&v=1&userType=bot",
        "timeframe=60&v=1&userType=all",
        "timeframe=60&v=1&unknown=1&unknown=2&skill=1&skillId=1&skill_ids=x&user=bot&account[]=1&[]=2&w=3",
    ] {
        assert_eq!(blamed(query), None, "{query}");
    }
}

#[test]
fn what_the_contract_does_not_allow_is_refused_by_name() {
    for (query, parameter) in [
        ("", "v"),
        ("timeframe=60", "v"),
        ("timeframe=60&v=2", "v"),
        ("timeframe=60&v=", "v"),
        ("timeframe=60&v=1.0", "v"),
        ("timeframe=60&v=-1", "v"),
        ("timeframe=60&v=1&v=1", "v"),
        ("v=1", "timeframe"),
        ("v=1&timeframe=", "timeframe"),
        ("v=1&timeframe=0", "timeframe"),
        ("v=1&timeframe=-5", "timeframe"),
        ("v=1&timeframe=1441", "timeframe"),
        ("v=1&timeframe=60.0", "timeframe"),
        ("v=1&timeframe=+60", "timeframe"),
        ("v=1&timeframe= 60", "timeframe"),
        ("v=1&timeframe=1e2", "timeframe"),
        ("v=1&timeframe=99999999999999999999", "timeframe"),
        ("v=1&timeframe=60&timeframe=60", "timeframe"),
        ("v=1&timeframe=60&interval=61", "interval"),
        ("v=1&timeframe=60&interval=31", "interval"),
        ("v=1&timeframe=60&interval=4", "interval"),
        ("v=1&timeframe=60&interval=0", "interval"),
        ("v=1&timeframe=60&interval=-30", "interval"),
        ("v=1&timeframe=60&interval=", "interval"),
        ("v=1&timeframe=60&interval=30&interval=30", "interval"),
        ("v=1&timeframe=4&interval=4", "interval"),
        ("v=1&timeframe=60&userType=agent", "userType"),
        ("v=1&timeframe=60&userType=Human", "userType"),
        ("v=1&timeframe=60&userType=", "userType"),
        ("v=1&timeframe=60&userType=bot&userType=bot", "userType"),
        ("v=1&timeframe=60&skillIds=", "skillIds"),
        ("v=1&timeframe=60&skillIds=4,", "skillIds"),
        ("v=1&timeframe=60&skillIds=4,,5", "skillIds"),
        ("v=1&timeframe=60&skillIds=4, 5", "skillIds"),
        ("v=1&timeframe=60&skillIds=all,4", "skillIds"),
        ("v=1&timeframe=60&skillIds=ALL", "skillIds"),
        ("v=1&timeframe=60&skillIds=9223372036854775808", "skillIds"),
        ("v=1&timeframe=60&skillIds=4&skillIds=5", "skillIds"),
    ] {
        assert_eq!(blamed(query), Some(parameter), "{query}");
    }
}

#[test]
fn a_name_that_differs_in_case_or_brackets_alone_is_refused_with_the_right_one() {
    for (query, parameter) in [
        ("timeframe=60&v=1&skillids=1", "skillIds"),
        ("timeframe=60&v=1&SKILLIDS=1", "skillIds"),
        ("timeframe=60&v=1&skillIds[]=1", "skillIds"),
        ("timeframe=60&v=1&skillIds[]=1&skillIds[]=2", "skillIds"),
        ("timeframe=60&v=1&skillIds[0]=1", "skillIds"),
        ("timeframe=60&v=1&skillIds=1&skillids[]=2", "skillIds"),
        ("timeframe=60&v=1&usertype=bot", "userType"),
        ("timeframe=60&v=1&userType[]=bot", "userType"),
        ("timeframe=60&v=1&Interval=30", "interval"),
        ("Timeframe=60&v=1", "timeframe"),
        ("timeframe=60&V=1", "v"),
        ("timeframe=60&v=1&V=3", "v"),
    ] {
        assert_eq!(blamed(query), Some(parameter), "{query}");
    }
    let error =
        World::new(0, &[]).request("acme", &[("v", "1"), ("timeframe", "60"), ("skillIds[]", "4")]).unwrap_err();
    let expected = "skillIds=4: it is given as skillIds[]; its name is skillIds, and several skills are one value, such \
                    as skillIds=4,153";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_refusal_names_the_value_and_the_rule() {
    let world = World::new(0, &[]);
    let error = world.request("acme", &[("v", "1"), ("timeframe", "1441")]).unwrap_err();
    assert_eq!(error.to_string(), "timeframe=1441: it is a whole number of minutes from 1 to 1440");
}

#[test]
fn a_request_covers_the_timeframe_up_to_now() {
    let world = World::new(1_516_265_515_679, &[]);
    let query = [("timeframe", "60"), ("v", "1"), ("interval", "30"), ("skillIds", "4,4,-1"), ("userType", "bot")];
    let request = world.request("acme", &query).unwrap();
    assert_eq!(request.parameters().range(), 1_516_261_915_679..1_516_265_515_679);
    assert_eq!(request.parameters().interval_ms(), Some(1_800_000));
    assert_eq!(request.parameters().skills().unwrap().iter().copied().collect::<Vec<_>>(), [-1, 4]);
    assert_eq!(request.parameters().user_type(), UserTypeFilter::Bot);
}
