//! A working copy: its state folder and stat index, its ignore rules, and the git repository that
//! it is in.
//!
//! Two of its modules are above the others: [`scan`] computes the tree of a working copy, and
//! [`checkout`] brings a working copy to a tree.

pub mod checkout;
pub mod contents;
pub mod database;
pub mod git;
pub mod ignore_rules;
pub mod left;
pub mod open_conflicts;
pub mod scan;
pub mod stat_index;
pub mod state_dir;
