//! What a query in PromQL asks for: metrics, and labels with values.

use super::exposition::Exposition;

/// Labels that the reader adds to what it reads.
const OF_THE_READER: [&str; 2] = ["instance", "job"];

/// A metric that the reader makes itself.
const READERS_METRIC: &str = "up";

/// The words after which labels stand in brackets.
const GROUPING: [&str; 5] = ["by", "without", "on", "ignoring", "group_left"];

const OPERATORS: [&str; 5] = ["and", "or", "unless", "bool", "offset"];

/// A condition: label, operator, value.
type Condition = (String, String, String);

/// What a query names.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Named {
    /// Each metric with its conditions.
    selectors: Vec<(String, Vec<Condition>)>,
    /// Labels to group by.
    groups: Vec<String>,
}

/// Finds what is named. It knows as much of the language as queries here use.
pub(super) fn named(query: &str) -> Named {
    let mut named = Named::default();
    let mut rest = query;
    while let Some(start) = rest.find(|c: char| c.is_ascii_alphabetic() || "\"[$".contains(c)) {
        // A number's unit is no name.
        let is_of_number = rest[..start].ends_with(|c: char| c.is_ascii_digit());
        rest = &rest[start..];
        if let Some(range) = rest.strip_prefix('[') {
            rest = &range[range.find(']').unwrap() + 1..];
            continue;
        }
        if let Some(text) = rest.strip_prefix('"') {
            rest = &text[text.find('"').unwrap() + 1..];
            continue;
        }
        let end = rest[1..].find(|c: char| !c.is_ascii_alphanumeric() && c != '_').map_or(rest.len(), |end| end + 1);
        let (word, after) = rest.split_at(end);
        rest = after.trim_start();
        if GROUPING.contains(&word) {
            let (labels, after) = rest.strip_prefix('(').unwrap().split_once(')').unwrap();
            named
                .groups
                .extend(labels.split(',').map(|label| label.trim().to_owned()).filter(|label| !label.is_empty()));
            rest = after;
        } else if let Some(conditions) = rest.strip_prefix('{') {
            let (conditions, after) = conditions.split_at(end_of_conditions(conditions));
            named.selectors.push((word.to_owned(), read_conditions(conditions)));
            rest = &after[1..];
        } else if !is_function(rest) && !OPERATORS.contains(&word) && !is_of_number && !word.starts_with('$') {
            named.selectors.push((word.to_owned(), Vec::new()));
        }
    }
    named
}

/// Whether what stands before `rest` is called: with its arguments, or with the labels to group by before them.
fn is_function(rest: &str) -> bool {
    ["(", "by ", "without "].iter().any(|next| rest.starts_with(next))
}

/// Where conditions end: at the first bracket that is in no value.
fn end_of_conditions(text: &str) -> usize {
    let mut is_quoted = false;
    let ends = text.find(|c| {
        is_quoted ^= c == '"';
        c == '}' && !is_quoted
    });
    ends.unwrap()
}

fn read_conditions(text: &str) -> Vec<Condition> {
    let (mut conditions, mut rest) = (Vec::new(), text);
    while !rest.trim().is_empty() {
        let (head, quoted) = rest.split_once('"').unwrap();
        let (value, after) = quoted.split_once('"').unwrap();
        let operator = head.find(|c| "=!~".contains(c)).unwrap();
        let (label, operator) = head.split_at(operator);
        conditions.push((label.trim_matches([' ', ',']).to_owned(), operator.trim().to_owned(), value.to_owned()));
        rest = after.trim_start_matches([' ', ',']);
    }
    conditions
}

impl Named {
    /// What of this is not exposed: metrics, labels that none of the series has, and values that are asked for by name.
    pub(super) fn missing(&self, exposed: &Exposition) -> Vec<String> {
        let mut missing = Vec::new();
        let own = || self.selectors.iter().filter(|(metric, _)| metric != READERS_METRIC);
        let values_of = |metric: &str, label: &str| -> Vec<String> {
            let series = exposed.samples().filter(|sample| sample.name == metric);
            series.filter_map(|sample| sample.labels.get(label).cloned()).collect()
        };
        for (metric, conditions) in own() {
            if !exposed.samples().any(|sample| sample.name == *metric) {
                missing.push(metric.clone());
            }
            for (label, operator, value) in conditions {
                if OF_THE_READER.contains(&label.as_str()) {
                    continue;
                }
                let values = values_of(metric, label);
                if values.is_empty() {
                    missing.push(format!("{metric}{{{label}}}"));
                }
                let asked = value.split('|').filter(|value| !value.contains(['$', '.', '[']));
                let asked = asked.filter(|_| operator == "=" || operator == "=~");
                let not_there = asked.filter(|value| !values.iter().any(|has| has == value));
                missing.extend(not_there.map(|value| format!("{metric}{{{label}=\"{value}\"}}")));
            }
        }
        let grouped = self.groups.iter().filter(|label| !OF_THE_READER.contains(&label.as_str()));
        let unknown = grouped.filter(|label| own().all(|(metric, _)| values_of(metric, label).is_empty()));
        missing.extend(unknown.cloned());
        missing
    }

    pub(super) fn is_empty(&self) -> bool {
        self.selectors.is_empty()
    }
}

#[test]
fn what_a_query_names_is_found() {
    let query = "sum by (le, route) (rate(a_bucket{instance=~\"$instance\", b=\"{c}|d\"}[$__rate_interval])) \
                 / on (door) group_left () clamp_min(e_total offset 5m, 1e-9) > 1.5 and f != 0";
    let condition =
        |label: &str, operator: &str, value: &str| (label.to_owned(), operator.to_owned(), value.to_owned());
    let of_a = vec![condition("instance", "=~", "$instance"), condition("b", "=", "{c}|d")];
    let selectors = vec![("a_bucket".to_owned(), of_a), ("e_total".to_owned(), vec![]), ("f".to_owned(), vec![])];
    let groups = ["le", "route", "door"].map(str::to_owned).to_vec();
    assert_eq!(named(query), Named { selectors, groups });
}

#[test]
fn what_is_not_exposed_is_told() {
    let exposed = Exposition::of_prometheus("# HELP a A.\n# TYPE a gauge\na{b=\"c\"} 1\n");
    let missing = |query: &str| named(query).missing(&exposed);
    assert_eq!(missing("sum by (b) (a{b=\"c\"}) > up"), Vec::<String>::new());
    assert_eq!(missing("x"), ["x"]);
    assert_eq!(missing("a{d=\"c\"}"), ["a{d}", "a{d=\"c\"}"]);
    assert_eq!(missing("a{b=~\"c|d\"}"), ["a{b=\"d\"}"]);
    assert_eq!(missing("sum by (d) (a)"), ["d"]);
}
