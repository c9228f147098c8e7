//! Jobs under the paths of typed collections.

use super::jobs::schedule;
use super::*;

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        scenario("pipelines: run", pipelines),
        scenario("pipelines: scheduled", scheduled_pipelines),
        scenario("notebooks: run", notebooks),
        scenario("Spark job definitions: run", spark_jobs),
        scenario("lakehouses: tables maintained", maintenance),
        scenario("lakehouses: views refreshed", views),
        scenario("lakehouses: views refreshed on schedule", scheduled_views),
    ]
}

/// An item of a collection; returns its path.
fn made(session: &mut Session<'_>, collection: &str) -> Step<String> {
    let all = format!("{}/{collection}", workspace(session)?);
    Ok(format!("{all}/{}", id(&session.post(&all, json!({"displayName": "One"}))?)?))
}

fn pipelines(session: &mut Session<'_>) -> Step {
    let instances = format!("{}/jobs/execute/instances", made(session, "dataPipelines")?);
    session.post(&instances, NOTHING)?;
    let listed = session.list(&instances)?;
    session.get(&format!("{instances}/{}", id(listed.first().unwrap_or(&NOTHING))?))?;
    Ok(())
}

fn scheduled_pipelines(session: &mut Session<'_>) -> Step {
    let all = format!("{}/jobs/execute/schedules", made(session, "dataPipelines")?);
    let one =
        format!("{all}/{}", id(&session.post(&all, schedule(json!({"type": "Cron", "interval": 10})))?)?);
    session.list(&all)?;
    session.get(&one)?;
    session.patch(&one, schedule(json!({"type": "Daily", "times": ["06:00"]})))?;
    session.delete(&one)?;
    Ok(())
}

fn notebooks(session: &mut Session<'_>) -> Step {
    let one = made(session, "notebooks")?;
    let instances = format!("{one}/jobs/execute/instances");
    session.post(&format!("{instances}?beta=false"), NOTHING)?;
    let listed = session.list(&format!("{}/jobs/instances", one.replace("/notebooks/", "/items/")))?;
    session.get(&format!("{instances}/{}?beta=true", id(listed.first().unwrap_or(&NOTHING))?))?;
    Ok(())
}

fn spark_jobs(session: &mut Session<'_>) -> Step {
    let instances = format!("{}/jobs/sparkjob/instances", made(session, "sparkJobDefinitions")?);
    session.post(&instances, NOTHING)?;
    session.post(&instances, json!({"executionData": {"commandLineArguments": "all"}}))?;
    Ok(())
}

fn maintenance(session: &mut Session<'_>) -> Step {
    let instances = format!("{}/jobs/tableMaintenance/instances", made(session, "lakehouses")?);
    let settings = json!({
        "tableName": "orders", "optimizeSettings": {"vOrder": true, "zOrderBy": ["id"]},
        "vacuumSettings": {"retentionPeriod": "7:01:00:00"},
    });
    session.post(&instances, json!({"executionData": settings}))?;
    Ok(())
}

fn views(session: &mut Session<'_>) -> Step {
    let one = made(session, "lakehouses")?;
    session.post(&format!("{one}/jobs/refreshMaterializedLakeViews/instances"), NOTHING)?;
    Ok(())
}

fn scheduled_views(session: &mut Session<'_>) -> Step {
    let all = format!("{}/jobs/refreshMaterializedLakeViews/schedules", made(session, "lakehouses")?);
    let one =
        format!("{all}/{}", id(&session.post(&all, schedule(json!({"type": "Cron", "interval": 10})))?)?);
    session.patch(&one, schedule(json!({"type": "Daily", "times": ["06:00"]})))?;
    session.delete(&one)?;
    Ok(())
}
