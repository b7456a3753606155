//! The `#[table]` attribute of `fastest-schema`; its manual is there.
//!
//! `parse` reads one annotated struct into a `declaration::Declaration` and refuses what does not
//! hold together (an index on a column that is not there, a scope path without a foreign key);
//! `expand` writes the code. Neither looks at another table: what takes two declarations to check is
//! checked at run time, by `fastest_schema::check`.

mod declaration;
mod expand;
mod parse;

use proc_macro::TokenStream;

// Documented where it is re-exported, as `fastest_schema::table`.
#[allow(missing_docs)]
#[proc_macro_attribute]
pub fn table(arguments: TokenStream, item: TokenStream) -> TokenStream {
    parse::declaration(arguments.into(), item.into())
        .map(|declaration| expand::expand(&declaration))
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}
