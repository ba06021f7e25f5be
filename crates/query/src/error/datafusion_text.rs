//! Errors that DataFusion tells apart by their text alone: they have no type and no code of their own.
//!
//! A test for each has DataFusion make the error, so that another wording in a later version does not go unnoticed.

use datafusion::error::DataFusionError;

/// Whether a statement names a table that there is not. It is an error of planning like any other.
pub(super) fn names_unknown_table(root: &DataFusionError) -> bool {
    matches!(root, DataFusionError::Plan(text) if text.contains("table '") && text.contains("not found"))
}

/// Whether a statement has spilled as much to disk as statements may. It is an error of input and output like any
/// other, and its text names the setting.
pub(super) fn is_spill_limit(root: &DataFusionError) -> bool {
    root.to_string().contains("max_temp_directory_size")
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::Arc;

    use datafusion::execution::disk_manager::DiskManagerBuilder;
    use datafusion::prelude::SessionContext;

    use super::*;

    #[tokio::test]
    async fn a_table_that_there_is_not_is_told_from_other_errors_of_planning() {
        let context = SessionContext::new();
        let error = context.sql("select * from nowhere").await.unwrap_err();
        assert!(names_unknown_table(error.find_root()), "{error}");
        let error = context.sql("select 1 union select 1, 2").await.unwrap_err();
        assert!(!names_unknown_table(error.find_root()), "{error}");
    }

    #[test]
    fn the_limit_of_spilling_is_told_from_other_errors_of_the_disk() {
        let disk = Arc::new(DiskManagerBuilder::default().with_max_temp_directory_size(1).build().unwrap());
        let error = disk.create_tmp_file("test").unwrap().open_writer().unwrap().write_all(b"two").unwrap_err();
        assert!(is_spill_limit(&DataFusionError::IoError(error)));
        assert!(!is_spill_limit(&DataFusionError::IoError(std::io::Error::other("no space left on device"))));
    }
}
