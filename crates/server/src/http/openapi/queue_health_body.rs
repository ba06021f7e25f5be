//! The queue's health, as the document describes it.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// The members of each skill and of the total, in order, with what they count.
const MEMBERS: [(&str, &str); 14] = [
    ("unassignedConversations", "Open conversations without an agent: exact."),
    ("actionableConversations", NOT_SAID),
    ("notActionableConversations", NOT_SAID),
    ("actionableAndManualSla", NOT_SAID),
    ("actionableAndDuringTransfer", NOT_SAID),
    ("actionableAndConsumerLastMessage", NOT_SAID),
    ("notActionableDuringTransfer", NOT_SAID),
    ("notActionableAndManualSla", NOT_SAID),
    ("unassignedConversationsAndFirstTimeConsumer", NOT_SAID),
    (
        "avgWaitTimeForAgentAssignment_NewConversation",
        "How long those without an agent wait on average whose wait began as they were started or resumed: milliseconds, exact; -1 where there are none.",
    ),
    ("avgWaitTimeForAgentAssignment_AfterTransfer", "The same for those whose wait began with a transfer."),
    (
        "maxWaitTimeForAgentAssignment",
        "How long the one without an agent waits that waits longest: milliseconds, exact; -1 where there is none.",
    ),
    (
        "waitTimeForAgentAssignment_50thPercentile",
        "The median of the waits, interpolated: milliseconds, exact; -1 where nobody waits.",
    ),
    (
        "waitTimeForAgentAssignment_90thPercentile",
        "The wait that nine of ten do not exceed, interpolated: milliseconds, exact; -1 where nobody waits.",
    ),
];

const NOT_SAID: &str = "Always -1, which is no relevant data: events do not say this.";

/// The queue's health. It is written straight from what is followed; these types only describe it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct QueueHealthBody {
    /// By skill, in ascending order; skills without open conversations are left out.
    skills_metrics: BTreeMap<String, SkillQueueHealthBody>,
    metrics_total: QueueHealthMetricsBody,
}

/// The health of a skill's queue.
#[derive(Serialize)]
pub(super) struct SkillQueueHealthBody;

/// The health of all queues together.
#[derive(Serialize)]
pub(super) struct QueueHealthMetricsBody;

impl PartialSchema for SkillQueueHealthBody {
    fn schema() -> RefOr<Schema> {
        let time = ("time", "The instant, in milliseconds since the epoch.");
        members("The health of a skill's queue.", [time].into_iter().chain(MEMBERS))
    }
}

impl PartialSchema for QueueHealthMetricsBody {
    fn schema() -> RefOr<Schema> {
        members("The health of all queues together.", MEMBERS.into_iter())
    }
}

impl ToSchema for SkillQueueHealthBody {}

impl ToSchema for QueueHealthMetricsBody {}

fn members(description: &str, members: impl Iterator<Item = (&'static str, &'static str)>) -> RefOr<Schema> {
    let body = ObjectBuilder::new().description(Some(description));
    let body = members.fold(body, |body, (name, description)| {
        let number = ObjectBuilder::new()
            .schema_type(Type::Integer)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
            .description(Some(description));
        body.property(name, number).required(name)
    });
    body.into()
}
