//! Long-running operations themselves.

use super::*;

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        scenario("operations: with and without a result", results),
        scenario("operations: unknown", unknown),
        scenario("operations: failed", failed),
    ]
}

/// Where an operation accepted with 202 can be polled; `None` when the request was done at once.
fn accepted(session: &mut Session<'_>, target: &str, body: Value) -> Step<Option<String>> {
    let id = session.post_unfinished(target, body)?;
    Ok(id.map(|id| format!("/v1/operations/{id}")))
}

fn results(session: &mut Session<'_>) -> Step {
    let workspace = workspace(session)?;
    let notebook = json!({
        "type": "Notebook", "displayName": "N", "definition": definition("notebook-content.py"),
    });
    let one = format!("{workspace}/items/{}", id(&session.post(&format!("{workspace}/items"), notebook)?)?);
    let body = json!({"definition": definition("notebook-content.py")});
    let Some(operation) = accepted(session, &format!("{one}/updateDefinition"), body)? else {
        return Ok(());
    };
    let running = session.get(&operation)?;
    if running["status"] == "Running" {
        session.refused("GET", &format!("{operation}/result"), NOTHING, "OperationNotSucceeded")?;
        session.wait(60)?;
    }
    let done = session.get(&operation)?;
    check(done["status"] == "Succeeded", "the operation is done", &done)?;
    session.refused("GET", &format!("{operation}/result"), NOTHING, "OperationHasNoResult")
}

fn unknown(session: &mut Session<'_>) -> Step {
    let operation = format!("/v1/operations/{NOBODY}");
    session.refused("GET", &operation, NOTHING, "OperationNotFound")?;
    session.refused("GET", &format!("{operation}/result"), NOTHING, "OperationNotFound")
}

fn failed(session: &mut Session<'_>) -> Step {
    let workspace = workspace(session)?;
    session.inject("POST */items=operation-fails,times=1")?;
    let notebook = json!({
        "type": "Notebook", "displayName": "N", "definition": definition("notebook-content.py"),
    });
    session.refused("POST", &format!("{workspace}/items"), notebook, "UnknownError")
}
