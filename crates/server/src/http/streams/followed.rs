//! What can be followed.

use std::future::Future;
use std::hash::Hash;

use axum::body::Bytes;

use super::super::problem::Problem;

/// A question of a route, without the instant at which it is asked. Two that are equal have the same answer at any
/// instant, for everybody who may ask them.
pub(in crate::http) trait Followed: Clone + Eq + Hash + Send + Sync + 'static {
    /// What it is answered from.
    type Source: Send + Sync + 'static;

    /// The [event](super::event) with the answer of now.
    fn answer(&self, source: &Self::Source) -> impl Future<Output = Result<Bytes, Problem>> + Send;
}
