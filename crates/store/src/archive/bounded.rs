//! The bound of a cache for files of very different weight.

use quick_cache::{Options, OptionsBuilder};

/// The options of a cache for about `files` files of `weight` altogether.
///
/// It has a single shard, and no part of it is set aside for files that are new: several shards would hold a share of
/// the weight each, and a single file may weigh as much as there is room for.
#[expect(clippy::expect_used, reason = "options lack nothing where both figures are set")]
pub(crate) fn bounded(files: usize, weight: u64) -> Options {
    let mut options = OptionsBuilder::new();
    options.shards(1).hot_allocation(1.0).estimated_items_capacity(files).weight_capacity(weight);
    options.build().expect("both figures are set")
}
