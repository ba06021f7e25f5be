//! Tests of the segmenter.

mod export;
mod open;
mod order;
mod properties;
mod rules;
mod story;
