//! Scan and checkout on real directories.

mod checkout;
mod crash;
mod random;
mod scan;
mod selection;
mod work;
