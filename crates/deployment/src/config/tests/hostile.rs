//! Whatever the bytes are: an answer, never a panic.

use proptest::prelude::*;

use super::*;
use crate::config::{document, principals, variables};

/// Text made of what YAML, JSON and our own formats give a meaning to.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[\\PC\n\t]{0,6}",
        prop::sample::select(vec![
            "\n", "  ", "- ", ": ", "a", "&a ", "*a", "<<: ", "{", "}", "[", "]", ",", "\"", "'", "|\n", "#",
            "!!str ", "---\n", "${", "}", ":-", "TOKEN", "~", "é", "\u{feff}", "\\u",
        ])
        .prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bytes_become_text_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let file = Path::new("f");
        match file::text(file, bytes.clone()) {
            Ok(text) => prop_assert!(bytes.ends_with(text.as_bytes())),
            Err(_) => prop_assert!(str::from_utf8(&bytes).is_err()),
        }
    }

    #[test]
    fn a_document_is_a_tree_or_an_error(text in pieces()) {
        for read in [document::yaml, document::json] {
            let mut problems = Vec::new();
            let node = read(Path::new("f"), &text, &mut problems);
            if let Some(node) = node {
                prop_assert!(node.line >= 1 && node.column >= 1);
            } else if !problems.is_empty() {
                prop_assert!(problems.iter().all(|problem| problem.help.is_some()));
            }
        }
    }

    #[test]
    fn a_product_loads_or_is_an_error(text in pieces()) {
        let root = project(&[("product.yaml", &format!("{PRODUCT}items: {{notebooks: [{{name: {text}"))]);
        if let Err(problems) = load_from(root.path(), "dev") {
            prop_assert!(problems.errors() > 0);
        }
    }

    #[test]
    fn principals_are_roles_or_errors(text in "([0-9a-f-]{30,40}|[A-Za-z]{0,6}|,|\n|#|[\\PC]){0,20}") {
        let mut problems = Vec::new();
        let roles = principals::list::parse(Path::new("f"), &text, &mut problems);
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).count();
        prop_assert!(roles.len() <= lines && roles.len() + problems.len() >= lines);
    }

    #[test]
    fn what_is_substituted_is_not_looked_into(text in pieces(), value in pieces()) {
        let lookup = |name: &str| (name == "a").then(|| value.clone());
        let resolved = variables::resolve(&format!("{}${{a}}", text.replace('$', "")), &lookup);
        prop_assert_eq!(resolved, Ok(format!("{}{value}", text.replace('$', ""))));
    }
}
