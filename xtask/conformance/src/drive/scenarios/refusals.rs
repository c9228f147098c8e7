//! Errors that many documents have in common: each is provoked of every emulated operation that documents it.

use super::jobs::schedule;
use super::*;

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        scenario("refusals: no such workspace", no_workspace),
        scenario("refusals: no such item", no_item),
        scenario("refusals: to a reader", to_a_reader),
        scenario("refusals: to who is no administrator", to_a_contributor),
        scenario("refusals: too many schedules", too_many_schedules),
    ]
}

/// Schedules that an item can have.
const MOST_SCHEDULES: usize = 20;

fn no_workspace(session: &mut Session<'_>) -> Step {
    let code = "WorkspaceNotFound";
    let mut operations = session.documenting(code);
    operations.retain(|(_, path)| path.contains("{workspaceId}"));
    for (method, path) in operations {
        session.refused(&method, &filled(&path, |_| NOBODY), body(&method, &path), code)?;
    }
    Ok(())
}

fn no_item(session: &mut Session<'_>) -> Step {
    let (workspace, code) = (workspace(session)?, "ItemNotFound");
    let mut operations = session.documenting(code);
    operations.retain(|(_, path)| is_of_an_item(path));
    for (method, path) in operations {
        let target = filled(&path, |name| match name {
            "workspaceId" => id_in(&workspace),
            "jobType" => JOB,
            _ => NOBODY,
        });
        session.refused(&method, &target, body(&method, &path), code)?;
    }
    Ok(())
}

/// A reader may read: what is refused is everything else.
fn to_a_reader(session: &mut Session<'_>) -> Step {
    let workspace = workspace(session)?;
    let mut refused = Vec::new();
    for code in ["InsufficientPrivileges", "MissingMinimalPermissions"] {
        for (method, path) in session.documenting(code) {
            if method != "GET" && is_of_an_item(&path) {
                let target = existing(session, &workspace, &path, refused.len())?;
                refused.push((target, body(&method, &path), method, code));
            }
        }
    }
    become_a(session, &workspace, "Viewer")?;
    refused
        .into_iter()
        .try_for_each(|(target, body, method, code)| session.refused(&method, &target, body, code))
}

fn to_a_contributor(session: &mut Session<'_>) -> Step {
    let (workspace, code) = (workspace(session)?, "InsufficientWorkspaceRole");
    let mut operations = session.documenting(code);
    // It takes `hardDelete` as those of other types do; only its document does not say who may not.
    let pipelines = "/v1/workspaces/{workspaceId}/dataPipelines/{dataPipelineId}";
    operations.push(("DELETE".to_owned(), pipelines.to_owned()));
    let mut refused = Vec::new();
    for (method, path) in operations {
        let target = match is_of_an_item(&path) {
            // Contributors delete items, but not for good.
            true => existing(session, &workspace, &path, refused.len())? + "?hardDelete=true",
            false => filled(&path, |_| id_in(&workspace)),
        };
        refused.push((target, body(&method, &path), method));
    }
    become_a(session, &workspace, "Contributor")?;
    refused.into_iter().try_for_each(|(target, body, method)| session.refused(&method, &target, body, code))
}

fn too_many_schedules(session: &mut Session<'_>) -> Step {
    let (workspace, code) = (workspace(session)?, "ScheduleExceedsLimit");
    for (number, (method, path)) in session.documenting(code).into_iter().enumerate() {
        let target = existing(session, &workspace, &path, number)?;
        for _ in 0..MOST_SCHEDULES {
            session.post(&target, body(&method, &path))?;
        }
        session.refused(&method, &target, body(&method, &path), code)?;
    }
    Ok(())
}

/// A job that data pipelines have, which stand for items of any type.
const JOB: &str = "Execute";

/// Gives the stranger that role, and makes every later request the stranger's.
fn become_a(session: &mut Session<'_>, workspace: &str, role: &str) -> Step {
    let role = json!({"principal": {"id": STRANGER, "type": "ServicePrincipal"}, "role": role});
    session.post(&format!("{workspace}/roleAssignments"), role)?;
    session.become_the_stranger()
}

/// Whether a path template goes on from an item: `/v1/workspaces/{workspaceId}/items/{itemId}`.
fn is_of_an_item(path: &str) -> bool {
    path.split('/').nth(5).is_some_and(|segment| segment.starts_with('{'))
}

/// A path template with something for each of its parameters.
fn filled<'a>(template: &str, value: impl Fn(&str) -> &'a str) -> String {
    let mut pieces = template.split('{');
    let mut path = pieces.next().unwrap_or_default().to_owned();
    for (name, rest) in pieces.filter_map(|piece| piece.split_once('}')) {
        path = path + value(name) + rest;
    }
    path
}

/// The path of something that is made for it: an item, and its schedule or the run of a job that the template names.
fn existing(session: &mut Session<'_>, workspace: &str, template: &str, number: usize) -> Step<String> {
    let collection = template.split('/').nth(4).unwrap_or_default();
    let item = typed::made(session, workspace, collection, &format!("Item_{number}"))?;
    let path = filled(template, |name| match name {
        "workspaceId" => id_in(workspace),
        "jobType" => JOB,
        "scheduleId" | "jobInstanceId" => "{}",
        _ => &item,
    });
    let Some((all, _)) = path.split_once("/{}") else { return Ok(path) };
    let made = match all.strip_suffix("/instances") {
        Some(jobs) => {
            session.post(&format!("{jobs}/{JOB}/instances"), NOTHING)?;
            id(session.list(all)?.first().unwrap_or(&NOTHING))?
        }
        None => id(&session.post(all, body("POST", all))?)?,
    };
    Ok(path.replace("{}", &made))
}

/// A body with which nothing is wrong.
fn body(method: &str, path: &str) -> Value {
    let has = |piece| path.contains(piece);
    match method {
        "GET" | "DELETE" => NOTHING,
        _ if has("/schedules") => schedule(json!({"type": "Cron", "interval": 10})),
        _ if has("/tableMaintenance/") => json!({"executionData": {"tableName": "orders"}}),
        _ if has("/updateDefinition") => json!({"definition": definition("a")}),
        _ if has("/bulkCreate") => json!({"createShortcutRequests": [{"path": "Files", "name": "a"}]}),
        _ if has("/assignToDomain") => json!({"domainId": NOBODY}),
        _ => json!({}),
    }
}
