//! The limits of HTTP, and who may read answers.

use super::cors::CorsOrigins;

/// How the server answers over HTTP.
#[derive(Debug, Clone)]
pub struct HttpOptions {
    /// The largest request body, in bytes, as sent and after decompression.
    pub max_body_bytes: usize,
    /// The most rows in one answer to a statement.
    pub max_sql_rows: u64,
    /// The origins whose pages may read answers.
    pub cors_origins: CorsOrigins,
}
