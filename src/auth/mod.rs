//! Who is calling, and what they may do.

mod authenticate;
mod guard;
mod hs256;
pub mod password;
mod secret;
mod token;

use std::time::Duration;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

pub use self::{
    authenticate::{Identity, authenticate, caller, leave_anonymous},
    guard::{
        Anonymous, Anyone, Editing, Edits, Guard, Guarded, Managing, Oneself, Owned, Part, Probe,
        Staff, User,
    },
    password::{Hasher, Kind, PasswordHash},
    secret::{Secret, random},
    token::{Claims, Keys, Refusal, TokenType, jti_hash, new_jti},
};

/// How tokens are made.
#[derive(Debug, Clone)]
pub struct Settings {
    pub secret: Secret,
    pub access_token_lifetime: Duration,
    pub refresh_token_lifetime: Duration,
    /// How long a used refresh token is answered with its successor again.
    pub refresh_grace: Duration,
}

/// What signing in and being signed in take.
pub struct Auth {
    pub keys: Keys,
    pub hasher: Hasher,
    pub settings: Settings,
}

impl Auth {
    pub fn new(settings: Settings) -> Self {
        Self {
            keys: Keys::new(&settings.secret),
            hasher: Hasher::default(),
            settings,
        }
    }

    /// What stands for these parts of a request where it is stored: it tells that they are the same again, and without the key
    /// nobody can try what they were.
    pub fn fingerprint(&self, parts: &[&[u8]]) -> String {
        let mut digest = Sha256::new();
        for part in [self.settings.secret.bytes()].iter().chain(parts) {
            digest.update(part.len().to_le_bytes());
            digest.update(part);
        }
        BASE64_URL_SAFE_NO_PAD.encode(digest.finalize())
    }
}
