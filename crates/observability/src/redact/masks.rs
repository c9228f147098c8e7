//! Values made known to a CI system, so that it hides them in what other programs of the job print.

use secrecy::{ExposeSecret as _, SecretString};

use super::SHORTEST;

/// A CI system that takes values to hide as commands in a job's output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ci {
    /// GitHub Actions, <https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands#masking-a-value-in-a-log>.
    GitHub,
    /// Azure Pipelines,
    /// <https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands#setsecret-register-a-value-as-a-secret>.
    AzurePipelines,
}

impl Ci {
    /// The system that this environment is of: `GITHUB_ACTIONS=true`, `TF_BUILD=True`.
    pub fn detect<'v>(variable: impl Fn(&str) -> Option<&'v str>) -> Option<Self> {
        let is_true = |name| variable(name).is_some_and(|value| value.eq_ignore_ascii_case("true"));
        if is_true("GITHUB_ACTIONS") {
            Some(Self::GitHub)
        } else {
            is_true("TF_BUILD").then_some(Self::AzurePipelines)
        }
    }

    /// The commands that hide `value`, a line each, each with its line break; to be written as they are, and to nothing but the job's log.
    ///
    /// Each line of a value is a command, for logs are searched by lines. One that is too short would hide ordinary text, and has none.
    #[must_use]
    pub fn masks(self, value: &SecretString) -> SecretString {
        let mut commands = String::new();
        let lines = value.expose_secret().split(['\r', '\n']).map(str::trim);
        for line in lines.filter(|line| line.len() >= SHORTEST) {
            match self {
                // As the toolkit escapes what follows a command; line breaks are none left.
                Self::GitHub => commands.push_str(&format!("::add-mask::{}\n", line.replace('%', "%25"))),
                Self::AzurePipelines => {
                    let escaped = line.replace('%', "%AZP25");
                    commands.push_str(&format!("##vso[task.setsecret]{escaped}\n"));
                    // Agents that were told not to decode percent signs (DECODE_PERCENTS) take it as it stands.
                    if escaped != line {
                        commands.push_str(&format!("##vso[task.setsecret]{line}\n"));
                    }
                }
            }
        }
        commands.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_a_command() {
        let masks = |ci: Ci, value: &str| ci.masks(&value.into()).expose_secret().to_owned();
        assert_eq!(masks(Ci::GitHub, "a%0Ab\r\n}\nline two"), "::add-mask::a%250Ab\n::add-mask::line two\n");
        assert_eq!(
            masks(Ci::AzurePipelines, "a%0Ab\nline two"),
            "##vso[task.setsecret]a%AZP250Ab\n##vso[task.setsecret]a%0Ab\n##vso[task.setsecret]line two\n"
        );
    }

    #[test]
    fn the_systems_are_told_by_their_variables() {
        let detect = |set: &'static [(&str, &str)]| {
            Ci::detect(move |name| set.iter().find(|(key, _)| *key == name).map(|(_, value)| *value))
        };
        assert_eq!(detect(&[("GITHUB_ACTIONS", "true")]), Some(Ci::GitHub));
        assert_eq!(detect(&[("TF_BUILD", "True")]), Some(Ci::AzurePipelines));
        assert_eq!(detect(&[("TF_BUILD", ""), ("CI", "true"), ("GITHUB_ACTIONS", "false")]), None);
    }
}
