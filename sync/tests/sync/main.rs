//! Tests of fastest-sync from outside: the contract of primaries, and devices that share one.

mod adopt;
mod answers;
mod arrows;
mod backups;
mod chaos;
mod children;
mod contract;
mod crossing;
mod database;
mod deep;
mod embedded;
mod forged;
mod half_made;
mod heals;
mod history;
mod layouts;
mod liar;
mod limits;
mod machine;
mod migrating;
mod mishaps;
mod naming;
mod operations;
mod outside;
mod private;
mod requests;
mod rooms;
mod seeds;
mod sources;
mod transactions;
mod two_devices;
mod undoing;
mod values;
mod walk;

/// Runs a future to its end on this thread.
fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}
