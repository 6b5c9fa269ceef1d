//! HMAC-SHA-256 for `jsonwebtoken`. Its own backends bring RSA and elliptic curves along, of which nothing is used here.

use hmac::{Hmac, KeyInit as _, Mac as _};
use jsonwebtoken::{
    Algorithm, AlgorithmFamily, DecodingKey, EncodingKey,
    crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils},
    errors::{ErrorKind, Result},
};
use sha2::Sha256;
use signature::{Error, Signer, Verifier};

/// The backend of the process. Any other algorithm is refused.
static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key: &EncodingKey| {
        Ok(Box::new(Hs256::new(
            *algorithm,
            key.family(),
            key.as_bytes(),
        )?))
    },
    verifier_factory: |algorithm, key: &DecodingKey| {
        let bytes = key.try_get_as_bytes()?;
        Ok(Box::new(Hs256::new(*algorithm, key.family(), bytes)?))
    },
    // No key is ever read from a token or a key set.
    key_utils: KeyUtils::new_unimplemented(),
};

/// Makes it the backend; again, it stays so.
pub fn install() {
    let _ = PROVIDER.install_default();
}

struct Hs256(Hmac<Sha256>);

impl Hs256 {
    fn new(algorithm: Algorithm, family: AlgorithmFamily, key: &[u8]) -> Result<Self> {
        if algorithm != Algorithm::HS256 {
            return Err(ErrorKind::InvalidAlgorithm.into());
        }
        if family != AlgorithmFamily::Hmac {
            return Err(ErrorKind::InvalidKeyFormat.into());
        }
        Hmac::new_from_slice(key)
            .map(Self)
            .map_err(|_| ErrorKind::InvalidKeyFormat.into())
    }
}

impl Signer<Vec<u8>> for Hs256 {
    fn try_sign(&self, message: &[u8]) -> std::result::Result<Vec<u8>, Error> {
        let mac = self.0.clone().chain_update(message);
        Ok(mac.finalize().into_bytes().to_vec())
    }
}

impl Verifier<Vec<u8>> for Hs256 {
    /// Compares in constant time.
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> std::result::Result<(), Error> {
        let mac = self.0.clone().chain_update(message);
        mac.verify_slice(signature).map_err(|_| Error::new())
    }
}

impl JwtSigner for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

impl JwtVerifier for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::crypto::{sign, verify};

    use super::*;

    /// RFC 4231, test case 2.
    #[test]
    fn it_is_hmac_with_sha_256_and_nothing_else() {
        install();
        let (key, message) = (b"Jefe", b"what do ya want for nothing?");
        let signing = EncodingKey::from_secret(key);
        let signed = sign(message, &signing, Algorithm::HS256).ok();
        let expected = "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM";
        assert_eq!(signed.as_deref(), Some(expected));
        let reads = |signature, key, algorithm| {
            let key = DecodingKey::from_secret(key);
            verify(signature, message, &key, algorithm).ok()
        };
        assert_eq!(reads(expected, key, Algorithm::HS256), Some(true));
        assert_eq!(reads(expected, b"Jeff", Algorithm::HS256), Some(false));
        // Cut, it may not even be Base64 any more.
        assert_ne!(reads(&expected[..42], key, Algorithm::HS256), Some(true));
        assert_eq!(reads("", key, Algorithm::HS256), Some(false));
        for other in [
            Algorithm::HS384,
            Algorithm::HS512,
            Algorithm::RS256,
            Algorithm::EdDSA,
        ] {
            assert_eq!(reads(expected, key, other), None, "{other:?}");
            assert!(sign(message, &signing, other).is_err(), "{other:?}");
        }
    }
}
