use prometheus::{
    Counter, Histogram, HistogramOpts, HistogramVec, IntCounter, Registry, exponential_buckets,
};

use super::Error;

/// The metrics of the database. Clones share their counters.
#[derive(Debug, Clone)]
pub struct Measures {
    /// Statements, without those that begin and end transactions.
    pub statements: IntCounter,
    pub statement_seconds: Counter,
    /// The number of writes in each commit.
    pub group_size: Histogram,
    waits: HistogramVec,
}

impl Measures {
    pub(super) fn new() -> Result<Self, Error> {
        Self::make().map_err(|error| Error::Refused(format!("cannot measure: {error}")))
    }

    fn make() -> prometheus::Result<Self> {
        let waits = HistogramOpts::new(
            "roster_database_wait_seconds",
            "Time that requests waited at a door of the database.",
        );
        let groups = HistogramOpts::new(
            "roster_commit_group_size",
            "Writes that shared a commit of the embedded database.",
        );
        Ok(Self {
            statements: IntCounter::new("roster_sql_statements_total", "SQL statements.")?,
            statement_seconds: Counter::new(
                "roster_sql_seconds_total",
                "Time that SQL statements took.",
            )?,
            group_size: Histogram::with_opts(groups.buckets(exponential_buckets(1.0, 2.0, 9)?))?,
            waits: HistogramVec::new(
                waits.buckets(exponential_buckets(0.000_1, 4.0, 9)?),
                &["door"],
            )?,
        })
    }

    /// The waiting times at a door.
    pub(super) fn wait(&self, door: &str) -> Histogram {
        self.waits.with_label_values(&[door])
    }

    /// # Errors
    /// When they are registered already.
    pub fn register(&self, registry: &Registry) -> prometheus::Result<()> {
        registry.register(Box::new(self.statements.clone()))?;
        registry.register(Box::new(self.statement_seconds.clone()))?;
        registry.register(Box::new(self.group_size.clone()))?;
        registry.register(Box::new(self.waits.clone()))
    }
}
