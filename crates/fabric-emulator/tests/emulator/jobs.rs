//! Jobs: runs from 202 to their end, schedules, refusals.

use std::time::Duration;

use selvedge_fabric_emulator::{Config, demo};
use serde_json::{Value, json};

use crate::support::{Client, NOBODY, check};

const KEYS: [&str; 9] = [
    "id",
    "itemId",
    "jobType",
    "invokeType",
    "status",
    "failureReason",
    "rootActivityId",
    "startTimeUtc",
    "endTimeUtc",
];

fn cron() -> Value {
    json!({"enabled": true, "configuration": {"type": "Cron", "startDateTime": "2024-01-23T00:00:00",
        "endDateTime": "2024-10-07T23:59:00", "localTimeZoneId": "Central Standard Time", "interval": 10}})
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

#[tokio::test]
async fn g19_a_run_that_fails() {
    let client = Client::demo(Config::default()).await;
    let workspace = client.workspace("W").await;
    let notebook = client.item(&workspace, "Notebook", "n").await;
    client.emulator.inject("POST */jobs/instances=operation-fails,times=1".parse().unwrap());
    let started = client.post(&format!("{notebook}/jobs/instances?jobType=RunNotebook"), Value::Null).await;
    assert_eq!((started.status, started.text.as_str()), (202, ""));
    assert_eq!(started.header("content-type"), Some("application/octet-stream"));
    assert_eq!(started.header("retry-after"), Some("60"));
    assert_eq!(started.header("access-control-expose-headers"), Some("RequestId,Location,Retry-After"));
    assert_eq!(started.header("x-ms-operation-id"), None);
    let location = started.header("location").unwrap();
    let path = location.strip_prefix("http://localhost:8080").unwrap();
    assert_eq!(path.rsplit_once('/').unwrap().0, format!("{notebook}/jobs/instances"));

    let run = client.get(path).await;
    assert_eq!((run.status, run.keys()), (200, KEYS.to_vec()));
    let root = started.header("requestid").unwrap();
    let failure = json!({"requestId": root, "errorCode": "JobInstanceStatusFailed",
        "message": "Job instance failed without detail error", "isRetriable": false});
    for (key, value) in [
        ("id", json!(last(path))),
        ("itemId", json!(last(&notebook))),
        ("jobType", json!("RunNotebook")),
        ("invokeType", json!("Manual")),
        ("status", json!("Failed")),
        ("failureReason", failure),
        ("rootActivityId", json!(root)),
    ] {
        assert_eq!(run.json[key], value, "{key}");
    }
    let (start, end) = (run.json["startTimeUtc"].as_str().unwrap(), run.json["endTimeUtc"].as_str().unwrap());
    assert_eq!((start.len(), start.ends_with('Z'), start), (27, false, end));
    assert_eq!(run.header("retry-after"), None);

    // Only the one run was to fail.
    let again = client.post(&format!("{notebook}/jobs/RunNotebook/instances"), json!({})).await;
    let again = client.get(again.header("location").unwrap()).await;
    assert_eq!((&again.json["status"], &again.json["failureReason"]), (&json!("Completed"), &Value::Null));
    let listed = client.get(&format!("{notebook}/jobs/instances")).await;
    assert_eq!(listed.json["value"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_run_takes_its_time_unless_it_is_cancelled() {
    let config = Config { job_duration: Duration::from_secs(100), retry_after: 5, ..Config::default() };
    let client = Client::demo(config).await;
    client.emulator.freeze();
    let workspace = client.workspace("W").await;
    let pipeline = client.item(&workspace, "DataPipeline", "p").await;
    let start = async || {
        let started =
            client.post(&format!("{pipeline}/jobs/Pipeline/instances"), json!({"executionData": {}})).await;
        assert_eq!((started.status, started.header("retry-after")), (202, Some("15")));
        started.header("location").unwrap().to_owned()
    };
    let (first, second) = (start().await, start().await);
    for (seconds, status, again) in
        [(9, "NotStarted", Some("5")), (1, "InProgress", Some("5")), (89, "InProgress", Some("5"))]
    {
        client.emulator.advance(Duration::from_secs(seconds));
        let run = client.get(&first).await;
        assert_eq!((&run.json["status"], run.header("retry-after")), (&json!(status), again));
        assert_eq!(run.json["endTimeUtc"], Value::Null);
    }
    let path = second.strip_prefix("http://localhost:8080").unwrap();
    let cancelled = client.post(&format!("{path}/cancel"), Value::Null).await;
    assert_eq!((cancelled.status, cancelled.header("location")), (202, Some(second.as_str())));
    assert_eq!(cancelled.header("retry-after"), Some("15"));
    let run = client.get(&second).await;
    assert_eq!(run.json["status"], "Cancelled");
    let time = |key: &str| run.json[key].as_str().unwrap().parse::<String>().unwrap();
    assert!(time("startTimeUtc") < time("endTimeUtc"));
    client.emulator.advance(Duration::from_secs(1));
    assert_eq!(client.get(&first).await.json["status"], "Completed");
    let first = first.strip_prefix("http://localhost:8080").unwrap();
    check(
        &client,
        vec![
            ("POST", format!("{path}/cancel"), Value::Null, 400, "JobAlreadyCompleted"),
            ("POST", format!("{first}/cancel"), Value::Null, 400, "JobAlreadyCompleted"),
            ("GET", format!("{pipeline}/jobs/instances/{NOBODY}"), Value::Null, 404, "JobInstanceNotFound"),
            (
                "POST",
                format!("{pipeline}/jobs/instances/{NOBODY}/cancel"),
                Value::Null,
                404,
                "JobInstanceNotFound",
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_hundred_ended_runs_are_remembered() {
    let client = Client::demo(Config::default()).await;
    let workspace = client.workspace("W").await;
    let notebook = client.item(&workspace, "Notebook", "n").await;
    let run = format!("{notebook}/jobs/RunNotebook/instances");
    let first = client.post(&run, Value::Null).await;
    for _ in 0..100 {
        client.post(&run, Value::Null).await;
    }
    let listed = client.get(&format!("{notebook}/jobs/instances")).await;
    assert_eq!(listed.json["value"].as_array().unwrap().len(), 100);
    assert_eq!(client.get(first.header("location").unwrap()).await.status, 404);
}

#[tokio::test]
async fn each_type_of_item_has_its_jobs_and_typed_forms() {
    let client = Client::demo(Config::default()).await;
    let workspace = client.workspace("W").await;
    let notebook = client.item(&workspace, "Notebook", "n").await;
    let pipeline = client.item(&workspace, "DataPipeline", "p").await;
    let lakehouse = client.item(&workspace, "Lakehouse", "l").await;
    let spark = client.item(&workspace, "SparkJobDefinition", "s").await;
    let warehouse = client.item(&workspace, "Warehouse", "w").await;
    let run = |item: &str, job: &str| format!("{item}/jobs/{job}/instances");
    let typed = |collection: &str, item: &str, job: &str| {
        format!("{workspace}/{collection}/{}/jobs/{job}/instances", last(item))
    };
    let none = Value::Null;
    let table = || json!({"executionData": {"tableName": "t", "optimizeSettings": {"vOrder": true}}});
    check(
        &client,
        vec![
            ("POST", run(&notebook, "runnotebook"), none.clone(), 202, ""),
            ("POST", run(&notebook, "Pipeline"), none.clone(), 400, "InvalidJobType"),
            ("POST", run(&pipeline, "RunNotebook"), none.clone(), 400, "InvalidJobType"),
            ("POST", run(&warehouse, "Execute"), none.clone(), 400, "InvalidJobType"),
            ("POST", run(&warehouse, "DefaultJob"), none.clone(), 202, ""),
            ("POST", format!("{pipeline}/jobs/instances"), none.clone(), 400, "InvalidJobType"),
            ("POST", run(&lakehouse, "TableMaintenance"), table(), 202, ""),
            ("POST", run(&lakehouse, "TableMaintenance"), none.clone(), 400, "InvalidInput"),
            ("POST", typed("lakehouses", &lakehouse, "tableMaintenance"), table(), 202, ""),
            ("POST", typed("lakehouses", &lakehouse, "refreshMaterializedLakeViews"), none.clone(), 202, ""),
            (
                "POST",
                typed("notebooks", &notebook, "execute") + "?beta=false",
                json!({"parameters": []}),
                202,
                "",
            ),
            ("POST", typed("sparkJobDefinitions", &spark, "sparkjob"), none.clone(), 202, ""),
            ("POST", typed("dataPipelines", &pipeline, "execute"), none.clone(), 202, ""),
            ("GET", typed("dataPipelines", &pipeline, "execute"), none.clone(), 200, ""),
            // The item of another type is not in the collection.
            ("POST", typed("dataPipelines", &notebook, "execute"), none.clone(), 404, "ItemNotFound"),
            ("GET", typed("dataPipelines", &notebook, "execute"), none.clone(), 404, "ItemNotFound"),
            (
                "POST",
                run(&format!("{workspace}/items/{NOBODY}"), "Pipeline"),
                none.clone(),
                404,
                "ItemNotFound",
            ),
            ("POST", format!("{workspace}/unassignFromCapacity"), none.clone(), 202, ""),
            ("POST", run(&notebook, "RunNotebook"), none, 403, "FeatureNotAvailable"),
        ],
    )
    .await;
    let listed = client.get(&typed("dataPipelines", &pipeline, "execute")).await;
    assert_eq!(listed.json["value"][0]["jobType"], "Execute");
    let one = format!(
        "{}/{}",
        typed("dataPipelines", &pipeline, "execute"),
        listed.json["value"][0]["id"].as_str().unwrap()
    );
    assert_eq!(client.get(&one).await.keys(), KEYS);
}

#[tokio::test]
async fn schedules_are_kept() {
    let client = Client::demo(Config::default()).await;
    let workspace = client.workspace("W").await;
    let notebook = client.item(&workspace, "Notebook", "n").await;
    let schedules = format!("{notebook}/jobs/RunNotebook/schedules");
    let before = client.hash();
    let made = client.post(&schedules, cron()).await;
    assert_eq!(
        (made.status, made.keys()),
        (201, vec!["id", "enabled", "createdDateTime", "configuration", "owner"])
    );
    let one = format!("{schedules}/{}", made.id());
    assert_eq!(made.header("location"), Some(format!("http://localhost:8080{one}").as_str()));
    assert_eq!(made.json["owner"], json!({"id": demo::CALLER_ID, "type": "ServicePrincipal"}));
    assert_eq!(made.json["configuration"].to_string(), cron()["configuration"].to_string());
    assert_eq!(client.get(&one).await.text, made.text);
    assert_ne!(client.hash(), before);

    let mut off = cron();
    off["enabled"] = false.into();
    off["executionData"] = json!({"a": 1});
    let changed = client.send("PATCH", &one, off).await;
    assert_eq!((changed.status, &changed.json["enabled"]), (200, &json!(false)));
    assert_eq!(changed.json["executionData"], json!({"a": 1}));
    let listed = client.get(&schedules).await;
    assert_eq!(listed.json, json!({"value": [changed.json]}));
    // Each type of job has its own.
    assert_eq!(client.get(&format!("{notebook}/jobs/Execute/schedules")).await.json, json!({"value": []}));
    let gone = client.send("DELETE", &one, Value::Null).await;
    assert_eq!((gone.status, gone.text.as_str(), client.hash()), (200, "", before));
    let refused = client.send("DELETE", &one, Value::Null).await;
    assert_eq!((refused.status, refused.code()), (404, "ScheduleNotFound"));
    assert_eq!(refused.keys(), ["requestId", "errorCode", "message", "isRetriable"]);
    assert_eq!(refused.json["message"], "The requested item schedule not found");
}

#[tokio::test]
async fn schedules_are_checked() {
    let client = Client::demo(Config::default()).await;
    let workspace = client.workspace("W").await;
    let pipeline = client.item(&workspace, "DataPipeline", "p").await;
    let schedules = || format!("{workspace}/dataPipelines/{}/jobs/execute/schedules", last(&pipeline));
    let with = |change: Value| {
        let mut body = cron();
        body["configuration"].as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        body
    };
    let mut cases = Vec::new();
    for change in [
        json!({"type": "Daily", "times": ["09:00", "23:59"]}),
        json!({"type": "Weekly", "times": ["09:00"], "weekdays": ["Monday", "Sunday"]}),
        json!({"type": "Monthly", "times": ["09:00"], "recurrence": 1,
            "occurrence": {"occurrenceType": "DayOfMonth", "dayOfMonth": 2}}),
    ] {
        cases.push(("POST", schedules(), with(change), 201, ""));
    }
    for change in [
        json!({"type": "Hourly"}),
        json!({"interval": 0}),
        json!({"interval": 5_270_401}),
        json!({"endDateTime": "2023-10-07T23:59:00"}),
        json!({"localTimeZoneId": null}),
        json!({"type": "Daily"}),
        json!({"type": "Daily", "times": ["24:00"]}),
        json!({"type": "Daily", "times": ["9:00"]}),
        json!({"type": "Weekly", "times": ["09:00"], "weekdays": ["Someday"]}),
        json!({"type": "Weekly", "times": ["09:00"], "weekdays": []}),
        json!({"type": "Monthly", "times": ["09:00"], "recurrence": 1}),
    ] {
        cases.push(("POST", schedules(), with(change), 400, "InvalidInput"));
    }
    cases.push(("POST", schedules(), json!({"configuration": {}}), 400, "InvalidInput"));
    cases.push(("POST", format!("{pipeline}/jobs/RunNotebook/schedules"), cron(), 400, "InvalidJobType"));
    for _ in 3..20 {
        cases.push(("POST", schedules(), cron(), 201, ""));
    }
    cases.push(("POST", schedules(), cron(), 400, "ScheduleExceedsLimit"));
    check(&client, cases).await;
}
