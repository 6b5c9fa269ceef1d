use roster::db::{Db, Readiness, Target};

/// Where one test keeps its directory: a folder of its own, or a schema of its own. Both go with it.
pub struct Place {
    folder: tempfile::TempDir,
    #[cfg(feature = "postgres")]
    schema: Option<postgres::Schema>,
}

impl Place {
    /// On the engine that the tests run on.
    pub fn new() -> Self {
        Self {
            #[cfg(feature = "postgres")]
            schema: postgres::Schema::new(),
            ..Self::embedded()
        }
    }

    /// On SQLite, for what is about its file.
    pub fn embedded() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            #[cfg(feature = "postgres")]
            schema: None,
        }
    }

    pub fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// Writes a file into the folder and returns its path.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        std::fs::write(self.path(name), content).unwrap();
        self.path(name)
    }

    /// As `--database-url` takes it.
    pub fn url(&self) -> String {
        #[cfg(feature = "postgres")]
        if let Some(schema) = &self.schema {
            return schema.url();
        }
        self.path("roster.db")
    }

    /// As messages call the database.
    pub fn target(&self) -> Target {
        self.url().parse().unwrap()
    }

    pub fn open(&self) -> Db {
        Db::open(&self.target(), Readiness::CreateWhenNew).unwrap()
    }
}

#[cfg(feature = "postgres")]
mod postgres {
    use std::sync::atomic::{AtomicU32, Ordering};

    use diesel::{Connection, PgConnection, connection::SimpleConnection};

    static NEXT: AtomicU32 = AtomicU32::new(0);

    pub struct Schema {
        server: String,
        name: String,
    }

    impl Schema {
        /// `None` when the tests run on SQLite.
        pub fn new() -> Option<Self> {
            let server = std::env::var("ROSTER_TEST_POSTGRES_URL").ok()?;
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let name = format!("test_{}_{number}", std::process::id());
            let schema = Self { server, name };
            schema.run(&format!("CREATE SCHEMA {}", schema.name));
            Some(schema)
        }

        pub fn url(&self) -> String {
            let separator = if self.server.contains('?') { '&' } else { '?' };
            format!(
                "{}{separator}options=-csearch_path%3D{}",
                self.server, self.name
            )
        }

        fn run(&self, sql: &str) {
            PgConnection::establish(&self.server)
                .unwrap()
                .batch_execute(sql)
                .unwrap();
        }
    }

    impl Drop for Schema {
        fn drop(&mut self) {
            self.run(&format!("DROP SCHEMA {} CASCADE", self.name));
        }
    }
}
