//! The files that `import` reads and `export` writes: their names and columns.

use crate::{
    api::Resource,
    resources::{self, Visitor},
};

/// A column of a CSV file, or the key of the same name in a JSON file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    pub name: &'static str,
    pub needed: bool,
    /// Whether an export writes it.
    pub exported: bool,
    /// Whether a CSV cell holds several values.
    pub list: bool,
}

impl Column {
    const fn new(name: &'static str) -> Self {
        Self {
            name,
            needed: false,
            exported: true,
            list: false,
        }
    }
}

pub const fn needed(name: &'static str) -> Column {
    Column {
        needed: true,
        ..Column::new(name)
    }
}

pub const fn optional(name: &'static str) -> Column {
    Column::new(name)
}

/// An optional column whose CSV cells hold several values.
pub const fn list(name: &'static str) -> Column {
    Column {
        list: true,
        ..Column::new(name)
    }
}

/// A column that `import` reads and `export` never writes.
pub const fn import_only(name: &'static str) -> Column {
    Column {
        exported: false,
        ..Column::new(name)
    }
}

/// A kind of file: one for each resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// The file's name without its extension, which is also the table's.
    pub stem: &'static str,
    pub columns: &'static [Column],
}

impl Kind {
    pub const fn of<R: Resource>() -> Self {
        Self {
            stem: R::ABOUT.many,
            columns: R::COLUMNS,
        }
    }

    /// All kinds. A file may refer to those of the kinds before it.
    pub fn all() -> Vec<Self> {
        struct Kinds(Vec<Kind>);

        impl Visitor for Kinds {
            fn visit<R: Resource>(&mut self) {
                self.0.push(Kind::of::<R>());
            }
        }

        let mut kinds = Kinds(Vec::new());
        resources::each(&mut kinds);
        kinds.0
    }

    /// The names of the columns that an export has.
    pub fn exported(self) -> impl Iterator<Item = &'static str> {
        self.columns
            .iter()
            .filter(|column| column.exported)
            .map(|column| column.name)
    }
}
