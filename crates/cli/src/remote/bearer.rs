//! The token that is shown to a server.

use std::fmt::{self, Debug, Formatter};

use anyhow::Result;
use ureq::http::HeaderValue;

use crate::output::Usage;

/// The token of this client, as the header `Authorization` has it.
#[derive(Clone)]
pub(crate) struct Bearer(HeaderValue);

impl Bearer {
    /// # Errors
    /// [`Usage`] where no token looks like this. It does not tell what was given.
    pub(crate) fn new(token: &str) -> Result<Self> {
        let is_token = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
        let header = HeaderValue::try_from(format!("Bearer {token}")).ok().filter(|_| is_token);
        let mut header = header.ok_or_else(|| Usage::error("what was given as the token is none: it is one word"))?;
        header.set_sensitive(true);
        Ok(Self(header))
    }

    pub(super) fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

impl Debug for Bearer {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("a token")
    }
}
