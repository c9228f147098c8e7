//! What the sources declare: spans and events of `tracing`, and tables of constants.

use std::collections::BTreeMap;

use anyhow::Context as _;
use syn::ext::IdentExt as _;
use syn::parse::ParseStream;
use syn::punctuated::Punctuated;
use syn::token::Brace;
use syn::visit::{self, Visit};
use syn::{Attribute, Expr, ExprStruct, Ident, ImplItemFn, ItemFn, ItemMod, Lit, LitStr, Macro, Meta, Token};

/// A span or a named event.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) name: String,
    pub(super) is_span: bool,
    /// `info` and so on.
    pub(super) level: String,
    pub(super) fields: Vec<String>,
    /// What an event says, with the places for its values.
    pub(super) message: String,
    /// What is said of the function that tells it.
    pub(super) docs: String,
}

/// A constant of a type that is a table's row: its fields by name.
pub(super) type Row = BTreeMap<String, Value>;

/// A field of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    /// The last word of a path, or of what is called.
    Word(String),
    List(Vec<Self>),
}

impl Value {
    /// The text or the word.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Word(text) => Some(text),
            Self::List(_) => None,
        }
    }

    /// The texts of a list; none of anything else.
    pub(super) fn texts(&self) -> Vec<&str> {
        match self {
            Self::List(values) => values.iter().filter_map(Self::text).collect(),
            Self::Text(_) | Self::Word(_) => Vec::new(),
        }
    }
}

/// Spans and named events of the file `path`, but for its tests.
///
/// # Errors
/// If it is no Rust, or a macro of `tracing` is not of a form that is known here.
pub(super) fn told(path: &str, text: &str) -> anyhow::Result<Vec<Told>> {
    let mut found = Found::default();
    found.visit_file(&syn::parse_file(text).with_context(|| format!("read {path}"))?);
    match found.error {
        Some(error) => Err(error).with_context(|| format!("read the spans and events of {path}")),
        None => Ok(found.told),
    }
}

/// The constants of the struct `row` in the file `path`.
///
/// # Errors
/// If it is no Rust.
pub(super) fn rows(path: &str, text: &str, row: &str) -> anyhow::Result<Vec<Row>> {
    let mut found = Rows { row, rows: Vec::new() };
    found.visit_file(&syn::parse_file(text).with_context(|| format!("read {path}"))?);
    Ok(found.rows)
}

#[derive(Default)]
struct Found {
    told: Vec<Told>,
    /// Of the function that is looked into.
    docs: String,
    error: Option<syn::Error>,
}

impl Found {
    fn within(&mut self, attributes: &[Attribute], look: impl FnOnce(&mut Self)) {
        let outer = std::mem::replace(&mut self.docs, docs(attributes));
        look(self);
        self.docs = outer;
    }
}

impl<'ast> Visit<'ast> for Found {
    fn visit_item_mod(&mut self, node: &'ast ItemMod) {
        if !is_test(&node.attrs) {
            visit::visit_item_mod(self, node);
        }
    }

    fn visit_item_fn(&mut self, node: &'ast ItemFn) {
        self.within(&node.attrs, |it| visit::visit_item_fn(it, node));
    }

    fn visit_impl_item_fn(&mut self, node: &'ast ImplItemFn) {
        self.within(&node.attrs, |it| visit::visit_impl_item_fn(it, node));
    }

    fn visit_macro(&mut self, node: &'ast Macro) {
        let Some(word) = node.path.segments.last().map(|segment| segment.ident.to_string()) else { return };
        let (level, is_span) = match word.strip_suffix("_span") {
            Some(level) => (level, true),
            None => (&*word, false),
        };
        if !["error", "warn", "info", "debug", "trace"].contains(&level) {
            return;
        }
        match node.parse_body_with(|input: ParseStream<'_>| arguments(input, is_span)) {
            Ok(told) if told.name.is_empty() => {}
            Ok(told) => {
                self.told.push(Told { is_span, level: level.to_owned(), docs: self.docs.clone(), ..told });
            }
            Err(error) => self.error = Some(error),
        }
    }
}

/// What is between the brackets of a macro: `name: "x.y", a.b = %c, d, "Said {}", e`.
fn arguments(input: ParseStream<'_>, is_span: bool) -> syn::Result<Told> {
    let mut told = Told::default();
    while !input.is_empty() {
        if input.peek(LitStr) {
            let text = input.parse::<LitStr>()?.value();
            if !is_span {
                told.message = text;
                // What its places are filled with.
                input.step(|cursor| {
                    let mut rest = *cursor;
                    while let Some((_, after)) = rest.token_tree() {
                        rest = after;
                    }
                    Ok(((), rest))
                })?;
                break;
            }
            told.name = text;
        } else if input.peek(Ident) && input.peek2(Token![:]) && !input.peek2(Token![::]) {
            let key = input.parse::<Ident>()?;
            input.parse::<Token![:]>()?;
            let value = input.parse::<Expr>()?;
            if key == "name"
                && let Some(name) = literal(&value)
            {
                told.name = name;
            }
        } else if input.peek(Brace) {
            // Fields that `tracing` could not tell from the rest.
            let inner;
            syn::braced!(inner in input);
            told.fields.extend(inner.parse_terminated(field, Token![,])?);
        } else {
            told.fields.push(field(input)?);
        }
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
    }
    Ok(told)
}

/// `a.b`, `%a`, `a = ?b`.
fn field(input: ParseStream<'_>) -> syn::Result<String> {
    let sigil = |input: ParseStream<'_>| -> syn::Result<()> {
        if input.peek(Token![%]) {
            input.parse::<Token![%]>()?;
        } else if input.peek(Token![?]) {
            input.parse::<Token![?]>()?;
        }
        Ok(())
    };
    sigil(input)?;
    let mut name = input.call(Ident::parse_any)?.to_string();
    while input.peek(Token![.]) {
        input.parse::<Token![.]>()?;
        name = format!("{name}.{}", input.call(Ident::parse_any)?);
    }
    if input.peek(Token![=]) {
        input.parse::<Token![=]>()?;
        sigil(input)?;
        input.parse::<Expr>()?;
    }
    Ok(name)
}

fn literal(value: &Expr) -> Option<String> {
    match value {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Str(text) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}

fn docs(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(meta) if meta.path.is_ident("doc") => literal(&meta.value),
        _ => None,
    });
    lines.map(|line| line.trim().to_owned()).collect::<Vec<_>>().join(" ")
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) if list.path.is_ident("cfg") => {
            list.parse_args::<Ident>().is_ok_and(|word| word == "test")
        }
        _ => false,
    })
}

struct Rows<'a> {
    row: &'a str,
    rows: Vec<Row>,
}

impl<'ast> Visit<'ast> for Rows<'_> {
    fn visit_expr_struct(&mut self, node: &'ast ExprStruct) {
        if node.path.is_ident(self.row) {
            let fields = node.fields.iter().filter_map(|field| match &field.member {
                syn::Member::Named(name) => Some((name.to_string(), value(&field.expr)?)),
                syn::Member::Unnamed(_) => None,
            });
            self.rows.push(fields.collect());
        }
        visit::visit_expr_struct(self, node);
    }
}

fn value(expr: &Expr) -> Option<Value> {
    match expr {
        Expr::Lit(_) => literal(expr).map(Value::Text),
        Expr::Reference(reference) => value(&reference.expr),
        Expr::Array(array) => Some(list(&array.elems)),
        Expr::Tuple(tuple) => Some(list(&tuple.elems)),
        Expr::Path(path) => Some(Value::Word(path.path.segments.last()?.ident.to_string())),
        Expr::Call(call) => value(&call.func),
        _ => None,
    }
}

fn list(values: &Punctuated<Expr, Token![,]>) -> Value {
    Value::List(values.iter().filter_map(value).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENTS: &str = r#"
        /// One step.
        /// Of two lines.
        pub(crate) fn step(change: &str) -> Span {
            tracing::info_span!("step", otel.name = %change, error.type = field::Empty, n = one(1, 2))
        }
        fn said(error: &Error, rest: bool) {
            if rest { tracing::debug!("Nameless") }
            tracing::error!(name: "a.type", { x.type = 1, y = %error }, "Of {}", 1);
            tracing::warn!(name: "a.said", %error, effect = ?effect, count, "Said {} of {count}", error.rest());
        }
        #[cfg(test)]
        mod tests { fn f() { tracing::info!(name: "a.test", "x"); } }
    "#;

    #[test]
    fn spans_and_named_events_with_their_fields() {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let span = Told {
            name: "step".to_owned(),
            is_span: true,
            level: "info".to_owned(),
            fields: words(&["otel.name", "error.type", "n"]),
            message: String::new(),
            docs: "One step. Of two lines.".to_owned(),
        };
        let event = Told {
            name: "a.said".to_owned(),
            is_span: false,
            level: "warn".to_owned(),
            fields: words(&["error", "effect", "count"]),
            message: "Said {} of {count}".to_owned(),
            docs: String::new(),
        };
        let braced = Told {
            name: "a.type".to_owned(),
            level: "error".to_owned(),
            fields: words(&["x.type", "y"]),
            message: "Of {}".to_owned(),
            ..Told::default()
        };
        assert_eq!(told("a.rs", EVENTS).unwrap(), [span, braced, event]);
    }

    #[test]
    fn what_is_not_understood_is_an_error_and_not_left_out() {
        let error = told("a.rs", r#"fn f() { tracing::info!(name: "a.b", 7 => x, "x"); }"#).unwrap_err();
        assert_eq!(error.to_string(), "read the spans and events of a.rs");
        assert!(told("a.rs", "fn {").is_err());
    }

    #[test]
    fn rows_of_constants() {
        let text = r#"
            const A: Row = Row { name: "a", kind: Kind::Of(&BOUNDS), of: &["x", "y"] };
            const ALL: [Other; 1] = [Other { pairs: &[("k", "v")] }];
        "#;
        let found = rows("a.rs", text, "Row").unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0]["name"].text(), Some("a"));
        assert_eq!(found[0]["kind"], Value::Word("Of".to_owned()));
        assert_eq!(found[0]["of"].texts(), ["x", "y"]);
        let others = rows("a.rs", text, "Other").unwrap();
        let pair = ["k", "v"].map(|text| Value::Text(text.to_owned()));
        assert_eq!(others[0]["pairs"], Value::List(vec![Value::List(pair.to_vec())]));
    }
}
