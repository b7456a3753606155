//! Scan and checkout on real directories.

mod checkout;
mod crash;
mod databases;
mod hostile;
mod ignoring;
mod left;
mod long_paths;
mod races;
mod random;
mod scan;
mod selection;
mod work;
