//! The page and what it loads, each under a name that changes with its bytes: browsers keep it without asking again.

use std::{
    borrow::Cow,
    fmt::Write as _,
    io::{self, Read as _},
    sync::{Arc, LazyLock, OnceLock},
};

use actix_web::web::Bytes;
use flate2::read::GzDecoder;
use sha2::{Digest as _, Sha256};
use utoipa_swagger_ui::Config;

/// Where they are.
const FOLDER: &str = "/api/docs/";
/// Those of Swagger UI.
const THEIRS: [&str; 3] = [
    "swagger-ui.css",
    "swagger-ui-bundle.js",
    "favicon-32x32.png",
];
/// Bytes of a digest that a name tells: enough to tell a file from those of other versions.
const DIGEST: usize = 8;

/// The page, and its files.
struct Bundle {
    page: Bytes,
    files: Vec<Packed>,
}

/// A file as the binary has it.
pub struct Packed {
    /// With the digest: `start.0123456789abcdef.js`.
    pub name: String,
    pub content_type: String,
    bytes: Bytes,
    is_gzipped: bool,
    /// Unpacked, once somebody wanted it so.
    plain: OnceLock<Bytes>,
}

static BUNDLE: LazyLock<Bundle> = LazyLock::new(|| {
    let start = Packed::new(
        "start.js",
        "text/javascript; charset=utf-8",
        include_bytes!("start.js").as_slice().into(),
        false,
    );
    let config = Arc::new(Config::default());
    let theirs = THEIRS.iter().filter_map(|name| {
        // A test holds that all of them are there.
        let file = utoipa_swagger_ui::serve(name, config.clone()).ok()??;
        Some(Packed::new(
            name,
            &file.content_type,
            file.bytes,
            file.gzpipped,
        ))
    });
    let files: Vec<_> = std::iter::once(start).chain(theirs).collect();
    let mut page = include_str!("index.html").to_owned();
    for file in &files {
        page = page.replace(&file.plain_name(), &file.name);
    }
    Bundle {
        page: page.into(),
        files,
    }
});

/// The page itself.
pub fn page() -> Bytes {
    BUNDLE.page.clone()
}

/// The file of that name.
pub fn file(name: &str) -> Option<&'static Packed> {
    BUNDLE.files.iter().find(|file| file.name == name)
}

/// Any of their names.
pub fn a_name() -> &'static str {
    BUNDLE.files.first().map_or("", |file| &file.name)
}

/// Whether a path is that of one of the files.
pub fn is_file(path: &str) -> bool {
    path.strip_prefix(FOLDER)
        .is_some_and(|name| file(name.trim_end_matches('/')).is_some())
}

impl Packed {
    fn new(name: &str, content_type: &str, bytes: Cow<'static, [u8]>, is_gzipped: bool) -> Self {
        let digest = Sha256::digest(&bytes);
        let digest = digest
            .iter()
            .take(DIGEST)
            .fold(String::new(), |mut text, byte| {
                let _ = write!(text, "{byte:02x}");
                text
            });
        let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
        let bytes = match bytes {
            Cow::Borrowed(bytes) => Bytes::from_static(bytes),
            Cow::Owned(bytes) => bytes.into(),
        };
        Self {
            name: format!("{stem}.{digest}.{extension}"),
            content_type: content_type.to_owned(),
            bytes,
            is_gzipped,
            plain: OnceLock::new(),
        }
    }

    /// The name without the digest.
    fn plain_name(&self) -> String {
        let mut parts: Vec<_> = self.name.split('.').collect();
        parts.remove(parts.len().saturating_sub(2));
        parts.join(".")
    }

    /// As the binary has it: what it is, when that is compressed with gzip.
    pub fn gzipped(&self) -> Option<Bytes> {
        self.is_gzipped.then(|| self.bytes.clone())
    }

    /// Unpacked, which takes a while the first time.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn plain(&self) -> io::Result<Bytes> {
        if !self.is_gzipped {
            return Ok(self.bytes.clone());
        }
        if let Some(plain) = self.plain.get() {
            return Ok(plain.clone());
        }
        let mut plain = Vec::new();
        GzDecoder::new(&*self.bytes).read_to_end(&mut plain)?;
        Ok(self.plain.get_or_init(|| plain.into()).clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_there_and_the_page_names_it() {
        assert_eq!(BUNDLE.files.len(), THEIRS.len() + 1);
        let page = String::from_utf8(page().to_vec()).unwrap();
        for file in &BUNDLE.files {
            assert!(
                page.contains(&format!("\"/api/docs/{}\"", file.name)),
                "{page}"
            );
            assert!(!file.plain().unwrap().is_empty());
        }
    }
}
