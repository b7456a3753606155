//! Scan and checkout on real directories.

mod checkout;
mod crash;
mod databases;
mod hostile;
mod ignoring;
mod random;
mod scan;
mod selection;
mod work;
