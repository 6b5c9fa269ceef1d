//! JSON Web Tokens (RFC 7519) with the claims of djangorestframework-simplejwt.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _, digest::Key};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, errors::ErrorKind};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{
    Identity, hs256,
    secret::{Secret, random},
};
use crate::error::Error;

/// What a token is for. One kind is never taken for the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenType {
    /// Goes with each request, for minutes.
    Access,
    /// Gets the next pair, once.
    Refresh,
}

/// What a token says. Times are seconds since 1970.
#[derive(Clone, Serialize, Deserialize)]
pub struct Claims {
    pub token_type: TokenType,
    pub exp: i64,
    pub iat: i64,
    pub jti: String,
    pub user_id: String,
    /// The session that the token was given out in, and ends with.
    #[serde(default)]
    pub sid: String,
    /// For display alone: no right rests on it.
    #[serde(default)]
    pub is_staff: bool,
}

impl Claims {
    /// Whom the token speaks of. Ids are positive, so 0 is nobody's.
    pub fn identity(&self) -> Identity {
        Identity {
            user: self.user_id.parse().unwrap_or(0),
            session: self.sid.parse().unwrap_or(0),
        }
    }

    /// What is stored of a refresh token. It has as much randomness as the hash needs to be looked up by.
    pub fn jti_hash(&self) -> String {
        jti_hash(&self.jti)
    }
}

/// Bytes of a token at most: ours have some three hundred. A longer one is not worth its signature.
const LENGTH_MAX: usize = 4_096;

/// What is stored of the refresh token with this id.
pub fn jti_hash(jti: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(jti))
}

/// The id of a token that follows none.
///
/// # Errors
/// When the system has no randomness.
pub fn new_jti() -> Result<String, Error> {
    random::<JTI_BYTES>().map_err(|error| Error::Internal(error.to_string()))
}

/// Bytes of a token's id, as many as nobody guesses.
const JTI_BYTES: usize = 16;

/// Why a token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It is none of ours, or not of this kind.
    Invalid,
    WrongType,
    Expired,
    /// It was used or revoked.
    Blacklisted,
}

impl Refusal {
    /// simplejwt's text.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Invalid => "Token is invalid",
            Self::WrongType => "Token has wrong type",
            Self::Expired => "Token is expired",
            Self::Blacklisted => "Token is blacklisted",
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Unauthenticated {
            detail: refusal.text(),
            code: "token_not_valid",
        }
    }
}

/// Signs and reads tokens with one key, by HS256 and nothing else.
pub struct Keys {
    signing: EncodingKey,
    reading: DecodingKey,
    validation: Validation,
    /// Derives the ids of tokens that follow others.
    deriving: Hmac<Sha256>,
}

impl Keys {
    pub fn new(secret: &Secret) -> Self {
        hs256::install();
        let mut validation = Validation::new(Algorithm::HS256);
        // Both ends of the comparison are this server's own clock.
        validation.leeway = 0;
        // A token whose `exp` is this second has expired (RFC 7519, section 4.1.4).
        validation.reject_tokens_expiring_in_less_than = 1;
        validation.validate_nbf = true;
        Self {
            signing: EncodingKey::from_secret(secret.bytes()),
            reading: DecodingKey::from_secret(secret.bytes()),
            validation,
            deriving: derivation(secret),
        }
    }

    /// The id of the one token that follows the token with this id. It is derived, so that the same can be given out again
    /// although its hash alone is stored, and without the key nobody gets from one to the next.
    pub fn next_jti(&self, jti: &str) -> String {
        let derived = self.deriving.clone().chain_update(jti).finalize();
        BASE64_URL_SAFE_NO_PAD.encode(&derived.into_bytes()[..JTI_BYTES])
    }

    /// # Errors
    /// [`Error::Internal`] when the claims cannot be written.
    pub fn sign(&self, claims: &Claims) -> Result<String, Error> {
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &self.signing)
            .map_err(|_| Error::Internal("a token could not be signed".to_owned()))
    }

    /// Reads a token of either type.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn read(&self, token: &str) -> Result<Claims, Refusal> {
        if token.len() > LENGTH_MAX {
            return Err(Refusal::Invalid);
        }
        jsonwebtoken::decode(token, &self.reading, &self.validation)
            .map(|token| token.claims)
            .map_err(|error| match error.kind() {
                ErrorKind::ExpiredSignature => Refusal::Expired,
                _ => Refusal::Invalid,
            })
    }

    /// Reads a token of that type.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn read_as(&self, token_type: TokenType, token: &str) -> Result<Claims, Refusal> {
        let claims = self.read(token)?;
        if claims.token_type == token_type {
            Ok(claims)
        } else {
            Err(Refusal::WrongType)
        }
    }
}

/// What derives from a token's id the id of the next. No token is signed from text that begins like this.
fn derivation(secret: &Secret) -> Hmac<Sha256> {
    let mut key = Key::<Hmac<Sha256>>::default();
    let digest = Sha256::digest(secret.bytes());
    key[..digest.len()].copy_from_slice(&digest);
    Hmac::new(&key).chain_update("the refresh token after ")
}
