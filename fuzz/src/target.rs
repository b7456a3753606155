//! The table of targets.

use crate::targets::{
    address, chunk_list, d1_answer, git_config, git_index, hrana_answer, hrana_error, ignore_rules,
    index_segment, journal, left, live_schema, migrations, pack, page, payload, push_json, scan,
    sql_text, stat_index, tree, tree_node, value,
};

/// A decoder with everything that must hold of it.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name, which is also that of its corpus and of its libFuzzer target.
    pub name: &'static str,
    /// Runs it. Panics if something does not hold.
    pub run: fn(&[u8]),
    /// Returns inputs that our own encoders make, from which mutations start.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Parts of the format, which mutations insert.
    pub tokens: &'static [&'static [u8]],
}

macro_rules! targets {
    ($($name:literal: $module:ident,)*) => {
        /// Every target.
        pub const TARGETS: &[Target] = &[$(Target {
            name: $name,
            run: $module::run,
            seeds: $module::seeds,
            tokens: $module::TOKENS,
        },)*];
    };
}

targets! {
    "tree-node": tree_node,
    "tree": tree,
    "chunk-list": chunk_list,
    "pack": pack,
    "index-segment": index_segment,
    "stat-index": stat_index,
    "scan": scan,
    "journal": journal,
    "left": left,
    "git-index": git_index,
    "git-config": git_config,
    "ignore-rules": ignore_rules,
    "page": page,
    "value": value,
    "payload": payload,
    "push": push_json,
    "migrations": migrations,
    "live-schema": live_schema,
    "sql-text": sql_text,
    "d1-answer": d1_answer,
    "hrana-answer": hrana_answer,
    "hrana-error": hrana_error,
    "address": address,
}

/// Returns the target of this name.
pub fn find(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}

/// Runs the target of this name: the entry point for libFuzzer.
///
/// # Panics
/// If there is none, or something does not hold.
pub fn run(name: &str, input: &[u8]) {
    (find(name).expect("a libFuzzer target is named as one of ours").run)(input);
}
