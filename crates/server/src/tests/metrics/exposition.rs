//! A strict reader of what Prometheus reads: its text format 0.0.4, and OpenMetrics 1.0.

use std::collections::{BTreeMap, BTreeSet};

/// Metrics as a reader sees them.
#[derive(Debug, Default)]
pub(super) struct Exposition {
    pub(super) families: Vec<Family>,
}

/// A metric.
#[derive(Debug, Default)]
pub(super) struct Family {
    pub(super) name: String,
    pub(super) help: String,
    pub(super) kind: String,
    pub(super) unit: Option<String>,
    pub(super) samples: Vec<Sample>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sample {
    pub(super) name: String,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) value: f64,
}

impl Exposition {
    /// Reads the text format of Prometheus.
    pub(super) fn of_prometheus(text: &str) -> Self {
        assert!(text.ends_with('\n') && !text.contains("# EOF") && !text.contains("# UNIT"));
        Self::of(text, "_total")
    }

    /// Reads OpenMetrics, in which the name of a counter lacks the ending of its sample.
    pub(super) fn of_open_metrics(text: &str) -> Self {
        Self::of(text.strip_suffix("# EOF\n").expect("the end is marked"), "")
    }

    fn of(text: &str, ending_of_counters: &str) -> Self {
        let mut all = Self::default();
        for line in text.lines() {
            match line.strip_prefix("# ") {
                Some(comment) => all.comment(comment),
                None => all.sample(Sample::of(line)),
            }
        }
        all.families.iter().for_each(|family| family.check(ending_of_counters));
        let mut series = BTreeSet::new();
        for Sample { name, labels, .. } in all.families.iter().flat_map(|family| &family.samples) {
            assert!(series.insert(format!("{name}{labels:?}")), "{name}{labels:?} is there twice");
        }
        all
    }

    fn comment(&mut self, comment: &str) {
        let (keyword, rest) = comment.split_once(' ').unwrap();
        let (name, text) = rest.split_once(' ').unwrap();
        assert!(is_name(name), "{name}");
        if keyword == "HELP" {
            assert!(self.families.iter().all(|family| family.name != name), "{name} is told twice");
            self.families.push(Family { name: name.to_owned(), help: text.to_owned(), ..Family::default() });
            return;
        }
        let family = self.families.last_mut().expect("the help comes first");
        assert!(family.name == name && family.samples.is_empty(), "{comment} stands elsewhere");
        match keyword {
            "TYPE" => family.kind = text.to_owned(),
            "UNIT" => family.unit = Some(text.to_owned()),
            other => panic!("{other} is no keyword"),
        }
    }

    fn sample(&mut self, sample: Sample) {
        let family = self.families.last_mut().expect("a sample is of a family");
        let ending = sample.name.strip_prefix(&family.name).unwrap_or_else(|| panic!("{sample:?} stands elsewhere"));
        assert!(["", "_total", "_info", "_bucket", "_sum", "_count"].contains(&ending), "{sample:?}");
        family.samples.push(sample);
    }

    pub(super) fn samples(&self) -> impl Iterator<Item = &Sample> {
        self.families.iter().flat_map(|family| &family.samples)
    }

    /// The value of the one series with this name and these labels; `None` where there is none.
    pub(super) fn find(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let has_all = |sample: &&Sample| {
            labels.len() == sample.labels.len()
                && labels.iter().all(|(name, value)| sample.labels.get(*name).is_some_and(|has| has == value))
        };
        self.samples().filter(|sample| sample.name == name).find(has_all).map(|sample| sample.value)
    }

    #[track_caller]
    pub(super) fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.find(name, labels).unwrap_or_else(|| panic!("there is no {name} {labels:?}"))
    }
}

impl Family {
    fn check(&self, ending_of_counters: &str) {
        let Self { name, help, kind, .. } = self;
        assert!(!help.is_empty() && !kind.is_empty(), "{name}");
        for sample in &self.samples {
            let ending = sample.name.strip_prefix(name.as_str()).unwrap();
            let is_right = match kind.as_str() {
                // The ending belongs to the name of the family, or it does not.
                "counter" if ending_of_counters.is_empty() => ending == "_total",
                "counter" => ending.is_empty() && name.ends_with(ending_of_counters),
                "gauge" => ending.is_empty(),
                "info" => ending == "_info",
                "histogram" => ["_bucket", "_sum", "_count"].contains(&ending),
                other => panic!("{other} is no type"),
            };
            assert!(is_right && (kind == "gauge" || sample.value >= 0.0), "{sample:?} of a {kind}");
        }
        if kind == "histogram" {
            self.check_histogram();
        }
    }

    /// Buckets are cumulative, in the order of their bounds, and the last has all values.
    fn check_histogram(&self) {
        let of_series = |sample: &Sample| {
            let labels = sample.labels.iter().filter(|(name, _)| *name != "le");
            labels.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>()
        };
        let series: BTreeSet<_> = self.samples.iter().map(of_series).collect();
        for series in series {
            let of_this = || self.samples.iter().filter(|sample| of_series(sample) == series);
            let ending = |ending: &'static str| of_this().filter(move |sample| sample.name.ends_with(ending));
            let bound = |sample: &Sample| match sample.labels["le"].as_str() {
                "+Inf" => f64::INFINITY,
                bound => bound.parse::<f64>().unwrap(),
            };
            let buckets: Vec<(f64, f64)> = ending("_bucket").map(|sample| (bound(sample), sample.value)).collect();
            assert!(buckets.is_sorted_by(|a, b| a.0 < b.0 && a.1 <= b.1), "{} {series:?}", self.name);
            let counts: Vec<f64> = ending("_count").map(|sample| sample.value).collect();
            assert_eq!(ending("_sum").count(), 1, "{}", self.name);
            assert_eq!(buckets.last().copied(), counts.first().map(|count| (f64::INFINITY, *count)), "{}", self.name);
        }
    }
}

impl Sample {
    /// Reads `name{label="value",…} number`.
    fn of(line: &str) -> Self {
        let (series, value) = line.rsplit_once(' ').unwrap();
        let value = value.parse::<f64>().unwrap_or_else(|_| panic!("{line}"));
        let (name, labels) = match series.split_once('{') {
            Some((name, labels)) => (name, read_labels(labels.strip_suffix('}').unwrap())),
            None => (series, BTreeMap::new()),
        };
        assert!(is_name(name), "{line}");
        Self { name: name.to_owned(), labels, value }
    }
}

fn read_labels(text: &str) -> BTreeMap<String, String> {
    let (mut labels, mut rest) = (BTreeMap::new(), text);
    while !rest.is_empty() {
        let (name, quoted) = rest.split_once("=\"").unwrap();
        assert!(is_name(name), "{text}");
        let (mut value, mut characters) = (String::new(), quoted.char_indices());
        let end = loop {
            match characters.next().expect("a value ends") {
                (end, '"') => break end,
                (_, '\\') => value.push(match characters.next().unwrap().1 {
                    'n' => '\n',
                    other => other,
                }),
                (_, other) => value.push(other),
            }
        };
        assert!(labels.insert(name.to_owned(), value).is_none(), "{text}");
        rest = &quoted[end + 1..];
        rest = rest.strip_prefix(',').unwrap_or(rest);
    }
    labels
}

fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

#[test]
fn the_reader_is_strict() {
    let good = "# HELP a_total A.\n# TYPE a_total counter\na_total{b=\"c\\\"d\",e=\"\"} 1\n";
    let read = Exposition::of_prometheus(good);
    assert_eq!(read.value("a_total", &[("b", "c\"d"), ("e", "")]), 1.0);
    let wrong = [
        "a_total 1\n",
        "# HELP a A.\n# TYPE a counter\na 1\n",
        "# HELP a A.\n# TYPE a gauge\na 1\na 2\n",
        "# HELP a A.\n# TYPE a gauge\nb 1\n",
        "# HELP a A.\n# TYPE a gauge\na one\n",
        "# HELP h H.\n# TYPE h histogram\nh_bucket{le=\"1\"} 2\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n",
        "# HELP h H.\n# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 2\n",
    ];
    for text in wrong {
        assert!(std::panic::catch_unwind(|| Exposition::of_prometheus(text)).is_err(), "{text}");
    }
}
