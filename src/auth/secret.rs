//! The key that signs the tokens.

use std::{
    fmt, fs,
    io::{self, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use tempfile::NamedTempFile;

/// Bytes of a key at least: RFC 7518, section 3.2, for HS256.
const LENGTH_MIN: usize = 32;

/// Whoever has it is whoever they like, so it is shown nowhere.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Takes a key that was set.
    ///
    /// # Errors
    /// Why it is no key, without quoting it.
    pub fn new(text: String) -> Result<Self, String> {
        if text.len() < LENGTH_MIN {
            return Err(format!(
                "the secret key is too short: it takes {LENGTH_MIN} bytes or more"
            ));
        }
        Ok(Self(text))
    }

    /// The key kept in a file beside an embedded database, which is made when it is not there.
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

    /// Whether a key is kept beside the database already.
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

/// Writes a new key, whole and on disk before it has its name, so that two servers that start at once share one.
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

/// As many random bytes, as text that fits a URL.
///
/// # Errors
/// When the system has no randomness.
pub fn random<const BYTES: usize>() -> io::Result<String> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(bytes))
}
