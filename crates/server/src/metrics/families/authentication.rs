//! Who comes in.

use super::{Definition, Exposition};
use crate::access::Access;

const ASKS: Definition = Definition::gauge(
    "skillscope_authentication_required",
    &[],
    "1 where every door asks for a token; 0 where none does.",
);

const FAILURES: Definition = Definition::counter(
    "skillscope_authentication_failures",
    &[],
    "Attempts to enter with a token that is unknown, revoked or expired, at any door.",
);

pub(super) fn add(all: &mut Exposition, access: &Access) {
    all.single(&ASKS, access.asks());
    all.single(&FAILURES, access.failed_attempts());
}
