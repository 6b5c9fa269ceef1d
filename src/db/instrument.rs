use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use diesel::connection::{Instrumentation, InstrumentationEvent};

/// Counts the statements that a connection runs, those that only open or end a transaction aside.
pub struct Counter {
    total: Arc<AtomicU64>,
    transaction_control: bool,
}

impl Counter {
    pub fn new(total: Arc<AtomicU64>) -> Self {
        Self {
            total,
            transaction_control: false,
        }
    }
}

impl Instrumentation for Counter {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        match event {
            // Each is followed by the one statement that carries it out.
            InstrumentationEvent::BeginTransaction { .. }
            | InstrumentationEvent::CommitTransaction { .. }
            | InstrumentationEvent::RollbackTransaction { .. } => self.transaction_control = true,
            InstrumentationEvent::StartQuery { .. }
                if !std::mem::take(&mut self.transaction_control) =>
            {
                self.total.fetch_add(1, Ordering::Relaxed);
            }
            _ => {}
        }
    }
}
