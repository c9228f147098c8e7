//! JSON Schemas of the files that are read, for editors and for checks before a commit.
//!
//! They are stricter than the reader in one thing: an unknown key, which it warns of, they refuse.

/// A product's file, `product_config.yaml`.
pub const PRODUCT: &str = include_str!("../../schemas/product_config.schema.json");
/// The project's file, `project.config.json`.
pub const PROJECT: &str = include_str!("../../schemas/project.config.schema.json");
/// The rules for names, `naming_standards.yaml`.
pub const NAMING: &str = include_str!("../../schemas/naming_standards.schema.json");

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;
    use crate::config::kinds::KINDS;
    use crate::config::schema::{self, Keys};

    /// The keys that the schema has there are those that the reader knows, and those without effect say so.
    fn check(schema: &str, mapping: &str, keys: Keys<'_>) {
        let schema: Value = serde_json::from_str(schema).expect("JSON");
        let mapping = schema.pointer(mapping).unwrap_or_else(|| panic!("{mapping} is not there"));
        let properties = mapping["properties"].as_object().expect("a mapping with properties");
        let is_idle = |property: &&Value| property["deprecated"] == true;
        let of = |idle: bool| -> BTreeSet<&str> {
            let found = properties.iter().filter(|(_, property)| is_idle(property) == idle);
            found.map(|(key, _)| key.as_str()).collect()
        };
        assert_eq!(of(false), keys.known.split_whitespace().collect(), "{mapping:#}");
        assert_eq!(of(true), keys.idle.split_whitespace().collect(), "{mapping:#}");
        assert_eq!(mapping["additionalProperties"], false, "{mapping:#}");
        for (key, property) in properties.iter().filter(|(_, property)| property.get("$ref").is_none()) {
            assert!(property["description"].is_string(), "{key} is not explained");
        }
    }

    #[test]
    fn schemas_have_the_keys_that_the_reader_knows() {
        for (mapping, keys) in [
            ("", schema::ROOT),
            ("/$defs/product", schema::PRODUCT),
            ("/$defs/environment", schema::ENVIRONMENT),
            ("/$defs/workspace", schema::WORKSPACE),
            ("/$defs/git", schema::GIT),
            ("/$defs/naming", schema::NAMING),
            ("/$defs/item", schema::ITEM),
            ("/$defs/resource", schema::RESOURCE),
            ("/$defs/user", schema::USER),
            ("/$defs/template", schema::TEMPLATE),
            ("/$defs/medallion", schema::MEDALLION),
            ("/$defs/below", schema::FOLDER),
        ] {
            check(PRODUCT, mapping, keys);
        }
        let kinds: Vec<&str> = KINDS.iter().map(|(key, _)| *key).chain(["resources"]).collect();
        check(PRODUCT, "/$defs/items", Keys::of(&kinds.join(" ")));

        check(PROJECT, "", schema::PROJECT_ROOT);
        check(PROJECT, "/$defs/project", schema::PROJECT);
        check(PROJECT, "/$defs/git_integration", schema::GIT_INTEGRATION);

        for (mapping, keys) in [
            ("", schema::STANDARDS),
            ("/$defs/global_rules", schema::GLOBAL_RULES),
            ("/$defs/type_rule", schema::TYPE_RULE),
            ("/$defs/tickets", schema::TICKETS),
            ("/$defs/validation", schema::VALIDATION),
            ("/$defs/exemptions", schema::EXEMPTIONS),
        ] {
            check(NAMING, mapping, keys);
        }
    }
}
