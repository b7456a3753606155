//! Runs of applications: tables of rows on several devices, and a primary.

pub mod application;
pub mod device;
pub mod model;
pub mod run;
pub mod schedule;
pub mod sql;
