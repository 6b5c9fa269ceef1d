use std::fmt;

use argon2::{
    Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _,
    password_hash::phc::{Output, PasswordHash as Phc},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use pbkdf2::{pbkdf2_hmac_array, sha2::Sha256};

use super::Kind;

/// The hash of a password as it is stored: a PHC string of argon2id, or one of Django's `pbkdf2_sha256$…`. An attacker who has it can
/// try passwords against it at leisure, so it is shown nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

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
    /// The message for what no password could be checked against, and for what would cost too much.
    pub fn parse(text: &str) -> Result<Self, String> {
        let kind = Pbkdf2::parse(text)
            .map(|hash| hash.kind())
            .or_else(|| argon2id(text).map(|(_, kind)| kind));
        match kind {
            Some(kind) => kind.affordable().map(|_| Self(text.to_owned())),
            None => Err(
                "Enter a hash of argon2id as a PHC string, or one of Django's pbkdf2_sha256."
                    .to_owned(),
            ),
        }
    }

    /// How it was made, if a password can be checked against it. What a file brought in before there were bounds and costs more
    /// than they allow is opened by no password.
    pub fn kind(&self) -> Option<Kind> {
        let kind = match Pbkdf2::parse(&self.0) {
            Some(hash) => hash.kind(),
            None => argon2id(&self.0)?.1,
        };
        kind.affordable().ok()
    }

    /// Takes as long as the hash itself asks.
    pub fn matches(&self, password: &str) -> bool {
        if self.kind().is_none() {
            return false;
        }
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
        self.kind() == Some(Kind::CURRENT)
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("PasswordHash(…)")
    }
}

fn argon2id(text: &str) -> Option<(Phc, Kind)> {
    let hash = Phc::new(text).ok()?;
    let params = Params::try_from(&hash).ok()?;
    let whole = hash.salt.is_some() && hash.hash.is_some();
    let kind = Kind::Argon2id {
        memory_kib: params.m_cost(),
        passes: params.t_cost(),
        lanes: params.p_cost(),
    };
    (whole && hash.algorithm == Algorithm::Argon2id.ident()).then_some((hash, kind))
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
        let rounds = rounds.parse().ok().filter(|rounds| *rounds > 0)?;
        let hash = BASE64_STANDARD.decode(hash).ok()?;
        let whole = parts.next().is_none() && hash.len() == BYTES && !salt.is_empty();
        let hash = Output::new(&hash).ok()?;
        whole.then_some(Self { rounds, salt, hash })
    }

    fn kind(&self) -> Kind {
        Kind::Pbkdf2 {
            rounds: self.rounds,
        }
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
    fn what_costs_too_much_is_refused_and_opens_to_nothing() {
        let argon2 = |memory: u32, passes: u32| {
            let salt_and_hash = "c2FsdHNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
            format!("$argon2id$v=19$m={memory},t={passes},p=1${salt_and_hash}")
        };
        let django = |rounds: u32| DJANGO.replace("1000", &rounds.to_string());
        for text in [argon2(65_536, 10), argon2(655_360, 1), django(2_000_000)] {
            assert!(PasswordHash::parse(&text).is_ok(), "{text}");
        }
        let memory = "Ensure memory times passes of the hash are no more than 64 MiB times 10.";
        let rounds = "Ensure the hash has no more than 2000000 rounds.";
        for (text, message) in [
            (argon2(65_536, 11), memory),
            (argon2(1_048_576, 64), memory),
            (argon2(4_194_304, 4_000_000_000), memory),
            (django(2_000_001), rounds),
            (django(4_000_000_000), rounds),
        ] {
            assert_eq!(
                PasswordHash::parse(&text),
                Err(message.to_owned()),
                "{text}"
            );
            assert!(!PasswordHash::stored(text).matches("correct horse"));
        }
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
            "pbkdf2_sha256$0$seasalt$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            "pbkdf2_sha256$99999999999$seasalt$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
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
