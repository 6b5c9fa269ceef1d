//! SQLite by hand: as little as can stand between a statement and its values.

#![expect(unsafe_code, reason = "it is the C interface that is measured against")]

use std::{
    ffi::{CString, c_int},
    ptr, slice,
};

use libsqlite3_sys as sqlite;

pub struct Connection(*mut sqlite::sqlite3);
pub struct Statement(*mut sqlite::sqlite3_stmt);

impl Connection {
    pub fn open(path: &str) -> Self {
        let path = CString::new(path).unwrap();
        let mut connection = ptr::null_mut();
        // SAFETY: the path ends with a NUL and the pointer is written before it is read.
        let status = unsafe { sqlite::sqlite3_open(path.as_ptr(), &raw mut connection) };
        assert_eq!(status, sqlite::SQLITE_OK);
        Self(connection)
    }

    pub fn run(&self, sql: &str) {
        let sql = CString::new(sql).unwrap();
        // SAFETY: the connection is open until it is dropped.
        let status = unsafe {
            sqlite::sqlite3_exec(self.0, sql.as_ptr(), None, ptr::null_mut(), ptr::null_mut())
        };
        assert_eq!(status, sqlite::SQLITE_OK, "{sql:?}");
    }

    pub fn prepare(&self, sql: &str) -> Statement {
        let length = c_int::try_from(sql.len()).unwrap();
        let mut statement = ptr::null_mut();
        // SAFETY: the length is that of the text; the statement is written before it is read.
        let status = unsafe {
            sqlite::sqlite3_prepare_v2(
                self.0,
                sql.as_ptr().cast(),
                length,
                &raw mut statement,
                ptr::null_mut(),
            )
        };
        assert_eq!(status, sqlite::SQLITE_OK, "{sql}");
        Statement(statement)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // SAFETY: it was opened, and its statements are gone.
        unsafe { sqlite::sqlite3_close(self.0) };
    }
}

impl Statement {
    pub fn bind_int(&self, place: i32, value: i64) {
        // SAFETY: the statement lives until it is dropped.
        unsafe { sqlite::sqlite3_bind_int64(self.0, place, value) };
    }

    /// The text must live until the statement is reset.
    pub fn bind_text(&self, place: i32, value: &str) {
        let length = c_int::try_from(value.len()).unwrap();
        // SAFETY: as above; the text outlives its use, as the callers here see to.
        unsafe {
            sqlite::sqlite3_bind_text(
                self.0,
                place,
                value.as_ptr().cast(),
                length,
                sqlite::SQLITE_STATIC(),
            )
        };
    }

    pub fn bind_null(&self, place: i32) {
        // SAFETY: as above.
        unsafe { sqlite::sqlite3_bind_null(self.0, place) };
    }

    /// Whether there is a row.
    pub fn step(&self) -> bool {
        // SAFETY: as above.
        match unsafe { sqlite::sqlite3_step(self.0) } {
            sqlite::SQLITE_ROW => true,
            sqlite::SQLITE_DONE => false,
            other => panic!("status {other}"),
        }
    }

    pub fn reset(&self) {
        // SAFETY: as above.
        unsafe { sqlite::sqlite3_reset(self.0) };
    }

    pub fn run(&self) {
        while self.step() {}
        self.reset();
    }

    pub fn int(&self, column: i32) -> i64 {
        // SAFETY: as above.
        unsafe { sqlite::sqlite3_column_int64(self.0, column) }
    }

    pub fn is_null(&self, column: i32) -> bool {
        // SAFETY: as above.
        unsafe { sqlite::sqlite3_column_type(self.0, column) == sqlite::SQLITE_NULL }
    }

    pub fn text(&self, column: i32) -> &[u8] {
        // SAFETY: SQLite keeps the text until the next step; the borrow of the statement ends before.
        unsafe {
            let text = sqlite::sqlite3_column_text(self.0, column);
            slice::from_raw_parts(
                text,
                usize::try_from(sqlite::sqlite3_column_bytes(self.0, column)).unwrap(),
            )
        }
    }
}

impl Drop for Statement {
    fn drop(&mut self) {
        // SAFETY: it was prepared and is finalised once.
        unsafe { sqlite::sqlite3_finalize(self.0) };
    }
}
