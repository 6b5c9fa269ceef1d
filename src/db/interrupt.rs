//! Ends a statement of SQLite from outside.
//!
//! Diesel has no call for it. SQLite tells every connection of the process to whom it is opened by (`sqlite3_auto_extension`), so
//! each is given a handler then, which SQLite calls now and then on the thread that runs a statement, and which says whether the
//! statement is to go on. No pointer to a connection is kept.

#![expect(
    unsafe_code,
    reason = "SQLite's C interface is the only one that has a progress handler"
)]

use std::{
    ffi::{c_char, c_int, c_void},
    ptr,
    sync::Once,
};

use libsqlite3_sys as sqlite;

use super::reading;

/// Instructions of SQLite's virtual machine from one call of the handler to the next: some 100 µs of them.
const INSTRUCTIONS: c_int = 10_000;

/// Has every connection that is opened from now on ask whether what it does is [still wanted](reading::is_ended).
pub fn watch_connections() {
    static ONCE: Once = Once::new();
    // SAFETY: `watch` has the signature that SQLite calls it by, and lives as long as the process.
    ONCE.call_once(|| unsafe {
        sqlite::sqlite3_auto_extension(Some(watch));
    });
}

/// Called for each new connection.
unsafe extern "C" fn watch(
    connection: *mut sqlite::sqlite3,
    _error: *mut *mut c_char,
    _api: *const sqlite::sqlite3_api_routines,
) -> c_int {
    // SAFETY: SQLite hands on the connection that it opens on this thread. The handler gets no pointer and so keeps none.
    unsafe {
        sqlite::sqlite3_progress_handler(connection, INSTRUCTIONS, Some(ends), ptr::null_mut());
    }
    sqlite::SQLITE_OK
}

/// Called by the thread that runs a statement; anything but 0 ends it. It does not panic.
unsafe extern "C" fn ends(_: *mut c_void) -> c_int {
    c_int::from(reading::is_ended())
}
