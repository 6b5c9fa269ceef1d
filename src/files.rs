//! The files that `import` reads and `export` writes: their names and columns.

/// What a file holds. A file may refer to those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Companies,
    Skills,
    Users,
    Developers,
    Projects,
}

/// A column of a CSV file, or the key of the same name in a JSON file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    pub name: &'static str,
    pub needed: bool,
    /// Whether an export writes it.
    pub exported: bool,
}

const fn needed(name: &'static str) -> Column {
    Column {
        name,
        needed: true,
        exported: true,
    }
}

const fn optional(name: &'static str) -> Column {
    Column {
        name,
        needed: false,
        exported: true,
    }
}

/// A column that is imported and never exported.
const fn import_only(name: &'static str) -> Column {
    Column {
        name,
        needed: false,
        exported: false,
    }
}

impl Kind {
    pub const ALL: [Self; 5] = [
        Self::Companies,
        Self::Skills,
        Self::Users,
        Self::Developers,
        Self::Projects,
    ];

    /// The file's name without its extension.
    pub const fn stem(self) -> &'static str {
        match self {
            Self::Companies => "companies",
            Self::Skills => "skills",
            Self::Users => "users",
            Self::Developers => "developers",
            Self::Projects => "projects",
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
        const USERS: &[Column] = &[
            optional("id"),
            needed("username"),
            optional("email"),
            import_only("password"),
            optional("password_hash"),
            optional("is_staff"),
            optional("is_active"),
            optional("date_joined"),
            optional("last_login"),
        ];
        const PROJECTS: &[Column] = &[
            optional("id"),
            needed("owner"),
            needed("name"),
            optional("description"),
            optional("skills"),
            optional("created_at"),
        ];
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
            Self::Users => USERS,
            Self::Developers => DEVELOPERS,
            Self::Projects => PROJECTS,
        }
    }

    /// The names of the columns that an export has.
    pub fn exported(self) -> impl Iterator<Item = &'static str> {
        self.columns()
            .iter()
            .filter(|column| column.exported)
            .map(|column| column.name)
    }
}
