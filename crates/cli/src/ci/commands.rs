//! What the runners of CI systems obey, as their vendors write it.
//!
//! GitHub Actions: <https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands>, which says what there is; how it is
//! escaped, its runner says: <https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs>.
//!
//! Azure Pipelines: <https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands>; percent signs:
//! <https://github.com/microsoft/azure-pipelines-agent/blob/master/docs/design/percentEncoding.md>.

use selvedge_observability::redact::Ci;

/// What is told of a problem.
pub(super) struct Issue<'a> {
    pub(super) is_error: bool,
    /// What it is about, in a few words.
    pub(super) title: &'a str,
    pub(super) file: Option<&'a str>,
    pub(super) line: Option<u64>,
    pub(super) column: Option<u64>,
    /// The exit code that it means.
    pub(super) code: Option<u8>,
    /// May have several lines.
    pub(super) message: &'a str,
}

/// In what follows a command. The percent sign comes first, for the others are made of it.
const GITHUB_DATA: [(char, &str); 3] = [('%', "%25"), ('\r', "%0D"), ('\n', "%0A")];
/// In a property of one.
const GITHUB_PROPERTY: [(char, &str); 5] =
    [('%', "%25"), ('\r', "%0D"), ('\n', "%0A"), (':', "%3A"), (',', "%2C")];
/// In either.
const AZURE: [(char, &str); 5] = [('%', "%AZP25"), (';', "%3B"), ('\r', "%0D"), ('\n', "%0A"), (']', "%5D")];

fn escaped(text: &str, escapes: &[(char, &str)]) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match escapes.iter().find(|(escaped, _)| *escaped == c) {
            Some((_, with)) => out.push_str(with),
            None => out.push(c),
        }
    }
    out
}

/// Puts a problem on the list of the job, and beside its line in the file.
pub(super) fn issue(system: Ci, issue: &Issue<'_>) -> String {
    let Issue { is_error, title, file, line, column, code, message } = issue;
    let kind = if *is_error { "error" } else { "warning" };
    let number = |number: &Option<u64>| number.map(|number| number.to_string());
    let (line, column, code) = (number(line), number(column), code.map(|code| code.to_string()));
    let file = file.map(str::to_owned);
    let given = |properties: Vec<(&str, Option<String>)>, escapes: &[(char, &str)], between: &str| {
        let given = properties.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let given = given.map(|(name, value)| format!("{name}={}", escaped(&value, escapes)));
        given.collect::<Vec<_>>().join(between)
    };
    match system {
        Ci::GitHub => {
            let title = Some((*title).to_owned());
            let properties = vec![("file", file), ("line", line), ("col", column), ("title", title)];
            let properties = given(properties, &GITHUB_PROPERTY, ",");
            format!("::{kind} {properties}::{}", escaped(message, &GITHUB_DATA))
        }
        Ci::AzurePipelines => {
            let properties = vec![
                ("type", Some(kind.to_owned())),
                ("sourcepath", file),
                ("linenumber", line),
                ("columnnumber", column),
                ("code", code),
            ];
            let properties = given(properties, &AZURE, ";");
            format!("##vso[task.logissue {properties};]{}", escaped(message, &AZURE))
        }
    }
}

/// What follows can be folded, up to [`end_group`].
pub(crate) fn group(system: Ci, title: &str) -> String {
    match system {
        Ci::GitHub => format!("::group::{}", escaped(title, &GITHUB_DATA)),
        // What formats the log has no escapes; the title is on one line.
        Ci::AzurePipelines => format!("##[group]{title}"),
    }
}

pub(crate) fn end_group(system: Ci) -> &'static str {
    match system {
        Ci::GitHub => "::endgroup::",
        Ci::AzurePipelines => "##[endgroup]",
    }
}

/// On Azure Pipelines: puts a file of Markdown, by its absolute path, on the run's page.
pub(super) fn upload_summary(path: &str) -> String {
    format!("##vso[task.uploadsummary]{}", escaped(path, &AZURE))
}

/// On Azure Pipelines: a variable that later jobs and stages can read too.
pub(super) fn output_variable(name: &str, value: &str) -> String {
    format!(
        "##vso[task.setvariable variable={};isOutput=true]{}",
        escaped(name, &AZURE),
        escaped(value, &AZURE)
    )
}

/// On GitHub Actions: a line of the file `GITHUB_OUTPUT`; the value is on one line.
/// <https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands#setting-an-output-parameter>
pub(super) fn output_line(name: &str, value: &str) -> String {
    format!("{name}={value}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the runner takes it back: the percent sign last.
    fn unescaped(text: &str, escapes: &[(char, &str)]) -> String {
        escapes.iter().rev().fold(text.to_owned(), |text, (c, with)| text.replace(with, &c.to_string()))
    }

    #[test]
    fn what_is_escaped_comes_back_and_ends_nothing() {
        for text in [
            "plain, ünïcode: 100 %",
            "a::error file=x::y",
            "a,line=7,title=b",
            "one\r\n::set-output name=verdict::committed",
            "x]##vso[task.setvariable variable=verdict]committed",
            "x;code=0;]y",
            "%0A%25%AZP25%3B%5D%AZP250A%250A",
            "\n\n",
            "",
        ] {
            for (escapes, ends) in [
                (&GITHUB_DATA[..], &['\r', '\n'][..]),
                (&GITHUB_PROPERTY[..], &['\r', '\n', ':', ',']),
                (&AZURE[..], &['\r', '\n', ';', ']']),
            ] {
                let escaped = escaped(text, escapes);
                assert!(!escaped.contains(ends), "{escaped}");
                assert_eq!(unescaped(&escaped, escapes), text);
            }
        }
    }

    #[test]
    fn commands_are_as_the_vendors_write_them() {
        let at = Issue {
            is_error: true,
            title: "selvedge: x",
            file: Some("a,b:c;d].yaml"),
            line: Some(5),
            column: Some(19),
            code: Some(2),
            message: "50 % of\nthis: a,b;c]",
        };
        let nowhere = Issue { is_error: false, file: None, line: None, column: None, code: None, ..at };
        for (system, at_line, without) in [
            (
                Ci::GitHub,
                "::error file=a%2Cb%3Ac;d].yaml,line=5,col=19,title=selvedge%3A x::50 %25 of%0Athis: a,b;c]",
                "::warning title=selvedge%3A x::50 %25 of%0Athis: a,b;c]",
            ),
            (
                Ci::AzurePipelines,
                "##vso[task.logissue type=error;sourcepath=a,b:c%3Bd%5D.yaml;linenumber=5;columnnumber=19;code=2;]\
                 50 %AZP25 of%0Athis: a,b%3Bc%5D",
                "##vso[task.logissue type=warning;]50 %AZP25 of%0Athis: a,b%3Bc%5D",
            ),
        ] {
            let at = Issue { is_error: true, ..at };
            assert_eq!(
                (issue(system, &at), issue(system, &nowhere)),
                (at_line.to_owned(), without.to_owned())
            );
        }
        assert_eq!(group(Ci::GitHub, "[Step 1/8] x"), "::group::[Step 1/8] x");
        assert_eq!(upload_summary("/a/50%.md"), "##vso[task.uploadsummary]/a/50%AZP25.md");
        assert_eq!(
            output_variable("verdict", "left"),
            "##vso[task.setvariable variable=verdict;isOutput=true]left"
        );
    }
}
