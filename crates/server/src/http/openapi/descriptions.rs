//! What the document says of the fields of a segment, for those who list the columns of the table.

use utoipa::PartialSchema;

use super::SegmentBody;

/// The fields of a closed segment that are described, with their descriptions.
pub(crate) fn segment_descriptions() -> Vec<(String, String)> {
    let body = serde_json::to_value(SegmentBody::schema()).unwrap_or_default();
    let fields = body.get("properties").and_then(serde_json::Value::as_object);
    let described = fields.into_iter().flatten().filter_map(|(name, field)| {
        let description = field.get("description")?.as_str()?;
        Some((name.clone(), description.to_owned()))
    });
    described.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_a_segment_are_described() {
        let descriptions = segment_descriptions();
        let of = |name: &str| descriptions.iter().find(|(field, _)| field == name).map(|(_, text)| text.as_str());
        assert_eq!(of("agent_messages"), Some("Messages by assigned agents."));
        assert_eq!(of("start_time"), Some("When the conversation entered the skill's queue."));
    }
}
