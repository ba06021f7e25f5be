//! Making tokens, listing them, and taking them back, also while a server has the directory open.

use std::path::{Path, PathBuf};

use skillscope_query::{Clock, Scope};
use skillscope_store::Store;

use super::AccessError;
use super::control::{self, Question};
use super::permission::Permission;
use super::secret::Secret;
use super::token::{Credential, NewToken, SigningKeys, Token};
use super::token_file::TokenFile;

/// The tokens of a data directory, in the hands of its owner.
#[derive(Debug)]
pub struct TokenAdministration {
    folder: PathBuf,
    file: TokenFile,
}

/// A token as its owner sees it: without its secret, which nobody knows any more.
#[derive(Debug, Clone)]
pub struct ListedToken {
    /// Its name.
    pub name: String,
    /// Whose data it opens.
    pub account: Scope,
    /// What it opens of that.
    pub permissions: Vec<Permission>,
    /// Whether its holder signs requests with OAuth 1.0.
    pub is_oauth1: bool,
    /// When it was made, in milliseconds since the epoch.
    pub created: i64,
    /// From when on it opens nothing more, in milliseconds since the epoch.
    pub expires: Option<i64>,
    /// When it was used last, in milliseconds since the epoch.
    pub last_use: Option<i64>,
}

/// What a client that signs with OAuth 1.0 needs.
#[derive(Debug)]
pub struct Oauth1Secrets {
    /// By which the server knows the client.
    pub consumer_key: String,
    /// One half of the key that signs.
    pub consumer_secret: String,
    /// By which the server knows the token.
    pub token: String,
    /// The other half of the key.
    pub token_secret: String,
}

impl TokenAdministration {
    /// The tokens of the data directory at `folder`, which is made where there is none.
    ///
    /// # Errors
    /// Where there is something else at `folder`, or it cannot be made.
    pub fn of(folder: &Path) -> skillscope_store::Result<Self> {
        Store::make_directory(folder)?;
        Ok(Self { folder: folder.to_owned(), file: TokenFile::in_directory(folder) })
    }

    /// Makes a token, and returns the secret that opens with it.
    ///
    /// # Errors
    /// Where the token cannot be as it is wanted, or not be kept, or the server not be told.
    pub fn add(&self, wanted: NewToken) -> Result<Secret, AccessError> {
        let (token, secret) = Token::new(wanted, Clock::System.now())?;
        self.keep(token)?;
        Ok(secret)
    }

    /// Makes a token for a client that signs with OAuth 1.0.
    ///
    /// # Errors
    /// Those of [`add`](Self::add).
    pub fn add_oauth1(&self, wanted: NewToken) -> Result<Oauth1Secrets, AccessError> {
        let (token, keys) = Token::of_oauth1(wanted, Clock::System.now())?;
        self.keep(token)?;
        let SigningKeys { consumer_key, consumer_secret, token, token_secret } = keys;
        Ok(Oauth1Secrets { consumer_key, consumer_secret, token, token_secret })
    }

    fn keep(&self, token: Token) -> Result<(), AccessError> {
        self.file.change(|tokens| {
            if tokens.iter().any(|other| other.name == token.name) {
                return Err(AccessError::NameTaken(token.name));
            }
            tokens.push(token);
            Ok(())
        })?;
        control::ask(&self.folder, Question::Reload).map(drop)
    }

    /// Takes a token back. What was let in by it ends.
    ///
    /// # Errors
    /// Where there is none of this name, or that cannot be written down, or the server not be told.
    pub fn revoke(&self, name: &str) -> Result<(), AccessError> {
        self.file.change(|tokens| {
            let place = tokens.iter().position(|token| token.name == name);
            let place = place.ok_or_else(|| AccessError::UnknownName(name.to_owned()))?;
            tokens.remove(place);
            Ok(())
        })?;
        control::ask(&self.folder, Question::Reload).map(drop)
    }

    /// The tokens, in the order in which they were made.
    ///
    /// # Errors
    /// Where they cannot be read, or the server not be asked when they were used.
    pub fn list(&self) -> Result<Vec<ListedToken>, AccessError> {
        control::ask(&self.folder, Question::WriteUses)?;
        let uses = self.file.uses();
        let tokens = self.file.read()?.unwrap_or_default();
        let listed = tokens.into_iter().map(|token| ListedToken {
            last_use: uses.get(&token.id.text()).copied(),
            is_oauth1: matches!(token.credential, Credential::Oauth1(_)),
            name: token.name,
            account: token.account,
            permissions: token.permissions,
            created: token.created,
            expires: token.expires,
        });
        Ok(listed.collect())
    }
}

/// A secret by which the owner of a data directory enters the server that has it open; `None` where there is none, or
/// it asks nobody.
///
/// # Errors
/// Where the server does not answer.
pub fn owner_secret(folder: &Path) -> Result<Option<String>, AccessError> {
    control::ask(folder, Question::Enter)
}
