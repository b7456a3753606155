//! Push and pull between a replica and its primary: what is sent and in which order, how refusals
//! are handled, which checks an answer has to pass, and the transfer of packs.

pub(crate) mod accepted;
pub(crate) mod blame;
pub(crate) mod claims;
pub(crate) mod order;
pub(crate) mod pack_key;
pub(crate) mod packs;
pub mod plan;
pub(crate) mod proof;
pub mod pull;
pub mod push;
pub(crate) mod referrers;
pub(crate) mod refused;
pub(crate) mod resend_packs;
pub(crate) mod sent;
pub(crate) mod statement;
pub(crate) mod transactions;
pub(crate) mod tree_of;
pub(crate) mod trial;
pub(crate) mod unseen;
