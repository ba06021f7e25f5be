//! PostgreSQL's meaning, where DataFusion has another one.
//!
//! ```text
//! the statement ─▶ refused.rs    what DataFusion reads and then ignores, or answers wrongly, is refused
//!      └─────────▶ syntax.rs     what it takes for something else is written so that it is what it means
//!                     └─▶ power.rs, interval_text.rs, ordered_set.rs, series.rs   how firmly `^` binds, and more
//! its types ─────▶ types.rs
//! its operators ─▶ operators.rs  while expressions are planned, and the types of both sides are known
//! its plan ──────▶ conversions.rs  casts and comparisons, once all types are known
//! ```

mod conversions;
mod interval_text;
mod operators;
mod ordered_set;
mod power;
mod refused;
mod series;
mod syntax;
mod types;

pub(super) use conversions::Conversions;
pub(super) use operators::Operators;
pub(super) use refused::check_syntax;
pub(super) use syntax::with_meaning;
pub(super) use types::Types;
pub use types::object_list;
