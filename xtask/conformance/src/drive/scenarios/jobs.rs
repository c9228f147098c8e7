//! Jobs of items: on demand and on schedule.

use super::*;

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        scenario("jobs: run on demand", on_demand),
        scenario("jobs: cancelled", cancelled),
        scenario("jobs: scheduled", scheduled),
        scenario("jobs: run in the older form", older_form),
        scenario("jobs: refused", refused),
        scenario("jobs: too many schedules", too_many_schedules),
        scenario("jobs: refused to a reader", to_a_reader),
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
    session.refused_somehow("GET", &format!("{item}/jobs/instances/{NOBODY}"), NOTHING)?;
    let workspace = item.split("/items/").next().unwrap_or_default();
    let nothing = format!("{workspace}/items/{NOBODY}");
    let cron = schedule(json!({"type": "Cron", "interval": 10}));
    let schedules = format!("{nothing}/jobs/Pipeline/schedules");
    let one = format!("{schedules}/{NOBODY}");
    let instances = format!("{nothing}/jobs/instances");
    let cases = [
        ("GET", instances.clone(), NOTHING),
        ("GET", format!("{instances}/{NOBODY}"), NOTHING),
        ("POST", format!("{instances}/{NOBODY}/cancel"), NOTHING),
        ("POST", format!("{nothing}/jobs/Pipeline/instances"), NOTHING),
        ("GET", schedules.clone(), NOTHING),
        ("POST", schedules, cron.clone()),
        ("GET", one.clone(), NOTHING),
        ("PATCH", one.clone(), cron),
        ("DELETE", one, NOTHING),
    ];
    for (method, target, body) in cases {
        session.refused(method, &target, body, "ItemNotFound")?;
    }
    Ok(())
}

fn too_many_schedules(session: &mut Session<'_>) -> Step {
    let item = pipeline(session)?;
    let all = format!("{item}/jobs/Pipeline/schedules");
    let cron = || schedule(json!({"type": "Cron", "interval": 10}));
    for _ in 0..20 {
        session.post(&all, cron())?;
    }
    session.refused("POST", &all, cron(), "ScheduleExceedsLimit")
}

fn to_a_reader(session: &mut Session<'_>) -> Step {
    let item = pipeline(session)?;
    let roles = format!("{}/roleAssignments", item.split("/items/").next().unwrap_or_default());
    let role = json!({"principal": {"id": STRANGER, "type": "ServicePrincipal"}, "role": "Viewer"});
    session.post(&roles, role)?;
    session.become_the_stranger()?;
    let cron = schedule(json!({"type": "Cron", "interval": 10}));
    let cases = [("jobs/Pipeline/instances", NOTHING), ("jobs/Pipeline/schedules", cron)];
    for (call, body) in cases {
        session.refused("POST", &format!("{item}/{call}"), body, "InsufficientPrivileges")?;
    }
    Ok(())
}

/// Undocumented, and what Microsoft's own command line sends.
fn older_form(session: &mut Session<'_>) -> Step {
    let item = pipeline(session)?;
    session.post(&format!("{item}/jobs/instances?jobType=Pipeline"), NOTHING)?;
    first(session, &item)?;
    Ok(())
}
