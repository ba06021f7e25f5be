//! Who may enter: tokens, what each of them opens, and until when.
//!
//! | part | file |
//! | --- | --- |
//! | what a token is, and what is kept of it | `token.rs`, `secret.rs`, `scram_verifier.rs`, `permission.rs` |
//! | where it is kept | `token_file.rs` |
//! | making, listing, and taking back | `administration.rs`, `control/` |
//! | letting callers in, until it is taken back | `registry.rs`, `pass.rs`, `logins.rs`, `attempts.rs` |
//! | requests that are signed | `oauth1/` |
//!
//! How a protocol tells who asks stands in `caller.rs`.

mod administration;
mod attempts;
mod control;
mod error;
mod logins;
mod oauth1;
mod pass;
mod permission;
mod registry;
mod scram_verifier;
mod secret;
mod token;
mod token_file;

pub use administration::{ListedToken, Oauth1Secrets, TokenAdministration, owner_secret};
pub use control::ControlSocket;
pub use error::AccessError;
pub(crate) use oauth1::{AskedUrl, SignedRequest, Untimely, WINDOW_SECONDS};
pub(crate) use pass::{Holder, Pass};
pub use permission::{Permission, UnknownPermission};
pub use registry::Access;
pub(crate) use registry::{NotSigned, SigningSecrets};
pub use secret::Secret;
pub use token::NewToken;
pub(crate) use token::TokenId;
