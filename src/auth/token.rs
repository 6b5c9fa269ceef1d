//! JSON Web Tokens (RFC 7519) with the claims of djangorestframework-simplejwt.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, errors::ErrorKind};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{
    hs256,
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
    /// For display alone: no right rests on it.
    #[serde(default)]
    pub is_staff: bool,
}

impl Claims {
    /// # Errors
    /// When the system has no randomness.
    pub fn new(
        token_type: TokenType,
        user_id: i64,
        is_staff: bool,
        (iat, exp): (i64, i64),
    ) -> Result<Self, Error> {
        let jti = random::<16>().map_err(|error| Error::Internal(error.to_string()))?;
        Ok(Self {
            token_type,
            exp,
            iat,
            jti,
            user_id: user_id.to_string(),
            is_staff,
        })
    }

    /// Whose token it is; ids are positive, so 0 is nobody's.
    pub fn user(&self) -> i64 {
        self.user_id.parse().unwrap_or(0)
    }

    /// What is stored of a refresh token. It has as much randomness as the hash needs to be looked up by.
    pub fn jti_hash(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(&self.jti))
    }
}

/// Bytes of a token at most: ours have some three hundred. A longer one is not worth its signature.
const LENGTH_MAX: usize = 4_096;

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
}

impl Keys {
    pub fn new(secret: &Secret) -> Self {
        hs256::install();
        let mut validation = Validation::new(Algorithm::HS256);
        // Both ends of the comparison are this server's own clock.
        validation.leeway = 0;
        validation.validate_nbf = true;
        Self {
            signing: EncodingKey::from_secret(secret.bytes()),
            reading: DecodingKey::from_secret(secret.bytes()),
            validation,
        }
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
