//! A page of message history, as the document describes it.

use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// A page of an export, with the conversations as the vendor's API has them.
pub(in crate::http) enum HistoryPage {}

impl PartialSchema for HistoryPage {
    fn schema() -> RefOr<Schema> {
        let record = "A conversation with `info`, `messageRecords`, `agentParticipants`, `transfers` and `dialogs`. \
                      Anything else is left out, and listed as rejected in the answer.";
        let record = ObjectBuilder::new().schema_type(SchemaType::AnyValue).description(Some(record));
        ObjectBuilder::new()
            .schema_type(Type::Object)
            .property("conversationHistoryRecords", ArrayBuilder::new().items(record))
            .required("conversationHistoryRecords")
            .into()
    }
}

impl ToSchema for HistoryPage {}
