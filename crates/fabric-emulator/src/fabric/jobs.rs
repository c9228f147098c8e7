//! `/v1/workspaces/{id}/items/{id}/jobs`: runs of jobs and schedules, also under typed collections.

use http::header;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Answer, Call, Row};
use crate::catalogue::Evidence::{Recorded, Spec};
use crate::wire::{Incoming, Reply, timestamp};
use crate::world::{ApiError, Job, JobRun, JobStatus, Schedule, ScheduleInput, World};

macro_rules! job {
    ($collection:literal, $rest:literal) => {
        concat!("/v1/workspaces/{workspaceId}/", $collection, "/jobs/", $rest)
    };
}

#[rustfmt::skip]
pub(super) const ROUTES: &[Row] = &[
    Row::new("POST", job!("items/{itemId}", "{jobType}/instances"), Spec, run).long(),
    // The older form, which the documents mention and Microsoft's own command line sends.
    Row::new("POST", job!("items/{itemId}", "instances"), Recorded, run).long(),
    Row::new("GET", job!("items/{itemId}", "instances"), Spec, list),
    Row::new("GET", job!("items/{itemId}", "instances/{jobInstanceId}"), Recorded, get),
    Row::new("POST", job!("items/{itemId}", "instances/{jobInstanceId}/cancel"), Recorded, cancel),
    Row::new("GET", job!("items/{itemId}", "{jobType}/schedules"), Recorded, list_schedules),
    Row::new("POST", job!("items/{itemId}", "{jobType}/schedules"), Recorded, create_schedule),
    Row::new("GET", job!("items/{itemId}", "{jobType}/schedules/{scheduleId}"), Recorded, get_schedule),
    Row::new("PATCH", job!("items/{itemId}", "{jobType}/schedules/{scheduleId}"), Recorded, update_schedule),
    Row::new("DELETE", job!("items/{itemId}", "{jobType}/schedules/{scheduleId}"), Recorded, delete_schedule),
    Row::new("POST", job!("notebooks/{notebookId}", "execute/instances"), Spec, run_of_type).long(),
    Row::new("POST", job!("sparkJobDefinitions/{sparkJobDefinitionId}", "sparkjob/instances"), Spec, run_of_type).long(),
    Row::new("POST", job!("lakehouses/{lakehouseId}", "tableMaintenance/instances"), Spec, run_of_type).long(),
    Row::new("POST", job!("lakehouses/{lakehouseId}", "refreshMaterializedLakeViews/instances"), Spec, run_of_type).long(),
    Row::new("POST", job!("lakehouses/{lakehouseId}", "refreshMaterializedLakeViews/schedules"), Spec, create_schedule),
    Row::new("PATCH", job!("lakehouses/{lakehouseId}", "refreshMaterializedLakeViews/schedules/{scheduleId}"), Spec, update_schedule),
    Row::new("DELETE", job!("lakehouses/{lakehouseId}", "refreshMaterializedLakeViews/schedules/{scheduleId}"), Spec, delete_schedule),
    Row::new("POST", job!("dataPipelines/{dataPipelineId}", "execute/instances"), Spec, run).long(),
    Row::new("GET", job!("dataPipelines/{dataPipelineId}", "execute/instances"), Spec, list),
    Row::new("GET", job!("dataPipelines/{dataPipelineId}", "execute/instances/{jobInstanceId}"), Spec, get),
    Row::new("GET", job!("dataPipelines/{dataPipelineId}", "execute/schedules"), Spec, list_schedules),
    Row::new("POST", job!("dataPipelines/{dataPipelineId}", "execute/schedules"), Spec, create_schedule),
    Row::new("GET", job!("dataPipelines/{dataPipelineId}", "execute/schedules/{scheduleId}"), Spec, get_schedule),
    Row::new("PATCH", job!("dataPipelines/{dataPipelineId}", "execute/schedules/{scheduleId}"), Spec, update_schedule),
    Row::new("DELETE", job!("dataPipelines/{dataPipelineId}", "execute/schedules/{scheduleId}"), Spec, delete_schedule),
];

/// The segment of every path above that names the type of the job, but for the older form of a run.
const JOB_TYPE: usize = 6;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RunBody {
    execution_data: Option<Value>,
}

fn run(call: &mut Call<'_>) -> Answer {
    let (caller, workspace, id, request) = (call.caller, call.workspace()?, call.item()?, call.request);
    call.typed_item()?;
    let job_type = job_type(request);
    let body: RunBody = request.parse()?;
    // The one job whose documents ask for anything.
    let table = body.execution_data.as_ref().and_then(|data| data.get("tableName")?.as_str());
    if job_type.eq_ignore_ascii_case("TableMaintenance") && table.is_none() {
        return Err(ApiError::invalid("executionData.tableName", "is required"));
    }
    let run = JobRun {
        job_type,
        takes: call.config.job_duration,
        fails: call.tweaks.operation.is_some(),
        root_activity: call.request_id,
    };
    let job = call.world().run_job(caller, workspace, id, &run)?;
    Ok(accepted(call, workspace, id, job))
}

/// As [`run`]: the documents of these have another word for a caller who may not.
fn run_of_type(call: &mut Call<'_>) -> Answer {
    run(call).map_err(|error| match error.code {
        "InsufficientPrivileges" => ApiError { code: "MissingMinimalPermissions", ..error },
        _ => error,
    })
}

fn cancel(call: &mut Call<'_>) -> Answer {
    let (caller, workspace, id) = (call.caller, call.workspace()?, call.item()?);
    let job = call.id("jobInstanceId")?;
    call.world().cancel_job(caller, workspace, id, job)?;
    Ok(accepted(call, workspace, id, job))
}

/// Names the run under `items`, whatever collection was asked. The service says 60 s where it says 20 of operations.
fn accepted(call: &Call<'_>, workspace: Uuid, item: Uuid, job: Uuid) -> Reply {
    let path = format!("/v1/workspaces/{workspace}/items/{item}/jobs/instances/{job}");
    Reply::empty(202)
        .header(header::LOCATION, call.request.absolute(&path))
        .header(header::RETRY_AFTER, call.config.retry_after.saturating_mul(3).to_string())
}

fn list(call: &mut Call<'_>) -> Answer {
    let (_, world, item) = call.typed_item()?;
    let jobs = item.contents.jobs.iter().map(|job| job_json(world, item.id, job)).collect();
    call.list(jobs)
}

fn get(call: &mut Call<'_>) -> Answer {
    let (caller, workspace, id) = (call.caller, call.workspace()?, call.item()?);
    let (job, again) = (call.id("jobInstanceId")?, call.config.retry_after);
    call.typed_item()?;
    let world = &*call.world();
    let job = world.job(caller, workspace, id, job)?;
    let reply = Reply::json(200, job_json(world, id, job));
    Ok(match job.ended(world.now) {
        Some(_) => reply,
        None => reply.header(header::RETRY_AFTER, again.to_string()),
    })
}

/// The keys in the order recorded.
fn job_json(world: &World, item: Uuid, job: &Job) -> Value {
    let status = job.status(world.now);
    let failure = (status == JobStatus::Failed).then(|| {
        json!({
            "requestId": job.root_activity,
            "errorCode": "JobInstanceStatusFailed",
            "message": "Job instance failed without detail error",
            "isRetriable": false,
        })
    });
    json!({
        "id": job.id,
        "itemId": item,
        "jobType": job.job_type,
        "invokeType": "Manual",
        "status": status.name(),
        "failureReason": failure,
        "rootActivityId": job.root_activity,
        "startTimeUtc": timestamp(job.started),
        "endTimeUtc": job.ended(world.now).map(timestamp),
    })
}

fn list_schedules(call: &mut Call<'_>) -> Answer {
    let (caller, workspace, id, job_type) =
        (call.caller, call.workspace()?, call.item()?, job_type(call.request));
    call.typed_item()?;
    let world = &*call.world();
    let schedules = world.schedules(caller, workspace, id, job_type)?;
    let listed = schedules.map(|schedule| schedule_json(world, schedule)).collect();
    call.list(listed)
}

fn create_schedule(call: &mut Call<'_>) -> Answer {
    let (caller, workspace, id, job_type) =
        (call.caller, call.workspace()?, call.item()?, job_type(call.request));
    call.typed_item()?;
    let new: ScheduleInput = call.request.parse()?;
    let schedule = call.world().create_schedule(caller, workspace, id, job_type, new)?;
    let json = schedule_json(call.world(), &schedule);
    call.created(schedule.id, json)
}

fn get_schedule(call: &mut Call<'_>) -> Answer {
    let schedule = schedule(call)?;
    Ok(Reply::json(200, schedule_json(call.world(), &schedule)))
}

fn update_schedule(call: &mut Call<'_>) -> Answer {
    let (caller, workspace, id) = (call.caller, call.workspace()?, call.item()?);
    let schedule = schedule(call)?;
    let content: ScheduleInput = call.request.parse()?;
    let schedule = call.world().update_schedule(caller, workspace, id, schedule.id, content)?;
    Ok(Reply::json(200, schedule_json(call.world(), &schedule)))
}

fn delete_schedule(call: &mut Call<'_>) -> Answer {
    let (caller, workspace, id) = (call.caller, call.workspace()?, call.item()?);
    let schedule = schedule(call)?;
    call.world().delete_schedule(caller, workspace, id, schedule.id)?;
    Ok(Reply::empty(200))
}

/// The schedule in the path, of the type of job there.
fn schedule(call: &mut Call<'_>) -> Result<Schedule, ApiError> {
    let (caller, workspace, id) = (call.caller, call.workspace()?, call.item()?);
    let (job_type, schedule) = (job_type(call.request), call.id("scheduleId")?);
    call.typed_item()?;
    Ok(call.world().schedule(caller, workspace, id, job_type, schedule)?.clone())
}

fn job_type(request: &Incoming) -> &str {
    match request.segments.get(JOB_TYPE).map(String::as_str) {
        Some(older) if older.eq_ignore_ascii_case("instances") => {
            request.query("jobType").unwrap_or_default()
        }
        job_type => job_type.unwrap_or_default(),
    }
}

fn schedule_json(world: &World, schedule: &Schedule) -> Value {
    let mut json = json!({
        "id": schedule.id,
        "enabled": schedule.content.enabled,
        "createdDateTime": timestamp(schedule.created),
        "configuration": schedule.content.configuration,
    });
    if let Some(data) = &schedule.content.execution_data {
        json["executionData"] = data.clone();
    }
    let owner = world.principal(schedule.owner).map(|owner| owner.kind.name());
    json["owner"] = json!({"id": schedule.owner, "type": owner});
    json
}
