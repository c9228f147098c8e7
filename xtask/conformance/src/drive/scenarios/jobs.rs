//! Jobs of items: on demand and on schedule.

use super::*;

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        scenario("jobs: run on demand", on_demand),
        scenario("jobs: cancelled", cancelled),
        scenario("jobs: scheduled", scheduled),
        scenario("jobs: run in the older form", older_form),
        scenario("jobs: refused", refused),
    ]
}

fn pipeline(session: &mut Session<'_>) -> Step<String> {
    let workspace = workspace(session)?;
    let item = item(session, &workspace, "DataPipeline", "Copy")?;
    Ok(format!("{workspace}/items/{item}"))
}

/// The path of the first instance of a job.
fn first(session: &mut Session<'_>, item: &str) -> Step<String> {
    let instances = format!("{item}/jobs/instances");
    let listed = session.list(&instances)?;
    Ok(format!("{instances}/{}", id(listed.first().unwrap_or(&NOTHING))?))
}

fn on_demand(session: &mut Session<'_>) -> Step {
    let item = pipeline(session)?;
    let run = format!("{item}/jobs/Pipeline/instances");
    session.post(&run, NOTHING)?;
    let instance = first(session, &item)?;
    session.get(&instance)?;
    session.wait(3600)?;
    session.get(&instance)?;
    session.post(&run, json!({"executionData": {"parameters": {"a": "b"}}}))?;
    Ok(())
}

fn cancelled(session: &mut Session<'_>) -> Step {
    let item = pipeline(session)?;
    session.post(&format!("{item}/jobs/Pipeline/instances"), NOTHING)?;
    let instance = first(session, &item)?;
    session.post_or_refused(&format!("{instance}/cancel"), NOTHING, "JobAlreadyCompleted")?;
    session.wait(3600)?;
    session.get(&instance)?;
    session.refused("POST", &format!("{instance}/cancel"), NOTHING, "JobAlreadyCompleted")
}

/// A schedule with this configuration, to which the times are added that each one has.
pub(super) fn schedule(configuration: Value) -> Value {
    let mut configuration = configuration;
    configuration["startDateTime"] = "2026-01-01T00:00:00Z".into();
    configuration["endDateTime"] = "2027-01-01T00:00:00Z".into();
    configuration["localTimeZoneId"] = "UTC".into();
    json!({"enabled": true, "configuration": configuration})
}

fn scheduled(session: &mut Session<'_>) -> Step {
    let item = pipeline(session)?;
    let all = format!("{item}/jobs/Pipeline/schedules");
    let cron = schedule(json!({"type": "Cron", "interval": 10}));
    let one = format!("{all}/{}", id(&session.post(&all, cron)?)?);
    session.post(&all, schedule(json!({"type": "Daily", "times": ["18:00"]})))?;
    let weekly = json!({"type": "Weekly", "times": ["18:00"], "weekdays": ["Monday"]});
    session.post(&all, schedule(weekly))?;
    session.list(&all)?;
    session.get(&one)?;
    session.patch(&one, schedule(json!({"type": "Daily", "times": ["06:00"]})))?;
    session.delete(&one)?;
    session.refused_somehow("GET", &one, NOTHING)
}

fn refused(session: &mut Session<'_>) -> Step {
    let item = pipeline(session)?;
    session.refused("POST", &format!("{item}/jobs/Riverboat/instances"), NOTHING, "InvalidJobType")?;
    session.refused_somehow("GET", &format!("{item}/jobs/instances/{NOBODY}"), NOTHING)
}

/// Undocumented, and what Microsoft's own command line sends.
fn older_form(session: &mut Session<'_>) -> Step {
    let item = pipeline(session)?;
    session.post(&format!("{item}/jobs/instances?jobType=Pipeline"), NOTHING)?;
    first(session, &item)?;
    Ok(())
}
