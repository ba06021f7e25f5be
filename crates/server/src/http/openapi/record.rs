//! A record of a body that has many, as the document describes it.

use std::borrow::Cow;

use utoipa::openapi::schema::{AnyOfBuilder, ObjectBuilder, SchemaType};
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::{EventBody, SegmentBody, with_column_comments};

/// Declares, for each kind of record, what may stand in its place: one that is not as it should be has no effect on the
/// others, so that a body with it is valid as well.
macro_rules! records {
    ($($name:ident: $body:ident = $described:expr,)+) => {
        $(pub(in crate::http) enum $name {}

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                record(Ref::from_schema_name($body::name()))
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
                schemas.push(($body::name().into(), $described));
                $body::schemas(schemas);
            }
        })+
    };
}

records! {
    SegmentRecord: SegmentBody = with_column_comments(SegmentBody::schema()),
    EventRecord: EventBody = EventBody::schema(),
}

fn record(described: Ref) -> RefOr<Schema> {
    let other = "Anything else is left out, and listed as rejected in the answer.";
    let other = ObjectBuilder::new().schema_type(SchemaType::AnyValue).description(Some(other));
    AnyOfBuilder::new().item(described).item(other).into()
}
