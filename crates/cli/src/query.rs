//! `--query`: a JMESPath expression that picks what is printed of a JSON result.

use anyhow::Context as _;
use jmespath::{ErrorReason, Expression, JmespathError, RuntimeError, ast::Ast};
use selvedge_deployment::config::suggest;
use serde_json::Value;

use crate::{exit, report::ExitWith};

/// Brackets and operators. The parser calls itself for most of them, and is to stay within the stack of any thread.
const MAX_SIGNS: usize = 200;

/// The functions of JMESPath: how many arguments each takes, and whether more are allowed. The library knows them too, but tells of a wrong
/// name or number only once there is a result to apply it to, which is too late.
const FUNCTIONS: [(&str, usize, bool); 26] = [
    ("abs", 1, false),
    ("avg", 1, false),
    ("ceil", 1, false),
    ("contains", 2, false),
    ("ends_with", 2, false),
    ("floor", 1, false),
    ("join", 2, false),
    ("keys", 1, false),
    ("length", 1, false),
    ("map", 2, false),
    ("max", 1, false),
    ("max_by", 2, false),
    ("merge", 1, true),
    ("min", 1, false),
    ("min_by", 2, false),
    ("not_null", 1, true),
    ("reverse", 1, false),
    ("sort", 1, false),
    ("sort_by", 2, false),
    ("starts_with", 2, false),
    ("sum", 1, false),
    ("to_array", 1, false),
    ("to_number", 1, false),
    ("to_string", 1, false),
    ("type", 1, false),
    ("values", 1, false),
];

/// An expression that makes sense, as far as that can be known without a result.
#[derive(Clone, Debug)]
pub(crate) struct Query(Expression<'static>);

impl Query {
    /// Reads an expression.
    ///
    /// # Errors
    ///
    /// What is wrong with it, and where.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.matches(['(', '[', '{', '.', '!', '&', '|', '*', '<', '>', '=', '?']).count() > MAX_SIGNS {
            return Err(format!("it has more than {MAX_SIGNS} brackets and operators"));
        }
        let expression = jmespath::compile(text).map_err(|error| told(&error))?;
        check(expression.as_ast()).map_err(|(offset, message)| placed(text, offset, &message))?;
        Ok(Self(expression))
    }

    /// What it picks; null where it finds nothing.
    ///
    /// # Errors
    ///
    /// A function got what it does not work on.
    pub(crate) fn pick(&self, from: &Value) -> anyhow::Result<Value> {
        let found = self.0.search(from).map_err(|error| {
            let with = ExitWith::new(exit::FAILED, "apply --query to the result");
            let help = "the command has done its work; only its result could not be asked this";
            anyhow::Error::msg(told(&error)).context(with.help(help))
        })?;
        serde_json::to_value(&*found).context("write what --query found")
    }
}

/// Looks at every function that is called.
fn check(ast: &Ast) -> Result<(), (usize, String)> {
    let all = |nodes: &[&Ast]| nodes.iter().try_for_each(|node| check(node));
    match ast {
        Ast::Function { offset, name, args } => {
            is_callable(name, args.len()).map_err(|message| (*offset, message))?;
            args.iter().try_for_each(check)
        }
        Ast::Comparison { lhs, rhs, .. }
        | Ast::Projection { lhs, rhs, .. }
        | Ast::And { lhs, rhs, .. }
        | Ast::Or { lhs, rhs, .. }
        | Ast::Subexpr { lhs, rhs, .. } => all(&[lhs, rhs]),
        Ast::Condition { predicate, then, .. } => all(&[predicate, then]),
        Ast::Expref { ast, .. } => check(ast),
        Ast::Flatten { node, .. } | Ast::Not { node, .. } | Ast::ObjectValues { node, .. } => check(node),
        Ast::MultiList { elements, .. } => elements.iter().try_for_each(check),
        Ast::MultiHash { elements, .. } => elements.iter().try_for_each(|pair| check(&pair.value)),
        Ast::Identity { .. }
        | Ast::Field { .. }
        | Ast::Index { .. }
        | Ast::Literal { .. }
        | Ast::Slice { .. } => Ok(()),
    }
}

fn is_callable(name: &str, given: usize) -> Result<(), String> {
    let Some((_, takes, more)) = FUNCTIONS.iter().find(|(known, ..)| *known == name) else {
        let near = suggest::nearest(name, FUNCTIONS.iter().map(|(known, ..)| *known));
        let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        return Err(format!("there is no function `{name}`{near}"));
    };
    match given {
        given if given == *takes || (*more && given > *takes) => Ok(()),
        given => {
            let least = if *more { "at least " } else { "" };
            Err(format!(
                "`{name}` takes {least}{takes} argument{}, not {given}",
                if *takes == 1 { "" } else { "s" }
            ))
        }
    }
}

fn told(error: &JmespathError) -> String {
    let message = match &error.reason {
        ErrorReason::Parse(message) => message.clone(),
        ErrorReason::Runtime(RuntimeError::InvalidType { expected, actual, position }) => {
            format!("argument {} must be {expected}, and is {actual}", position + 1)
        }
        ErrorReason::Runtime(error) => error.to_string(),
    };
    placed(&error.expression, error.offset, &message)
}

/// The message with its place, counted in characters from one.
fn placed(text: &str, offset: usize, message: &str) -> String {
    let before = text.get(..offset).map_or(offset, |before| before.chars().count());
    format!("at character {}: {message}", before + 1)
}

#[cfg(test)]
mod tests {
    use jmespath::DEFAULT_RUNTIME;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_wrong_is_known_before_there_is_a_result() {
        for (text, expected) in [
            ("a[", "at character 3: "),
            ("", "at character 1: "),
            ("a = b", "at character 3: '=' is not valid. Did you mean '=='?"),
            ("é", "at character 1: Invalid character: é"),
            ("'é' | a[", "at character 9: "),
            ("changes[?lenght(@) > `1`]", "there is no function `lenght`; did you mean `length`?"),
            ("[a, {b: !c[*].d || nothing(@)}]", "there is no function `nothing`"),
            ("join(',')", "at character 5: `join` takes 2 arguments, not 1"),
            ("merge()", "`merge` takes at least 1 argument, not 0"),
            ("keys(a, b)", "`keys` takes 1 argument, not 2"),
            ("sort_by(a, &lngth(b))", "did you mean `length`?"),
        ] {
            let error = Query::parse(text).map(drop).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn the_deepest_query_does_not_break_the_parser() {
        let signs = |text: &str| text.chars().filter(|sign| "([{.!&|*<>=?".contains(*sign)).count();
        for (deep, end) in [
            ("(", ")"),
            ("[", "]"),
            ("{a:", "}"),
            ("!", ""),
            ("@.", ""),
            ("@|", ""),
            ("@||", ""),
            ("a[?", "]"),
            ("keys(", ")"),
            ("a[].", ""),
            ("*.", ""),
            ("a<", ""),
        ] {
            let depth = MAX_SIGNS / signs(deep);
            let query = |depth: usize| format!("{}a{}", deep.repeat(depth), end.repeat(depth));
            match Query::parse(&query(depth)) {
                Ok(query) => drop(query.pick(&json!({ "a": { "a": 1 } }))),
                // Some do not make sense one within another.
                Err(error) => assert!(error.starts_with("at character"), "{deep}: {error}"),
            }
            assert!(Query::parse(&query(depth + 1)).unwrap_err().contains("more than"), "{deep}");
        }
    }

    #[test]
    fn what_is_found_is_a_value_and_nothing_is_null() {
        let result =
            json!({ "changes": [{ "step": 1, "change": "b" }, { "step": 2, "change": "a" }], "n": 1.5 });
        for (query, expected) in [
            ("changes[].step", json!([1, 2])),
            ("changes[?step > `1`].change | [0]", json!("a")),
            ("{first: changes[0].change, n: n}", json!({ "first": "b", "n": 1.5 })),
            ("length(changes)", json!(2)),
            ("no.such[].thing", Value::Null),
        ] {
            assert_eq!(Query::parse(query).unwrap().pick(&result).unwrap(), expected, "{query}");
        }
        let error = Query::parse("length(n)").unwrap().pick(&result).unwrap_err();
        let error = format!("{error:#}");
        assert!(error.starts_with("apply --query to the result: at character "), "{error}");
        assert!(error.contains("argument 1 must be"), "{error}");
    }

    /// The library says of a number of arguments only that it is wrong.
    #[test]
    fn the_table_of_functions_is_that_of_the_library() {
        for (name, takes, more) in FUNCTIONS {
            assert!(DEFAULT_RUNTIME.get_function(name).is_some(), "{name}");
            for given in 0..=4 {
                let arguments = vec!["@"; given].join(", ");
                let expression = jmespath::compile(&format!("{name}({arguments})")).unwrap();
                let refused = expression.search(Value::Null).is_err_and(|error| {
                    matches!(
                        error.reason,
                        ErrorReason::Runtime(
                            RuntimeError::TooManyArguments { .. } | RuntimeError::NotEnoughArguments { .. }
                        )
                    )
                });
                assert_eq!(refused, is_callable(name, given).is_err(), "{name} of {given}, {takes} {more}");
            }
        }
    }
}
