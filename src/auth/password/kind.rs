use std::{collections::BTreeSet, hint::black_box};

use argon2::{Algorithm, Argon2, Params, Version};
use pbkdf2::{pbkdf2_hmac_array, sha2::Sha256};

/// How a hash was made: the algorithm and what it costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Argon2id {
        memory_kib: u32,
        passes: u32,
        lanes: u32,
    },
    /// Django's, by SHA-256.
    Pbkdf2 { rounds: u32 },
}

/// What a hash from elsewhere may cost at most: memory times passes, and rounds. A file must not be able to occupy the server
/// with one password.
const MEMORY_PASSES_MAX: u64 = 64 * 1024 * 10;
const ROUNDS_MAX: u32 = 2_000_000;

impl Kind {
    /// As hashes are made now, with the parameters that OWASP recommends.
    pub const CURRENT: Self = Self::Argon2id {
        memory_kib: Params::DEFAULT_M_COST,
        passes: Params::DEFAULT_T_COST,
        lanes: Params::DEFAULT_P_COST,
    };

    /// # Errors
    /// The message for a hash that costs too much.
    pub fn affordable(self) -> Result<Self, String> {
        match self {
            Self::Argon2id {
                memory_kib, passes, ..
            } if u64::from(memory_kib) * u64::from(passes) > MEMORY_PASSES_MAX => Err(
                "Ensure memory times passes of the hash are no more than 64 MiB times 10."
                    .to_owned(),
            ),
            Self::Pbkdf2 { rounds } if rounds > ROUNDS_MAX => Err(format!(
                "Ensure the hash has no more than {ROUNDS_MAX} rounds."
            )),
            _ => Ok(self),
        }
    }

    /// Reads the beginning of a stored hash. Returns the kind, unless it is none that a password is checked against, and where in
    /// the order of texts the hashes of this kind end.
    pub fn of_prefix(start: &str) -> (Option<Self>, String) {
        // What tells the kind ends with the sign before the salt.
        let signs = start.match_indices('$').map(|(place, _)| place);
        let end = if let Some(rounds) = start.strip_prefix("pbkdf2_sha256$") {
            signs.clone().nth(1).filter(|_| !rounds.is_empty())
        } else {
            let params = start.find("$m=");
            params.and_then(|params| signs.clone().find(|place| *place > params))
        };
        match end {
            // The character behind the sign.
            Some(end) => (Self::parse(&start[..end]), format!("{}%", &start[..end])),
            None => (None, format!("{start}\u{1}")),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let kind = if let Some(rounds) = text.strip_prefix("pbkdf2_sha256$") {
            Self::Pbkdf2 {
                rounds: rounds.parse().ok().filter(|rounds| *rounds > 0)?,
            }
        } else {
            let params = text.strip_prefix("$argon2id$")?.rsplit('$').next()?;
            let param = |name: &str| {
                let mut params = params.split(',');
                params.find_map(|param| param.strip_prefix(name)?.parse().ok())
            };
            Self::Argon2id {
                memory_kib: param("m=")?,
                passes: param("t=")?,
                lanes: param("p=")?,
            }
        };
        kind.affordable().ok()
    }

    /// The work that is left when a hash of the `own` kind, if there is one, has been tried, so that every attempt to sign in
    /// costs the same, whatever is stored under the name and whether anything is: where hashes of `kinds` are stored, each
    /// attempt computes one of every kind of argon2id among them, the current kind always, and as many rounds of PBKDF2 as
    /// the costliest of them has. (Rounds are all alike, so those of one hash go on where those of another end; the
    /// passes of argon2id depend on its memory, so its kinds are computed one by one.)
    ///
    /// A directory whose users all have hashes of the current kind pays for one hash an attempt. One that has taken users of
    /// Django's pays for theirs too, until the last of them has signed in once, which replaces the hash.
    pub fn rest(own: Option<Self>, kinds: &[Self]) -> Vec<Self> {
        let stored: BTreeSet<Self> = kinds
            .iter()
            .copied()
            .chain([Self::CURRENT])
            .chain(own)
            .collect();
        let rounds = |kind: Self| match kind {
            Self::Pbkdf2 { rounds } => rounds,
            Self::Argon2id { .. } => 0,
        };
        let most = stored.iter().copied().map(rounds).max().unwrap_or(0);
        let left = most - own.map_or(0, rounds);
        stored
            .into_iter()
            .filter(|kind| matches!(kind, Self::Argon2id { .. }) && Some(*kind) != own)
            .chain((left > 0).then_some(Self::Pbkdf2 { rounds: left }))
            .collect()
    }

    /// Does the work of one hash of this kind, for nothing.
    pub fn spend(self, password: &str) {
        const SALT: &[u8] = b"nobody has this salt";
        match self {
            Self::Pbkdf2 { rounds } => {
                black_box(pbkdf2_hmac_array::<Sha256, 32>(
                    password.as_bytes(),
                    SALT,
                    rounds,
                ));
            }
            Self::Argon2id {
                memory_kib,
                passes,
                lanes,
            } => {
                let Ok(params) = Params::new(memory_kib, passes, lanes, None) else {
                    return;
                };
                let mut hash = [0; Params::DEFAULT_OUTPUT_LEN];
                let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
                let _ = argon2.hash_password_into(password.as_bytes(), SALT, &mut hash);
                black_box(hash);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::Kind;

    const OTHER: Kind = Kind::Argon2id {
        memory_kib: 4_096,
        passes: 3,
        lanes: 1,
    };

    const fn django(rounds: u32) -> Kind {
        Kind::Pbkdf2 { rounds }
    }

    /// All that is computed for one attempt: how often argon2id of each kind, and rounds of PBKDF2.
    fn work(own: Option<Kind>, kinds: &[Kind]) -> (BTreeMap<Kind, u32>, u32) {
        let (mut argon2, mut rounds) = (BTreeMap::new(), 0);
        for kind in Kind::rest(own, kinds).into_iter().chain(own) {
            match kind {
                Kind::Pbkdf2 { rounds: more } => rounds += more,
                Kind::Argon2id { .. } => *argon2.entry(kind).or_default() += 1,
            }
        }
        (argon2, rounds)
    }

    #[test]
    fn an_attempt_costs_the_same_whatever_is_stored_under_the_name() {
        for kinds in [
            vec![],
            vec![Kind::CURRENT],
            vec![django(600_000)],
            vec![Kind::CURRENT, OTHER, django(260_000), django(870_000)],
        ] {
            let nobodys = work(None, &kinds);
            for own in &kinds {
                assert_eq!(work(Some(*own), &kinds), nobodys, "{own:?} of {kinds:?}");
            }
            assert_eq!(nobodys.0[&Kind::CURRENT], 1);
        }
        assert_eq!(work(None, &[Kind::CURRENT]), work(None, &[]));
        assert_eq!(work(None, &[django(7), django(9)]).1, 9);
    }

    #[test]
    fn the_beginning_of_a_hash_tells_its_kind_and_where_the_kind_ends() {
        for (hash, kind, end) in [
            (
                "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$CTFhFdXPJO1",
                Some(Kind::CURRENT),
                "$argon2id$v=19$m=19456,t=2,p=1%",
            ),
            (
                "$argon2id$m=4096,t=3,p=1$c2FsdHNhbHQ$CTFhFdXPJO1",
                Some(OTHER),
                "$argon2id$m=4096,t=3,p=1%",
            ),
            (
                "pbkdf2_sha256$870000$seasalt$mQnue",
                Some(django(870_000)),
                "pbkdf2_sha256$870000%",
            ),
            ("pbkdf2_sha256$2000001$s$x", None, "pbkdf2_sha256$2000001%"),
            ("pbkdf2_sha256$x$s$x", None, "pbkdf2_sha256$x%"),
            ("pbkdf2_sha256$", None, "pbkdf2_sha256$\u{1}"),
            ("$argon2id$v=19$m=9", None, "$argon2id$v=19$m=9\u{1}"),
            (
                "$argon2i$v=19$m=9,t=1,p=1$s$h",
                None,
                "$argon2i$v=19$m=9,t=1,p=1%",
            ),
            ("é$é", None, "é$é\u{1}"),
        ] {
            assert_eq!(Kind::of_prefix(hash), (kind, end.to_owned()), "{hash}");
        }
    }
}
