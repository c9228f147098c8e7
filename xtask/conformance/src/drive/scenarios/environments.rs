//! Environments: what is staged, what is published.

use super::*;

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        scenario("environments: published", published),
        scenario("environments: published (beta)", published_beta),
        scenario("environments: cancelled", cancelled),
        scenario("environments: compute", compute),
        scenario("environments: compute (beta)", compute_beta),
        scenario("environments: libraries", libraries),
        scenario("environments: external libraries", external_libraries),
        scenario("environments: no libraries", no_libraries),
        scenario("environments: refused", refused),
        scenario("environments: published twice", published_twice),
    ]
}

fn made(session: &mut Session<'_>) -> Step<String> {
    let all = format!("{}/environments", workspace(session)?);
    Ok(format!("{all}/{}", id(&session.post(&all, json!({"displayName": "Spark"}))?)?))
}

fn published(session: &mut Session<'_>) -> Step {
    let one = made(session)?;
    session.patch(&format!("{one}/staging/sparkcompute?beta=false"), json!({"driverCores": 4}))?;
    session.post(&format!("{one}/staging/publish?beta=false"), NOTHING)?;
    session.get(&one)?;
    // Nothing is left to publish.
    session.post(&format!("{one}/staging/publish?beta=false"), NOTHING)?;
    Ok(())
}

fn published_beta(session: &mut Session<'_>) -> Step {
    let one = made(session)?;
    session.post(&format!("{one}/staging/publish?beta=true"), NOTHING)?;
    session.get(&one)?;
    Ok(())
}

fn cancelled(session: &mut Session<'_>) -> Step {
    let one = made(session)?;
    session.patch(&format!("{one}/staging/sparkcompute?beta=false"), json!({"driverCores": 4}))?;
    session.post_unfinished(&format!("{one}/staging/publish?beta=true"), NOTHING)?;
    session.post_or_refused(&format!("{one}/staging/cancelPublish"), NOTHING, "InvalidEnvironmentCancel")
}

fn compute(session: &mut Session<'_>) -> Step {
    let one = made(session)?;
    let (staged, live) = ("staging/sparkcompute?beta=false", "sparkcompute?beta=false");
    session.get(&format!("{one}/{live}"))?;
    session.get(&format!("{one}/{staged}"))?;
    let body = json!({
        "driverCores": 8, "driverMemory": "56g", "executorCores": 8, "executorMemory": "56g",
        "dynamicExecutorAllocation": {"enabled": true, "minExecutors": 1, "maxExecutors": 2},
        "sparkProperties": [{"key": "spark.acls.enable", "value": "false"}], "runtimeVersion": "1.3",
    });
    session.patch(&format!("{one}/{staged}"), body)?;
    session.get(&format!("{one}/{staged}"))?;
    Ok(())
}

fn compute_beta(session: &mut Session<'_>) -> Step {
    let one = made(session)?;
    let (staged, live) = ("staging/sparkcompute?beta=true", "sparkcompute?beta=true");
    session.get(&format!("{one}/{live}"))?;
    session.get(&format!("{one}/{staged}"))?;
    let body = json!({
        "driverCores": 8, "driverMemory": "56g", "executorCores": 8, "executorMemory": "56g",
        "sparkProperties": {"spark.acls.enable": "false"}, "runtimeVersion": "1.3",
    });
    session.patch(&format!("{one}/{staged}"), body)?;
    session.get(&format!("{one}/{staged}"))?;
    Ok(())
}

fn libraries(session: &mut Session<'_>) -> Step {
    let one = made(session)?;
    let wheel = format!("{one}/staging/libraries/tools-1.0-py3-none-any.whl");
    session.upload(&wheel, b"a wheel")?;
    session.list_of(&format!("{one}/staging/libraries?beta=false"), "libraries")?;
    session.get(&format!("{one}/staging/libraries?beta=true"))?;
    session.post(&format!("{one}/staging/publish?beta=false"), NOTHING)?;
    session.wait(600)?;
    session.list_of(&format!("{one}/libraries?beta=false"), "libraries")?;
    session.get(&format!("{one}/libraries?beta=true"))?;
    session.delete(&wheel)?;
    Ok(())
}

fn external_libraries(session: &mut Session<'_>) -> Step {
    let one = made(session)?;
    let staged = format!("{one}/staging/libraries");
    let listed = b"dependencies:\n  - pip:\n      - fuzzywuzzy==0.18.0\n";
    session.upload(&format!("{staged}/importExternalLibraries"), listed)?;
    session.get(&format!("{staged}/exportExternalLibraries"))?;
    session.post(&format!("{one}/staging/publish?beta=false"), NOTHING)?;
    session.wait(600)?;
    session.get(&format!("{one}/libraries/exportExternalLibraries"))?;
    let body = json!({"name": "fuzzywuzzy", "version": "0.18.0"});
    session.post(&format!("{staged}/removeExternalLibrary"), body)?;
    Ok(())
}

fn no_libraries(session: &mut Session<'_>) -> Step {
    let one = made(session)?;
    let none = "EnvironmentLibrariesNotFound";
    let lists = ["libraries?beta=false", "libraries?beta=true", "libraries/exportExternalLibraries"];
    for list in lists {
        session.refused("GET", &format!("{one}/{list}"), NOTHING, none)?;
        session.refused("GET", &format!("{one}/staging/{list}"), NOTHING, none)?;
    }
    Ok(())
}

fn refused(session: &mut Session<'_>) -> Step {
    let one = made(session)?;
    let staged = format!("{one}/staging/libraries");
    let invalid = "EnvironmentValidationFailed";
    session.upload_refused(&format!("{staged}/tools.exe"), b"no library", invalid)?;
    session.upload_refused(&format!("{staged}/importExternalLibraries"), b"\xff", invalid)?;
    session.refused("DELETE", &format!("{staged}/tools.whl"), NOTHING, invalid)?;
    let gone = json!({"name": "fuzzywuzzy", "version": "0.18.0"});
    session.refused("POST", &format!("{staged}/removeExternalLibrary"), gone, invalid)
}

/// Only while one publish is under way is another refused.
fn published_twice(session: &mut Session<'_>) -> Step {
    let one = made(session)?;
    for (query, cores) in [("beta=false", 4), ("beta=true", 16)] {
        session.patch(&format!("{one}/staging/sparkcompute?beta=false"), json!({"driverCores": cores}))?;
        session.post_unfinished(&format!("{one}/staging/publish?{query}"), NOTHING)?;
        session.post_or_refused(
            &format!("{one}/staging/publish?{query}"),
            NOTHING,
            "InvalidEnvironmentPublish",
        )?;
        session.wait(600)?;
    }
    Ok(())
}
