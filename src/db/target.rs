use std::{fmt, path::PathBuf, str::FromStr};

/// Where the database is: the value of `--database-url`.
#[derive(Clone, PartialEq, Eq)]
pub enum Target {
    /// A file of the embedded engine.
    Sqlite(PathBuf),
    /// The connection URL. It may hold a password, so it is neither displayed nor logged.
    #[cfg(feature = "postgres")]
    Postgres(String),
}

impl FromStr for Target {
    type Err = String;

    fn from_str(url: &str) -> Result<Self, String> {
        if ["postgres://", "postgresql://"]
            .iter()
            .any(|scheme| url.starts_with(scheme))
        {
            return postgres(url);
        }
        let path = url.strip_prefix("sqlite://").unwrap_or(url);
        if let Some((scheme, _)) = path.split_once("://") {
            return Err(format!(
                "\"{scheme}\" is no database that roster knows: give a path, sqlite://… or postgres://…"
            ));
        }
        match path {
            "" => Err("a path is missing".to_owned()),
            ":memory:" => Err(
                "a directory in memory would be lost: give a path, or try `serve --demo`"
                    .to_owned(),
            ),
            // An absolute path is never taken for one of SQLite's own `file:` addresses.
            path => std::path::absolute(path)
                .map(Self::Sqlite)
                .map_err(|error| error.to_string()),
        }
    }
}

impl Target {
    /// The name of the engine.
    pub fn engine(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "sqlite",
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => "postgresql",
        }
    }

    /// `text` without the password that it may quote from the URL.
    pub fn without_password(&self, text: &str) -> String {
        match self {
            Self::Sqlite(_) => text.to_owned(),
            #[cfg(feature = "postgres")]
            Self::Postgres(url) => passwords(url).fold(text.to_owned(), |text, password| {
                text.replace(password, "…")
            }),
        }
    }
}

/// The parts of the URL that may hold a password.
#[cfg(feature = "postgres")]
fn passwords(url: &str) -> impl Iterator<Item = &str> {
    let user = url
        .split_once("://")
        .and_then(|(_, rest)| rest.rsplit_once('@'))
        .map(|(user, _)| user);
    let of_user = user
        .and_then(|user| user.split_once(':'))
        .map(|(_, password)| password);
    let of_query = url
        .split(['?', '&'])
        .filter_map(|pair| pair.strip_prefix("password="));
    of_user
        .into_iter()
        .chain(of_query)
        .filter(|password| !password.is_empty())
}

#[cfg(feature = "postgres")]
#[expect(
    clippy::unnecessary_wraps,
    reason = "the build without PostgreSQL refuses here"
)]
fn postgres(url: &str) -> Result<Target, String> {
    Ok(Target::Postgres(url.to_owned()))
}

#[cfg(not(feature = "postgres"))]
fn postgres(_url: &str) -> Result<Target, String> {
    Err("this build of roster has no PostgreSQL: build it with `--features postgres`".to_owned())
}

impl fmt::Display for Target {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => path.display().fmt(out),
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => out.write_str("the PostgreSQL database"),
        }
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}
