use std::fmt;

use argon2::{
    Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _,
    password_hash::phc::{Output, PasswordHash as Phc},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use pbkdf2::{pbkdf2_hmac_array, sha2::Sha256};

/// The hash of a password as it is stored: a PHC string of argon2id, or one of Django's `pbkdf2_sha256$…`. Whoever has it can
/// try passwords against it at leisure, so it is shown nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

/// What a hash from elsewhere may cost at most: a file must not be able to occupy the server with one password.
const MEMORY_KIB_MAX: u32 = 1 << 20;
const PASSES_MAX: u32 = 64;
const ROUNDS_MAX: u32 = 10_000_000;

impl PasswordHash {
    /// What no password opens.
    pub fn unusable() -> Self {
        Self(String::new())
    }

    /// As the database holds it.
    pub fn stored(text: String) -> Self {
        Self(text)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Hashes with a salt of its own by argon2id with OWASP's parameters: 19 MiB, two passes, one lane. Takes some twenty
    /// milliseconds of a core; see [`Hasher`](super::Hasher).
    ///
    /// # Errors
    /// When the system has no randomness or no memory.
    pub fn of(password: &str) -> Result<Self, String> {
        Argon2::default()
            .hash_password(password.as_bytes())
            .map(|hash| Self(hash.to_string()))
            .map_err(|error| format!("a password could not be hashed: {error}"))
    }

    /// Takes a hash from elsewhere.
    ///
    /// # Errors
    /// The message for what no password could be checked against.
    pub fn parse(text: &str) -> Result<Self, String> {
        let known = Pbkdf2::parse(text).is_some() || argon2id(text).is_some();
        if known {
            Ok(Self(text.to_owned()))
        } else {
            Err(
                "Enter a hash of argon2id as a PHC string, or one of Django's pbkdf2_sha256."
                    .to_owned(),
            )
        }
    }

    /// Takes as long as [`of`](Self::of), or as long as the hash itself asks.
    pub fn matches(&self, password: &str) -> bool {
        if let Some(hash) = Pbkdf2::parse(&self.0) {
            return hash.matches(password);
        }
        argon2id(&self.0).is_some_and(|(hash, _)| {
            Argon2::default()
                .verify_password(password.as_bytes(), &hash)
                .is_ok()
        })
    }

    /// Whether it is as [`of`](Self::of) would make it now, the salt aside.
    pub fn is_current(&self) -> bool {
        argon2id(&self.0).is_some_and(|(_, params)| {
            let now = Params::default();
            (params.m_cost(), params.t_cost(), params.p_cost())
                == (now.m_cost(), now.t_cost(), now.p_cost())
        })
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("PasswordHash(…)")
    }
}

fn argon2id(text: &str) -> Option<(Phc, Params)> {
    let hash = Phc::new(text).ok()?;
    let params = Params::try_from(&hash).ok()?;
    let whole = hash.salt.is_some() && hash.hash.is_some();
    let fits = params.m_cost() <= MEMORY_KIB_MAX && params.t_cost() <= PASSES_MAX;
    (whole && fits && hash.algorithm == Algorithm::Argon2id.ident()).then_some((hash, params))
}

/// `pbkdf2_sha256$ROUNDS$SALT$HASH`, as Django's `PBKDF2PasswordHasher` writes it.
struct Pbkdf2<'a> {
    rounds: u32,
    salt: &'a str,
    hash: Output,
}

/// Of a hash by SHA-256.
const BYTES: usize = 32;

impl<'a> Pbkdf2<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.strip_prefix("pbkdf2_sha256$")?.split('$');
        let (rounds, salt, hash) = (parts.next()?, parts.next()?, parts.next()?);
        let rounds = rounds
            .parse()
            .ok()
            .filter(|rounds| (1..=ROUNDS_MAX).contains(rounds))?;
        let hash = BASE64_STANDARD.decode(hash).ok()?;
        let whole = parts.next().is_none() && hash.len() == BYTES && !salt.is_empty();
        let hash = Output::new(&hash).ok()?;
        whole.then_some(Self { rounds, salt, hash })
    }

    fn matches(&self, password: &str) -> bool {
        let hash = pbkdf2_hmac_array::<Sha256, BYTES>(
            password.as_bytes(),
            self.salt.as_bytes(),
            self.rounds,
        );
        // Compared in a time that does not depend on where they differ.
        Output::new(&hash).is_ok_and(|hash| hash == self.hash)
    }
}

#[cfg(test)]
mod tests {
    use super::PasswordHash;

    /// Made by Python: `hashlib.pbkdf2_hmac("sha256", b"correct horse", b"seasalt", 1000)`.
    const DJANGO: &str = "pbkdf2_sha256$1000$seasalt$mQnueSakb748zqBAC1tmWVZsZbi2zPGZarEzTGdfmso=";

    #[test]
    fn its_own_hashes_open_to_their_password_alone() {
        let hash = PasswordHash::of("correct horse").unwrap();
        assert!(hash.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(hash.matches("correct horse") && !hash.matches("Correct horse"));
        assert!(hash.is_current());
        assert_eq!(PasswordHash::parse(hash.as_str()), Ok(hash.clone()));
        assert_ne!(PasswordHash::of("correct horse").unwrap(), hash);
        assert_eq!(format!("{hash:?}"), "PasswordHash(…)");
    }

    #[test]
    fn djangos_hashes_open_too_and_are_not_current() {
        let hash = PasswordHash::parse(DJANGO).unwrap();
        assert!(hash.matches("correct horse") && !hash.matches("correct horse "));
        assert!(!hash.is_current());
    }

    #[test]
    fn what_is_no_hash_opens_to_nothing() {
        assert!(!PasswordHash::unusable().matches(""));
        for text in [
            "",
            "correct horse",
            "!",
            "$argon2id$",
            "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ",
            "$argon2i$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            "$argon2id$v=19$m=4194304,t=2,p=1$c2FsdHNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            "pbkdf2_sha256$0$seasalt$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            "pbkdf2_sha256$99999999$seasalt$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            "pbkdf2_sha256$1000$seasalt$AAAA",
            "pbkdf2_sha1$1000$seasalt$AAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        ] {
            assert!(PasswordHash::parse(text).is_err(), "{text}");
            assert!(
                !PasswordHash::stored(text.to_owned()).matches("x"),
                "{text}"
            );
        }
    }
}
