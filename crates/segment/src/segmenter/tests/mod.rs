//! Tests of the segmenter.

mod order;
mod properties;
mod rules;
mod story;
