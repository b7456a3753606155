//! Parses the attribute's arguments and the struct's fields, and checks them against each other.

use proc_macro2::TokenStream;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Error, Expr, Field, Fields, Ident, ItemStruct, LitStr, Result, Token};

use crate::declaration::{
    Column, Declaration, Default, Index, OnDelete, Policy, Reference, Scope, UniqueRule,
};

/// Parses one annotated struct.
pub fn declaration(arguments: TokenStream, item: TokenStream) -> Result<Declaration> {
    let item: ItemStruct = syn::parse2(item)?;
    let arguments = arguments_of.parse2(arguments)?;
    let Fields::Named(fields) = &item.fields else {
        return Err(Error::new_spanned(&item, "a table needs named fields"));
    };
    if !item.generics.params.is_empty() {
        return Err(Error::new_spanned(&item.generics, "a table takes no generics"));
    }
    let columns = fields.named.iter().map(column).collect::<Result<Vec<_>>>()?;
    let missing = |what| Error::new(item.ident.span(), format!("the table needs {what}"));
    let (policy, reason) = arguments.policy.ok_or_else(|| missing("a policy"))?;
    let declaration = Declaration {
        name: arguments.name.ok_or_else(|| missing("a name"))?,
        renamed_from: arguments.renamed_from,
        deprecated: arguments.deprecated,
        external: arguments.external,
        replaces: arguments.replaces,
        unique_rules: arguments.unique_rules,
        policy,
        reason,
        scope: arguments.scope.map(|path| scope(path, &columns)).transpose()?,
        indexes: arguments.indexes,
        columns,
        attributes: item.attrs,
        visibility: item.vis,
        ident: item.ident,
    };
    check(&declaration)?;
    Ok(declaration)
}

#[derive(std::default::Default)]
struct Arguments {
    name: Option<LitStr>,
    renamed_from: Option<LitStr>,
    deprecated: Option<LitStr>,
    external: bool,
    replaces: bool,
    unique_rules: Vec<UniqueRule>,
    policy: Option<(Policy, LitStr)>,
    scope: Option<ScopePath>,
    indexes: Vec<Index>,
}

fn arguments_of(input: ParseStream) -> Result<Arguments> {
    let mut arguments = Arguments::default();
    while !input.is_empty() {
        let key: Ident = input.parse()?;
        match key.to_string().as_str() {
            "name" => arguments.name = Some(assigned(input, text)?),
            "renamed_from" => arguments.renamed_from = Some(assigned(input, text)?),
            "deprecated" => arguments.deprecated = Some(assigned(input, text)?),
            "external" => arguments.external = true,
            "replaces" => arguments.replaces = true,
            "unique_sql" => arguments.unique_rules.push(unique_rule(input)?),
            "policy" => arguments.policy = Some(assigned(input, policy)?),
            "scope" => arguments.scope = Some(assigned(input, ScopePath::parse)?),
            "index" | "unique" => {
                arguments.indexes.push(Index { unique: key == "unique", columns: names(input)? });
            }
            _ => {
                return Err(Error::new(
                    key.span(),
                    "expected name, policy, scope, index, unique, unique_sql, deprecated, renamed_from, \
                     external or replaces",
                ));
            }
        }
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
    }
    Ok(arguments)
}

/// Parses `= value`.
fn assigned<T>(input: ParseStream, value: impl FnOnce(ParseStream) -> Result<T>) -> Result<T> {
    input.parse::<Token![=]>()?;
    value(input)
}

fn text(input: ParseStream) -> Result<LitStr> {
    input.parse()
}

fn names(input: ParseStream) -> Result<Vec<Ident>> {
    let inside;
    syn::parenthesized!(inside in input);
    let names = Punctuated::<Ident, Token![,]>::parse_terminated_with(&inside, Ident::parse_any)?;
    if names.is_empty() {
        return Err(inside.error("an index needs a column"));
    }
    Ok(names.into_iter().collect())
}

/// Parses `("term", …)` or `("term", …, filter = "condition")`.
fn unique_rule(input: ParseStream) -> Result<UniqueRule> {
    let inside;
    syn::parenthesized!(inside in input);
    let mut rule = UniqueRule { terms: Vec::new(), filter: None };
    while !inside.is_empty() && rule.filter.is_none() {
        if inside.peek(Ident) {
            let key: Ident = inside.parse()?;
            if key != "filter" {
                return Err(Error::new(key.span(), "expected filter"));
            }
            rule.filter = Some(assigned(&inside, text)?);
        } else {
            rule.terms.push(inside.parse()?);
        }
        if !inside.is_empty() {
            inside.parse::<Token![,]>()?;
        }
    }
    if rule.terms.is_empty() { Err(inside.error("a unique index needs a term")) } else { Ok(rule) }
}

/// Parses `versioned("why")`, `append_only("why")` or `private("why")`.
fn policy(input: ParseStream) -> Result<(Policy, LitStr)> {
    let name: Ident = input.parse()?;
    let policy = match name.to_string().as_str() {
        "versioned" => Policy::Versioned,
        "append_only" => Policy::AppendOnly,
        "private" => Policy::Private,
        _ => {
            return Err(Error::new(name.span(), "expected versioned, append_only or private"));
        }
    };
    let inside;
    syn::parenthesized!(inside in input);
    Ok((policy, inside.parse()?))
}

/// `column`, or `column -> table.target`.
struct ScopePath {
    column: Ident,
    target: Option<(Ident, Ident)>,
}

impl Parse for ScopePath {
    fn parse(input: ParseStream) -> Result<ScopePath> {
        let column = Ident::parse_any(input)?;
        let target =
            input.parse::<Option<Token![->]>>()?.map(|_| table_column(input)).transpose()?;
        Ok(ScopePath { column, target })
    }
}

/// Parses `table.column`.
fn table_column(input: ParseStream) -> Result<(Ident, Ident)> {
    let table = Ident::parse_any(input)?;
    input.parse::<Token![.]>()?;
    Ok((table, Ident::parse_any(input)?))
}

fn scope(path: ScopePath, columns: &[Column]) -> Result<Scope> {
    let column = find(columns, &path.column)?;
    let Some((table, target)) = path.target else {
        return Ok(Scope::Column(path.column));
    };
    match &column.references {
        Some(reference) if reference.table == table => {
            let key = reference.column.clone();
            Ok(Scope::Path { column: path.column, table, key, target })
        }
        _ => Err(Error::new(
            table.span(),
            format!("the scope's path needs `#[references({table}.…)]` on `{}`", path.column),
        )),
    }
}

fn find<'a>(columns: &'a [Column], name: &Ident) -> Result<&'a Column> {
    columns
        .iter()
        .find(|column| column.ident.unraw() == name.unraw())
        .ok_or_else(|| Error::new(name.span(), format!("the table has no column `{name}`")))
}

fn check(declaration: &Declaration) -> Result<()> {
    for name in declaration.indexes.iter().flat_map(|index| &index.columns) {
        find(&declaration.columns, name)?;
    }
    let error = |message| Err(Error::new(declaration.ident.span(), message));
    let count = |is: fn(&Column) -> bool| declaration.columns.iter().filter(|c| is(c)).count();
    if count(|column| column.pk) != 1 {
        return error("a table needs exactly one `#[pk]` column");
    }
    if count(|column| column.lock_version) > usize::from(declaration.policy == Policy::Versioned) {
        return error("`#[lock_version]` goes on one column of a versioned table");
    }
    for name in [&declaration.name].into_iter().chain(&declaration.renamed_from) {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.value().is_empty() || !name.value().chars().all(plain) {
            return Err(Error::new(
                name.span(),
                "a table's name is of ASCII letters, digits and `_`",
            ));
        }
    }
    check_renames(declaration)?;
    match (declaration.policy, &declaration.scope) {
        (Policy::Private, Some(_)) => error("a private table has no scope: it is never pulled"),
        (Policy::Versioned | Policy::AppendOnly, None) => error("a synced table needs a scope"),
        _ => Ok(()),
    }
}

/// Returns an error if a former name is still in use.
fn check_renames(declaration: &Declaration) -> Result<()> {
    if let Some(old) = &declaration.renamed_from
        && old.value() == declaration.name.value()
    {
        return Err(Error::new(old.span(), "the table has this name now"));
    }
    for old in declaration.columns.iter().filter_map(|column| column.renamed_from.as_ref()) {
        if find(&declaration.columns, old).is_ok() {
            return Err(Error::new(old.span(), "a column of the table has this name now"));
        }
    }
    Ok(())
}

fn column(field: &Field) -> Result<Column> {
    let mut column = Column {
        attributes: Vec::new(),
        visibility: field.vis.clone(),
        ident: field.ident.clone().expect("named fields have names"),
        ty: field.ty.clone(),
        pk: false,
        unique: false,
        lock_version: false,
        watched: false,
        default: None,
        check: None,
        renamed_from: None,
        references: None,
        size: None,
    };
    for attribute in &field.attrs {
        let name = attribute.path().get_ident().map(ToString::to_string).unwrap_or_default();
        match name.as_str() {
            "pk" => column.pk = true,
            "unique" => column.unique = true,
            "lock_version" => column.lock_version = true,
            "watched" => column.watched = true,
            "default" => column.default = Some(attribute.parse_args_with(default)?),
            "check" => column.check = Some(attribute.parse_args()?),
            "renamed_from" => {
                column.renamed_from = Some(attribute.parse_args_with(Ident::parse_any)?);
            }
            "references" => column.references = Some(attribute.parse_args_with(reference)?),
            "size" => column.size = Some(attribute.parse_args()?),
            _ => column.attributes.push(attribute.clone()),
        }
    }
    Ok(column)
}

/// Parses `now`, a literal with an optional sign, or `sql = "expression"`.
fn default(input: ParseStream) -> Result<Default> {
    if input.peek(Ident) && input.peek2(Token![=]) {
        let key: Ident = input.parse()?;
        return if key == "sql" {
            Ok(Default::Sql(assigned(input, text)?))
        } else {
            Err(Error::new(key.span(), "expected `sql`"))
        };
    }
    let expression: Expr = input.parse()?;
    let literal = match &expression {
        Expr::Path(path) if path.path.is_ident("now") => return Ok(Default::Now),
        Expr::Unary(unary) => matches!(*unary.expr, Expr::Lit(_)),
        Expr::Lit(_) => true,
        _ => false,
    };
    literal
        .then_some(Default::Literal(expression.clone()))
        .ok_or_else(|| Error::new_spanned(expression, "expected `now`, a literal or `sql = \"…\"`"))
}

/// Parses `table.column` or `table.column, on_delete = cascade`.
fn reference(input: ParseStream) -> Result<Reference> {
    let (table, column) = table_column(input)?;
    let mut on_delete = OnDelete::NoAction;
    if input.parse::<Option<Token![,]>>()?.is_some() {
        let key: Ident = input.parse()?;
        if key != "on_delete" {
            return Err(Error::new(key.span(), "expected on_delete"));
        }
        input.parse::<Token![=]>()?;
        let action: Ident = input.parse()?;
        on_delete = match action.to_string().as_str() {
            "no_action" => OnDelete::NoAction,
            "restrict" => OnDelete::Restrict,
            "cascade" => OnDelete::Cascade,
            "set_null" => OnDelete::SetNull,
            _ => {
                let expected = "expected no_action, restrict, cascade or set_null";
                return Err(Error::new(action.span(), expected));
            }
        };
    }
    Ok(Reference { table, column, on_delete })
}
