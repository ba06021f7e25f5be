//! What the document says of the fields of a segment: what databases are told of the columns.

use skillscope_segment::column;
use utoipa::openapi::{RefOr, Schema};

/// The description of a segment, in which each field is described by the comment on its column, if by nothing else.
pub(super) fn with_column_comments(mut described: RefOr<Schema>) -> RefOr<Schema> {
    if let RefOr::T(Schema::Object(segment)) = &mut described {
        for (name, field) in &mut segment.properties {
            if let Some(comment) = column::comment(name) {
                describe(field, comment);
            }
        }
    }
    described
}

fn describe(field: &mut RefOr<Schema>, comment: &str) {
    match field {
        RefOr::Ref(named) if named.description.is_empty() => named.description = comment.to_owned(),
        RefOr::T(Schema::Object(value)) => {
            value.description.get_or_insert_with(|| comment.to_owned());
        }
        RefOr::T(Schema::OneOf(choice)) => {
            choice.description.get_or_insert_with(|| comment.to_owned());
        }
        // A segment has no fields of other kinds; the test below would find one.
        RefOr::Ref(_) | RefOr::T(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use utoipa::PartialSchema;

    use super::super::SegmentBody;
    use super::*;

    #[test]
    fn every_field_of_a_segment_is_described() {
        let body = serde_json::to_value(with_column_comments(SegmentBody::schema())).unwrap();
        for (name, field) in body["properties"].as_object().unwrap() {
            assert!(field["description"].is_string(), "{name}: {field}");
        }
        assert_eq!(body["properties"]["agent_messages"]["description"], "Messages by assigned agents.");
        let account = "The brand's account; the one in the path where it is left out.";
        assert_eq!(body["properties"]["account_id"]["description"], account);
    }
}
