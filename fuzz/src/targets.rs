//! One module for each target: the decoder, what must hold of it, and seeds.

pub mod address;
pub mod chunk_list;
pub mod d1_answer;
pub mod git_config;
pub mod git_index;
pub mod hrana_answer;
pub mod hrana_error;
pub mod ignore_rules;
pub mod index_segment;
pub mod journal;
pub mod left;
pub mod live_schema;
pub mod migrations;
pub mod pack;
pub mod page;
pub mod payload;
pub mod primary;
pub mod push_json;
pub mod scan;
pub mod sealed;
pub mod sql_text;
pub mod stat_index;
pub mod tree;
pub mod tree_node;
pub mod value;
