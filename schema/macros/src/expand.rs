//! Generates the row struct, the `New…` struct, the column names and the metadata.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};
use syn::ext::IdentExt;
use syn::{Expr, Ident, Lit, LitStr, Type};

use crate::declaration::{
    Column, Declaration, Default, Index, OnDelete, Policy, Reference, Scope, UniqueRule,
};

/// Generates all code of one table.
pub fn expand(declaration: &Declaration) -> TokenStream {
    let (select, insert) = (select(declaration), insert(declaration));
    let (names, metadata) = (names(declaration), metadata(declaration));
    quote! { #select #insert #names #metadata }
}

fn derives() -> TokenStream {
    quote! {
        #[derive(
            Debug, Clone, PartialEq,
            ::fastest_schema::__private::serde::Serialize,
            ::fastest_schema::__private::serde::Deserialize,
        )]
        #[serde(crate = "::fastest_schema::__private::serde")]
    }
}

fn select(Declaration { attributes, visibility, ident, columns, .. }: &Declaration) -> TokenStream {
    let derives = derives();
    let fields = columns.iter().map(
        |Column {
             attributes,
             visibility,
             ident,
             ty,
             ..
         }| { quote!(#(#attributes)* #visibility #ident: #ty) },
    );
    quote! { #(#attributes)* #derives #visibility struct #ident { #(#fields),* } }
}

fn insert(Declaration { visibility, ident, columns, name, .. }: &Declaration) -> TokenStream {
    let derives = derives();
    let new = format_ident!("New{ident}");
    let doc = format!(
        "A row to insert into `{}`: columns that may be null or have a default may be left out.",
        name.value()
    );
    let fields = columns.iter().map(|column| {
        let Column { attributes, visibility, ident, ty, .. } = column;
        let optional = quote!(#[serde(default, skip_serializing_if = "Option::is_none")]);
        match (is_option(ty), &column.default) {
            (true, _) => quote!(#(#attributes)* #optional #visibility #ident: #ty),
            (false, Some(_)) => {
                quote!(#(#attributes)* #optional #visibility #ident: ::core::option::Option<#ty>)
            }
            (false, None) => quote!(#(#attributes)* #visibility #ident: #ty),
        }
    });
    quote! { #[doc = #doc] #derives #visibility struct #new { #(#fields),* } }
}

fn is_option(ty: &Type) -> bool {
    let Type::Path(path) = ty else { return false };
    path.path.segments.last().is_some_and(|segment| segment.ident == "Option")
}

fn names(Declaration { ident, columns, .. }: &Declaration) -> TokenStream {
    let constants = columns.iter().map(|column| {
        let name = text(&column.ident);
        let constant = format_ident!("{}", name.value().to_uppercase());
        let doc = format!("The name of the column `{}`.", name.value());
        quote!(#[doc = #doc] pub const #constant: &'static str = #name;)
    });
    quote! { impl #ident { #(#constants)* } }
}

fn metadata(declaration: &Declaration) -> TokenStream {
    let Declaration { ident, name, reason, columns, .. } = declaration;
    let new = format_ident!("New{ident}");
    let policy = match declaration.policy {
        Policy::Versioned => quote!(Versioned),
        Policy::AppendOnly => quote!(AppendOnly),
        Policy::Private => quote!(Private),
    };
    let scope = scope(declaration.scope.as_ref());
    let indexes = declaration.indexes.iter().map(index);
    let renamed_from = option(declaration.renamed_from.as_ref().map(|name| quote!(#name)));
    let deprecated = option(declaration.deprecated.as_ref().map(|why| quote!(#why)));
    let rules = declaration.unique_rules.iter().map(unique_rule);
    let (external, replaces) = (declaration.external, declaration.replaces);
    let metadata = columns.iter().map(column);
    let pk = columns.iter().find(|column| column.pk).map(|column| (&column.ident, &column.ty));
    let pk_type = pk.map(|(_, ty)| ty);
    let pk_name = pk.map(|(ident, _)| text(ident));
    quote! {
        impl ::fastest_schema::Row for #ident {
            const TABLE: &'static ::fastest_schema::Table = &::fastest_schema::Table {
                name: #name,
                pk: #pk_name,
                columns: &[#(#metadata),*],
                indexes: &[#(#indexes),*],
                unique_rules: &[#(#rules),*],
                policy: ::fastest_schema::Policy::#policy,
                reason: #reason,
                scope: #scope,
                renamed_from: #renamed_from,
                deprecated: #deprecated,
                external: #external,
                replaces: #replaces,
            };
            type Key = #pk_type;
            type New = #new;
        }
        const _: () = ::core::assert!(
            ::core::matches!(
                <#pk_type as ::fastest_schema::ColumnType>::KIND,
                ::fastest_schema::Kind::Text
            ) && !<#pk_type as ::fastest_schema::ColumnType>::NULL,
            "the primary key of a table is text and not null"
        );
    }
}

fn scope(scope: Option<&Scope>) -> TokenStream {
    match scope {
        None => quote!(::core::option::Option::None),
        Some(Scope::Column(column)) => {
            let column = text(column);
            quote!(::core::option::Option::Some(::fastest_schema::Scope::Column(#column)))
        }
        Some(Scope::Path { column, table, key, target }) => {
            let [column, table, key, target] = [column, table, key, target].map(text);
            quote!(::core::option::Option::Some(::fastest_schema::Scope::Path {
                column: #column, table: #table, key: #key, target: #target
            }))
        }
    }
}

fn index(Index { unique, columns }: &Index) -> TokenStream {
    let columns = columns.iter().map(text);
    quote!(::fastest_schema::Index { columns: &[#(#columns),*], unique: #unique })
}

fn unique_rule(UniqueRule { terms, filter }: &UniqueRule) -> TokenStream {
    let filter = option(filter.as_ref().map(|filter| quote!(#filter)));
    quote!(::fastest_schema::UniqueRule { terms: &[#(#terms),*], filter: #filter })
}

fn column(column: &Column) -> TokenStream {
    let Column { ty, unique, lock_version, watched, .. } = column;
    let name = text(&column.ident);
    let default = option(column.default.as_ref().map(default));
    let check = option(column.check.as_ref().map(|sql| quote!(#sql)));
    let references = option(column.references.as_ref().map(reference));
    let size = option(column.size.as_ref().map(|sql| quote!(#sql)));
    let renamed_from = column.renamed_from.as_ref().map(text);
    let renamed_from = option(renamed_from.map(|name| quote!(#name)));
    quote! {
        ::fastest_schema::Column {
            name: #name,
            kind: <#ty as ::fastest_schema::ColumnType>::KIND,
            null: <#ty as ::fastest_schema::ColumnType>::NULL,
            default: #default,
            check: #check,
            unique: #unique,
            lock_version: #lock_version,
            references: #references,
            size: #size,
            renamed_from: #renamed_from,
            watched: #watched,
        }
    }
}

fn option(value: Option<TokenStream>) -> TokenStream {
    match value {
        None => quote!(::core::option::Option::None),
        Some(value) => quote!(::core::option::Option::Some(#value)),
    }
}

fn default(default: &Default) -> TokenStream {
    match default {
        Default::Now => quote!(::fastest_schema::Default::Now),
        Default::Sql(expression) => quote!(::fastest_schema::Default::Sql(#expression)),
        Default::Literal(literal) => {
            let variant = match unsigned(literal) {
                Some(Lit::Str(_)) => quote!(Text),
                Some(Lit::Float(_)) => quote!(Real),
                _ => quote!(Integer),
            };
            quote!(::fastest_schema::Default::#variant(#literal))
        }
    }
}

fn unsigned(expression: &Expr) -> Option<&Lit> {
    match expression {
        Expr::Lit(literal) => Some(&literal.lit),
        Expr::Unary(unary) => unsigned(&unary.expr),
        _ => None,
    }
}

fn reference(Reference { table, column, on_delete }: &Reference) -> TokenStream {
    let (table, column) = (text(table), text(column));
    let on_delete = match on_delete {
        OnDelete::NoAction => quote!(NoAction),
        OnDelete::Restrict => quote!(Restrict),
        OnDelete::Cascade => quote!(Cascade),
        OnDelete::SetNull => quote!(SetNull),
    };
    quote! {
        ::fastest_schema::Reference {
            table: #table, column: #column, on_delete: ::fastest_schema::OnDelete::#on_delete
        }
    }
}

/// Returns the name in SQL and JSON: `r#type` becomes `type`.
fn text(ident: &Ident) -> LitStr {
    LitStr::new(&ident.unraw().to_string(), Span::call_site())
}
