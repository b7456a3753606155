//! The `#[table]` attribute macro of `fastest-schema`, which documents it.
//!
//! `parse` parses one annotated struct into a `declaration::Declaration`, and rejects
//! contradictions within it, such as an index on a column that does not exist, or a scope path
//! without a foreign key. `expand` generates the code. Neither sees other tables:
//! `fastest_schema::check` checks declarations against each other at run time.

mod declaration;
mod expand;
mod parse;

use proc_macro::TokenStream;

// The macro is documented on its re-export, `fastest_schema::table`.
#[allow(missing_docs)]
#[proc_macro_attribute]
pub fn table(arguments: TokenStream, item: TokenStream) -> TokenStream {
    parse::declaration(arguments.into(), item.into())
        .map(|declaration| expand::expand(&declaration))
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}
