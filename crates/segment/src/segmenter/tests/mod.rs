//! Tests of the segmenter.

mod export;
mod order;
mod properties;
mod rules;
mod story;
