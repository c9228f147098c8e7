//! `[workspaces]`

use serde::Deserialize;
use wildmatch::WildMatch;

/// What is done to workspaces besides deploying to them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Workspaces {
    /// Names, `*` for any text, in any case.
    pub(crate) protected: Vec<String>,
}

impl Workspaces {
    /// Whether the workspace of this name is never deleted.
    pub(crate) fn is_protected(&self, name: &str) -> bool {
        let name = name.to_lowercase();
        self.protected.iter().any(|pattern| WildMatch::new(&pattern.to_lowercase()).matches(&name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_protected_in_any_case() {
        let workspaces = Workspaces { protected: vec!["*-Prod".to_owned(), "sales".to_owned()] };
        for (name, protected) in
            [("a-prod", true), ("A-PROD", true), ("a-prod-2", false), ("Sales", true), ("sales2", false)]
        {
            assert_eq!(workspaces.is_protected(name), protected, "{name}");
        }
        assert!(!Workspaces { protected: Vec::new() }.is_protected("a-prod"));
    }
}
