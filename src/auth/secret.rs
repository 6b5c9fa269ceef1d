//! The key that signs the tokens.

use std::{
    fmt, fs,
    io::{self, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use tempfile::NamedTempFile;

/// The least number of bytes in a key: RFC 7518, section 3.2, for HS256.
const LENGTH_MIN: usize = 32;

/// The key that signs tokens. Anyone who has it can impersonate any user, so it is never printed.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Checks a key from the settings.
    ///
    /// # Errors
    /// Why it is not a key, without quoting it.
    pub fn new(text: String) -> Result<Self, String> {
        if text.len() < LENGTH_MIN {
            return Err(format!(
                "the secret key is too short: it takes {LENGTH_MIN} bytes or more"
            ));
        }
        Ok(Self(text))
    }

    /// Reads the key from the file beside an embedded database, and makes the file when there is none.
    ///
    /// # Errors
    /// A line that says what is wrong with the file.
    pub fn beside(database: &Path) -> Result<Self, String> {
        let path = path(database);
        let at = |error: io::Error| format!("{}: {error}", path.display());
        match make(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(at(error)),
        }
        let text = fs::read_to_string(&path).map_err(at)?;
        let mode = fs::metadata(&path).map_err(at)?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(format!(
                "{}: others may read the secret key: `chmod 600` it, or delete it to have a new one",
                path.display()
            ));
        }
        Self::new(text.trim().to_owned()).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// Whether there is a key file beside the database.
    pub fn is_beside(database: &Path) -> bool {
        path(database).exists()
    }

    pub fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Secret(…)")
    }
}

fn path(database: &Path) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push(".secret");
    path.into()
}

/// Writes a new key. The file gets its name when it is complete and on disk, so that two servers that start at once share a key.
fn make(path: &Path) -> io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    // Readable by its owner alone, as temporary files are.
    let mut file = NamedTempFile::new_in(folder)?;
    writeln!(file, "{}", random::<32>()?)?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path).map_err(|error| error.error)?;
    fs::File::open(folder)?.sync_all()
}

/// `BYTES` random bytes as URL-safe base64.
///
/// # Errors
/// When the system has no randomness.
pub fn random<const BYTES: usize>() -> io::Result<String> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(bytes))
}
