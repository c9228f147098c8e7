//! The product's file: which environment, which workspace, and the sections that have a module of their own.

use super::checks::{self, Limit, guid};
use super::cursor::Cursor;
use super::folders;
use super::project::Project;
use super::reading::Reading;
use super::{Loaded, Request, git, items, naming, principals, schema};
use crate::desired::{Desired, DesiredWorkspace, Located};

/// Everything the file asks for; `None` if a part without which nothing works is wrong.
///
/// Goes on after an error, so that all of them are told at once.
pub(super) fn read(
    reading: &mut Reading<'_>,
    root: &Cursor<'_>,
    project: Option<&Project<'_>>,
    request: &Request<'_>,
) -> Option<Loaded> {
    reading.keys(root, schema::ROOT);
    let product = product_name(reading, root);
    let environment = environment(reading, root, request.environment);
    let known = product.as_ref().map(|name| name.value.as_str());
    let mut folders = match &environment {
        Some(environment) => folders::read(reading, root, environment),
        None => folders::Folders::default(),
    };
    let workspace =
        workspace(reading, root, project, product.as_ref(), environment.as_ref(), request.environment);
    let section = root.get("workspace");
    let create = section.and_then(|section| reading.flag(&section, "create_items")).unwrap_or(true);
    let items = if create { items::read(reading, root, &request.root, &mut folders) } else { Vec::new() };
    naming::check(reading, root, &request.root, &items);
    let roles = principals::read(reading, root, &request.root, known, request.environment);
    let git = git::read(reading, root, project, known.unwrap_or_default(), request.environment);
    let deployment = reading.section(root, "deployment");
    let rollback_on_error = deployment.and_then(|section| reading.flag(&section, "rollback_on_error"));
    let desired = Desired {
        product: product?.value,
        environment: request.environment.to_owned(),
        workspace: workspace?,
        folders: folders.into_vec(),
        items,
        roles,
        git,
    };
    Some(Loaded { desired, warnings: Vec::new(), rollback_on_error })
}

fn product_name(reading: &mut Reading<'_>, root: &Cursor<'_>) -> Option<Located<String>> {
    let Some(product) = reading.section(root, "product") else {
        if root.get("product").is_none() {
            reading.error(
                root.missing("product"),
                "is missing",
                "add `product:` with the `name` of the product",
            );
        }
        return None;
    };
    reading.keys(&product, schema::PRODUCT);
    let name = checks::required(reading, &product, "name", "name the product");
    let name = checks::name(reading, name)?;
    // It becomes part of the name of the principals file.
    if name.value.contains(['/', '\\']) {
        reading.error(name.at, "holds a slash", "use a name without `/` and `\\`");
        return None;
    }
    Some(name)
}

/// The section of the chosen environment.
fn environment<'a>(reading: &mut Reading<'_>, root: &Cursor<'a>, name: &str) -> Option<Cursor<'a>> {
    let Some(environments) = reading.section(root, "environments") else {
        if root.get("environments").is_none() {
            reading.error(
                root.missing("environments"),
                "is missing",
                format!("add `environments:` with `{name}:` below it"),
            );
        }
        return None;
    };
    let mut found = None;
    let mut names = Vec::new();
    for (key, environment, at) in environments.entries() {
        names.push(key);
        if environment.is_map() {
            reading.keys(&environment, schema::ENVIRONMENT);
        } else if !environment.is_null() {
            reading.error(at, "must be a mapping of keys to values", "write its keys below it, indented");
        }
        if key == name {
            found = Some(environment);
        }
    }
    let Some(found) = found else {
        let help = if names.is_empty() {
            format!("add `{name}:` below it")
        } else {
            format!("choose one of {}", names.join(", "))
        };
        reading.error(environments.at(), format!("there is no environment {name:?}"), help);
        return None;
    };
    if reading.flag(&found, "enabled") == Some(false) {
        let at = found.get("enabled").map_or_else(|| found.at(), |enabled| enabled.at());
        reading.error(
            at,
            format!("the environment {name} is turned off"),
            "set it to true, or choose another environment",
        );
    }
    Some(found)
}

fn workspace(
    reading: &mut Reading<'_>,
    root: &Cursor<'_>,
    project: Option<&Project<'_>>,
    product: Option<&Located<String>>,
    environment: Option<&Cursor<'_>>,
    environment_name: &str,
) -> Option<DesiredWorkspace> {
    let section = reading.section(root, "workspace");
    if let Some(section) = &section {
        reading.keys(section, schema::WORKSPACE);
    }
    let environment = environment?;
    let capacity = capacity(reading, environment);
    let template = section.and_then(|section| reading.text(&section, "description_template"));
    let description = match template {
        Some(template) => Some(Located {
            value: template.value.replace("{environment}", environment_name),
            at: template.at,
        }),
        None => reading.text(environment, "description"),
    };
    let description =
        description.and_then(|text| checks::checked_description(reading, text, Limit::WORKSPACE_DESCRIPTION));
    let product = product?;
    let name = project?.workspace_name(reading, &product.value, environment_name)?;
    let name = checks::name(reading, Some(Located { value: name, at: product.at.clone() }))?;
    // https://learn.microsoft.com/rest/api/fabric/core/workspaces/create-workspace
    if name.value.eq_ignore_ascii_case("Admin monitoring") {
        reading.error(name.at, "gives the workspace a name that Fabric reserves", "choose another name");
        return None;
    }
    Some(DesiredWorkspace { name: name.value, description, capacity, at: name.at })
}

fn capacity(reading: &mut Reading<'_>, environment: &Cursor<'_>) -> Option<Located<uuid::Uuid>> {
    let text = reading.text(environment, "capacity_id")?;
    let Some(value) = guid(&text.value) else {
        reading.error(
            text.at,
            format!("{:?} is not a GUID", text.value),
            "copy the id of the capacity from the Fabric admin portal; leave the key empty for none",
        );
        return None;
    };
    Some(Located { value, at: text.at })
}
