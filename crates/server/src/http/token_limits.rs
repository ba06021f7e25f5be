//! What one token may ask for at a time, and how often.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::answer_body::keep_until_gone;
use super::problem::Problem;
use crate::access::Holder;
use crate::caller::Caller;
use crate::limiter::{Limiter, TooMuch};

/// Passes a request that was let in on, unless its token asks for too much. Whoever has no token cannot be told from
/// others, and is not limited.
pub(super) async fn limit(State(limiter): State<Arc<Limiter<Holder>>>, request: Request, next: Next) -> Response {
    let holder = request.extensions().get::<Caller>().map(Caller::holder);
    let Some(holder @ Holder::Token(_)) = holder else { return next.run(request).await };
    let turn = match limiter.enter(&holder) {
        Ok(turn) => turn,
        Err(too_much) => return Problem::from(too_much).into_response(),
    };
    keep_until_gone(next.run(request).await, turn)
}

impl From<TooMuch> for Problem {
    fn from(too_much: TooMuch) -> Self {
        match too_much {
            TooMuch::AtATime { most } => Self::too_many(
                format!(
                    "the token has {most} requests under way, which is the most (--token-concurrency); ask when one is answered"
                ),
                1,
            ),
            TooMuch::TooOften { rate, wait } => {
                let seconds = u32::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u32::MAX).max(1);
                Self::too_many(format!("the token asks more often than {rate} times a second (--token-rate)"), seconds)
            }
        }
    }
}
