//! Rules of Rust sources: what a file says first, and what it must not call.

use super::Violation;
use super::lexer::{self, Line};
use crate::workspace::File;

/// Macros that stand for code nobody wrote.
const UNFINISHED: &[&str] = &["todo", "unimplemented"];
/// Attributes that hide what they should answer for: `expect` says why, a test that never runs shows nothing.
const HIDING: &[&str] = &["allow", "ignore"];
/// Macros that write to the terminal of whoever called the library.
const PRINTING: &[&str] = &["print", "println", "eprint", "eprintln", "dbg"];
/// Where settings come from the environment.
const SETTINGS: &str = "crates/cli/src/settings";
/// The environment as a store of secrets, for programs that embed that library alone.
const STORE: &str = "crates/secrets/src/environment.rs";

/// The rules that look at one Rust file.
pub(super) fn check(file: &File) -> Vec<Violation> {
    let lines = lexer::lines(&file.text);
    let mut violations = Vec::new();
    if !file.text.starts_with("//!") {
        let message = "the first line must be a `//!` line that says what this file is".to_owned();
        violations.push(Violation::new(&file.path, Some(1), "module-doc", message));
    }
    violations.extend(find(file, &lines, "unfinished", unfinished));
    if is_product(&file.path) {
        let production = lexer::production(&lines);
        violations.extend(find(file, production, "printing", printing));
        violations.extend(find(file, production, "environment", |line| environment(&file.path, line)));
    }
    violations
}

fn find(
    file: &File,
    lines: &[Line],
    rule: &'static str,
    broken: impl Fn(&Line) -> Option<String>,
) -> Vec<Violation> {
    let numbered = lines.iter().enumerate();
    numbered
        .filter_map(|(n, line)| {
            let message = broken(line)?;
            Some(Violation::new(&file.path, Some(n + 1), rule, message))
        })
        .collect()
}

/// Whether users run the code of `path`: not the tasks, not a build script, not a test, not an example.
fn is_product(path: &str) -> bool {
    let Some(inside) = path.strip_prefix("crates/") else {
        return false;
    };
    let mut parts = inside.split('/');
    !parts.any(|part| matches!(part, "tests" | "benches" | "examples" | "tests.rs" | "build.rs"))
}

fn unfinished(line: &Line) -> Option<String> {
    // In two halves, so that a search for what is unfinished does not find this line.
    let marker = concat!("FIX", "ME");
    if line.comment.contains(marker) {
        return Some(format!("`{marker}`: mend it, or open an issue"));
    }
    let calls = UNFINISHED.iter().find(|name| calls(&line.code, name));
    if let Some(name) = calls {
        return Some(format!("`{name}!`: absent is better than unfinished"));
    }
    let hides = |name: &&&str| {
        [format!("#[{name}"), format!("#![{name}")].iter().any(|attribute| line.code.contains(attribute))
    };
    let name = HIDING.iter().find(hides)?;
    Some(format!("`#[{name}]`: use `#[expect(.., reason = \"..\")]`, or mend what it hides"))
}

fn printing(line: &Line) -> Option<String> {
    let name = PRINTING.iter().find(|name| calls(&line.code, name))?;
    Some(format!("`{name}!`: emit a `tracing` event, or return what is to be shown"))
}

/// Libraries touch nothing of the process; the cli reads variables in one place.
fn environment(path: &str, line: &Line) -> Option<String> {
    if path.starts_with(SETTINGS) || path == STORE {
        return None;
    }
    let function = after(&line.code, "env::").find(|rest| {
        if path.starts_with("crates/cli/") {
            ["var", "set_var", "remove_var"].iter().any(|it| rest.starts_with(it))
        } else {
            // Facts of the build, not of the process.
            !rest.starts_with("consts")
        }
    })?;
    let name: String = function.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    Some(format!("`env::{name}`: only {SETTINGS} reads the environment; take a value"))
}

/// Whether `code` calls the macro `name`.
fn calls(code: &str, name: &str) -> bool {
    after(code, name).any(|rest| rest.starts_with('!'))
}

/// What follows each `word` in `code`, where it does not end a longer name.
fn after<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = &'a str> {
    code.match_indices(word).filter_map(move |(at, _)| {
        let longer = code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        (!longer).then(|| &code[at + word.len()..])
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::tests::{file, printed};

    /// The violations of `text`, under a `//!` line, as the file `path`.
    fn broken(path: &str, text: &str) -> String {
        printed(check(&file(path, &format!("//! A file.\n{text}"))))
    }

    #[test]
    fn a_file_says_what_it_is() {
        let message = "the first line must be a `//!` line that says what this file is";
        for text in ["", "fn main() {}", "// A file.", "\n//! A file."] {
            let found = printed(check(&file("crates/cli/build.rs", text)));
            assert_eq!(found, format!("crates/cli/build.rs:1: [module-doc] {message}"));
        }
        assert_eq!(broken("crates/cli/build.rs", ""), "");
    }

    #[test]
    fn nothing_is_unfinished_or_hidden() {
        let cases = [
            format!("fn f() {{ {}!() }}", "todo"),
            format!("fn f() {{ {}!(\"why\") }}", "unimplemented"),
            format!("// {}: later", concat!("FIX", "ME")),
            format!("#[{}(dead_code)]", "allow"),
            format!("#![{}(dead_code)]", "allow"),
            format!("#[{}]", "ignore"),
            format!("#[{} = \"slow\"]", "ignore"),
        ];
        for text in cases {
            let found = broken("crates/rollback/tests/main.rs", &text);
            assert!(found.starts_with("crates/rollback/tests/main.rs:2: [unfinished] `"), "{text}: {found}");
        }
        let fine = format!("fn f() {{ g(\"{0}!()\"); my_{0}!() }}", "todo");
        assert_eq!(broken("crates/rollback/src/lib.rs", &fine), "");
    }

    #[test]
    fn libraries_do_not_print() {
        let text = "fn f() {\n    println!(\"a\");\n    std::eprint!(\"b\");\n}";
        assert_eq!(
            broken("crates/rollback/src/lib.rs", text),
            "crates/rollback/src/lib.rs:3: [printing] `println!`: emit a `tracing` event, or return what is to be shown\n\
             crates/rollback/src/lib.rs:4: [printing] `eprint!`: emit a `tracing` event, or return what is to be shown"
        );
        let tests = format!("#[cfg(test)]\nmod tests {{\n{text}\n}}");
        assert_eq!(broken("crates/rollback/src/lib.rs", &tests), "");
        for path in ["xtask/src/main.rs", "crates/cli/tests/cli.rs", "crates/rollback/src/tests.rs"] {
            assert_eq!(broken(path, text), "", "{path}");
        }
        assert_eq!(broken("crates/rollback/src/lib.rs", "/// println!(\"a\")"), "");
    }

    #[test]
    fn only_the_settings_read_the_environment() {
        let library = "crates/secrets/src/lib.rs";
        let command = "crates/cli/src/commands/deploy.rs";
        let cases = [
            (library, "std::env::var(\"A\")", Some("env::var")),
            (library, "use std::env::{self, vars};", Some("env::")),
            (library, "env::current_dir()", Some("env::current_dir")),
            (library, "std::env::consts::OS", None),
            (library, "env!(\"CARGO_MANIFEST_DIR\")", None),
            (library, "my_env::var(\"A\")", None),
            (command, "std::env::var_os(\"A\")", Some("env::var_os")),
            (command, "std::env::args_os()", None),
            ("crates/cli/src/settings/mod.rs", "std::env::vars()", None),
            ("crates/secrets/src/environment.rs", "std::env::var_os(\"A\")", None),
        ];
        for (path, text, function) in cases {
            let expected = function.map_or(String::new(), |function| {
                format!("{path}:2: [environment] `{function}`: only crates/cli/src/settings reads the environment; take a value")
            });
            assert_eq!(broken(path, text), expected, "{text}");
        }
    }
}
