//! The files that `import` reads and `export` writes: their names and columns.

/// What a file holds, in the order in which files depend on one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Companies,
    Skills,
    Developers,
}

/// A column of a CSV file, and the key of the same name in a JSON one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    pub name: &'static str,
    pub needed: bool,
}

const fn needed(name: &'static str) -> Column {
    Column { name, needed: true }
}

const fn optional(name: &'static str) -> Column {
    Column {
        name,
        needed: false,
    }
}

impl Kind {
    pub const ALL: [Self; 3] = [Self::Companies, Self::Skills, Self::Developers];

    /// The file's name without its extension.
    pub const fn stem(self) -> &'static str {
        match self {
            Self::Companies => "companies",
            Self::Skills => "skills",
            Self::Developers => "developers",
        }
    }

    pub const fn columns(self) -> &'static [Column] {
        const COMPANIES: &[Column] = &[
            optional("id"),
            needed("name"),
            needed("founded_year"),
            optional("created_at"),
        ];
        const SKILLS: &[Column] = &[optional("id"), needed("name"), needed("category")];
        const DEVELOPERS: &[Column] = &[
            optional("id"),
            needed("name"),
            needed("company"),
            optional("years_experience"),
            optional("last_login"),
            optional("created_at"),
            optional("skills"),
            optional("user"),
        ];
        match self {
            Self::Companies => COMPANIES,
            Self::Skills => SKILLS,
            Self::Developers => DEVELOPERS,
        }
    }
}
