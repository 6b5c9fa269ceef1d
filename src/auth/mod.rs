//! Who is calling, and what they may do.

mod authenticate;
mod guard;
pub mod password;
mod secret;
mod token;

use std::time::Duration;

pub use self::{
    authenticate::{authenticate, is_staff, leave_anonymous},
    guard::{Anonymous, Anyone, Editing, Guard, Guarded, Owned, Staff, User},
    password::{Hasher, PasswordHash},
    secret::{Secret, random},
    token::{Claims, Keys, Refusal, TokenType},
};

/// How tokens are made.
#[derive(Debug, Clone)]
pub struct Settings {
    pub secret: Secret,
    pub access_token_lifetime: Duration,
    pub refresh_token_lifetime: Duration,
    /// How long a used refresh token still gets a pair.
    pub refresh_grace: Duration,
}

/// What signing in and being signed in take.
pub struct Auth {
    pub keys: Keys,
    pub hasher: Hasher,
    pub settings: Settings,
}

impl Auth {
    /// # Errors
    /// When the system has no randomness or no memory.
    pub fn new(settings: Settings) -> Result<Self, String> {
        Ok(Self {
            keys: Keys::new(&settings.secret),
            hasher: Hasher::new()?,
            settings,
        })
    }
}
