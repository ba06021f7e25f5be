//! Subqueries that refer to the query around them, where DataFusion has no way to compute them: those with `LIMIT`, and
//! those that compare by anything but equality below an aggregation.
//!
//! ```text
//! rule.rs  finds them ─▶ difficulty.rs  which ones DataFusion cannot compute
//!     │
//!     └─▶ domain.rs  the subquery for all values at once that the query around it has ─▶ a join with that query
//! ```
//!
//! A subquery is computed once for all rows instead of once for each: the different values of the columns that it
//! refers to are joined to its tables, and take part in every step from there on.

mod difficulty;
mod domain;
mod rule;

pub(super) use rule::Correlation;
