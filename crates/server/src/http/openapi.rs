//! The OpenAPI 3.1 document, generated from the handlers.

use std::collections::BTreeMap;

use axum::Json;
use serde::Serialize;
use skillscope_query::Metric;
use skillscope_segment::{AgentKind, ClosedBy, EndReason, Outcome, Sender, StartReason, UserType};
use utoipa::openapi::schema::{KnownFormat, Object, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{OpenApi, PartialSchema, ToSchema};

use super::{backup, events, health, host_lookup, report, segments, sql};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "skillscope",
        description = "Skill-segment reports of a messaging contact centre: exact to the millisecond, for any timeframe that ends now.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    paths(report::get, host_lookup::get, segments::post, events::post, sql::post, backup::get, health::live, health::ready, get),
    tags(
        (name = "report", description = "Counts of closed skill segments."),
        (name = "ingestion", description = "Bringing closed segments and conversation events in."),
        (name = "sql", description = "Questions that no fixed report answers."),
        (name = "operation", description = "Running the server."),
    )
)]
struct Document;

/// This document.
#[utoipa::path(get, path = "/openapi.json", tag = "operation",
    responses((status = 200, description = "OpenAPI 3.1.", body = Object)))]
pub(super) async fn get() -> Json<utoipa::openapi::OpenApi> {
    Json(Document::openapi())
}

/// A report. It is written straight from its cells; these types only describe it.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "it is there to be described")]
pub(super) enum ReportBody {
    /// The answer where no interval is asked for.
    Whole(BreakdownBody),
    /// The answer where an interval is asked for.
    ByInterval(IntervalsBody),
}

/// Metrics by skill, and of all skills.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct BreakdownBody {
    /// By skill, in ascending order; skills without segments are left out.
    skills_metrics: BTreeMap<String, MetricsBody>,
    metrics_total: MetricsBody,
}

/// Metrics by interval, and of the whole timeframe.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct IntervalsBody {
    /// Every interval, newest first.
    metrics_by_intervals: Vec<IntervalBody>,
    timeframe_summary: BreakdownBody,
}

/// The metrics of an interval.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct IntervalBody {
    /// The interval's start, in milliseconds since the epoch.
    timestamp: i64,
    skills_metrics: BTreeMap<String, MetricsBody>,
    metrics_total: MetricsBody,
}

/// How many segments there were, and how each ended: the members are those of the table of metrics.
#[derive(Serialize)]
pub(super) struct MetricsBody;

impl PartialSchema for MetricsBody {
    fn schema() -> RefOr<Schema> {
        let body = ObjectBuilder::new().description(Some("How many segments there were, and how each ended."));
        let members = Metric::ALL.iter().fold(body, |body, metric| {
            let number = ObjectBuilder::new()
                .schema_type(Type::Integer)
                .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
                .description(Some(metric.description));
            body.property(metric.json_key, number).required(metric.json_key)
        });
        members.into()
    }
}

impl ToSchema for MetricsBody {}

/// A closed skill segment. A record that contradicts itself is rejected.
#[derive(Serialize, ToSchema)]
pub(super) struct SegmentBody {
    /// The brand's account; the one in the path where it is left out.
    #[schema(pattern = "^[A-Za-z0-9._-]{1,64}$")]
    account_id: Option<String>,
    /// With account and index it is the segment's key.
    #[schema(max_length = 1024)]
    conversation_id: String,
    /// 0-based position in the conversation.
    segment_index: u32,
    skill_id: i64,
    /// When the conversation entered the skill's queue.
    start_time: TimeBody,
    /// When it was transferred away or closed; every metric counts at this time.
    end_time: TimeBody,
    #[schema(schema_with = start_reasons)]
    start_reason: String,
    #[schema(schema_with = end_reasons)]
    end_reason: String,
    #[schema(schema_with = user_types)]
    user_type: String,
    #[schema(schema_with = outcomes)]
    outcome: String,
    /// The consumer closed an unanswered conversation while no agent was assigned.
    abandoned_in_queue: bool,
    /// The first assignment of an agent in the segment.
    first_assigned_time: Option<TimeBody>,
    /// The first message by an assigned agent in the segment.
    first_agent_message_time: Option<TimeBody>,
    /// Milliseconds from the assignment of the agent who spoke first to that message, where it is measured.
    #[schema(minimum = 0)]
    time_to_first_agent_message_ms: Option<i64>,
    /// Messages by assigned agents.
    agent_messages: u32,
    /// Messages by the consumer.
    consumer_messages: u32,
    /// The agent assigned last.
    #[schema(max_length = 1024)]
    last_agent_id: Option<String>,
    /// Where the conversation came from.
    #[schema(max_length = 1024, example = "WEB")]
    source: Option<String>,
}

/// Something that happened in a conversation. Each type has fields of its own.
#[derive(Serialize, ToSchema)]
pub(super) struct EventBody {
    /// The brand's account; the one in the path where it is left out.
    #[schema(pattern = "^[A-Za-z0-9._-]{1,64}$")]
    account_id: Option<String>,
    #[schema(max_length = 1024)]
    conversation_id: String,
    /// 0, 1, 2 … within the conversation.
    sequence: u64,
    time: TimeBody,
    #[serde(rename = "type")]
    #[schema(schema_with = event_types)]
    kind: String,
    /// The skill whose queue is entered: of `conversation_started`, `transferred` and `conversation_resumed`.
    skill_id: Option<i64>,
    /// Where the conversation came from: of `conversation_started`.
    #[schema(max_length = 1024, example = "WEB")]
    source: Option<String>,
    /// The agent: of `agent_assigned`, and of a `message` by an agent, which is the assigned one's where it is left out.
    #[schema(max_length = 1024)]
    agent_id: Option<String>,
    /// Of `agent_assigned`.
    #[schema(schema_with = agent_kinds)]
    user_type: Option<String>,
    /// Whether a manager took the conversation over: of `agent_assigned`.
    takeover: Option<bool>,
    /// Of `message`.
    #[schema(schema_with = senders)]
    sender: Option<String>,
    /// What the target was named by: of `transferred`.
    #[schema(schema_with = transfer_reasons)]
    reason: Option<String>,
    /// Of `conversation_closed`.
    #[schema(schema_with = closers)]
    by: Option<String>,
}

fn event_types() -> Object {
    let types = [
        "conversation_started",
        "agent_assigned",
        "returned_to_queue",
        "message",
        "transferred",
        "conversation_closed",
        "conversation_resumed",
    ];
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(types)).build()
}

fn transfer_reasons() -> Object {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(["skill", "agent"])).build()
}

/// A time from 1970 to 2199.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "it is there to be described")]
pub(super) enum TimeBody {
    /// Milliseconds since the epoch.
    Milliseconds(i64),
    /// RFC 3339; digits beyond the millisecond are dropped.
    Rfc3339(String),
}

/// Vocabularies as enumerations.
macro_rules! enumerations {
    ($($function:ident: $words:ident,)+) => {
        $(fn $function() -> Object {
            let words = $words::ALL.iter().map(|word| word.as_str());
            ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words)).build()
        })+
    };
}

enumerations! {
    start_reasons: StartReason,
    end_reasons: EndReason,
    user_types: UserType,
    outcomes: Outcome,
    agent_kinds: AgentKind,
    senders: Sender,
    closers: ClosedBy,
}
