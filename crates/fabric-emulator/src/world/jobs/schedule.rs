//! Schedules of jobs. They are kept and shown; nothing runs by them.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

use super::job_type;
use crate::world::{ApiError, Role, World};

/// Schedules that an item can have.
const MAX_SCHEDULES: usize = 20;
/// Times of day in one schedule.
const MAX_TIMES: usize = 100;
/// The longest interval in minutes: ten years.
const MAX_INTERVAL: u64 = 5_270_400;
const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

#[derive(Clone)]
pub(crate) struct Schedule {
    pub(crate) id: Uuid,
    pub(crate) job_type: &'static str,
    pub(crate) created: OffsetDateTime,
    /// Who made it or changed it last.
    pub(crate) owner: Uuid,
    pub(crate) content: ScheduleInput,
}

/// What a create or an update says; an update replaces all of it.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ScheduleInput {
    pub(crate) enabled: bool,
    pub(crate) configuration: Map<String, Value>,
    pub(crate) execution_data: Option<Value>,
}

impl Schedule {
    pub(in crate::world) fn inventory(&self) -> Value {
        json!({
            "jobType": self.job_type,
            "enabled": self.content.enabled,
            "configuration": self.content.configuration,
            "executionData": self.content.execution_data,
            "owner": self.owner,
        })
    }
}

impl ScheduleInput {
    /// `ScheduleConfig` of `job_scheduling.json` in Microsoft's OpenAPI documents.
    fn check(&self) -> Result<(), ApiError> {
        let text = |field| self.configuration.get(field).and_then(Value::as_str);
        for field in ["startDateTime", "endDateTime", "localTimeZoneId"] {
            text(field).filter(|text| !text.is_empty()).ok_or_else(|| invalid(field, "is required"))?;
        }
        // Both are in UTC and of one form, so that the later one is the greater text.
        if text("endDateTime") <= text("startDateTime") {
            return Err(invalid("endDateTime", "must be later than startDateTime"));
        }
        match text("type") {
            Some("Cron") => self.check_number("interval", MAX_INTERVAL),
            Some("Daily") => self.check_times(),
            Some("Weekly") => {
                self.check_list("weekdays", WEEKDAYS.len(), |day| WEEKDAYS.contains(&day))?;
                self.check_times()
            }
            Some("Monthly") => {
                self.check_number("recurrence", u64::MAX)?;
                match self.configuration.get("occurrence") {
                    Some(Value::Object(_)) => self.check_times(),
                    _ => Err(invalid("occurrence", "is required")),
                }
            }
            _ => Err(invalid("type", "is missing or has an invalid value")),
        }
    }

    fn check_number(&self, field: &str, max: u64) -> Result<(), ApiError> {
        let number = self.configuration.get(field).and_then(Value::as_u64);
        match number.is_some_and(|number| (1..=max).contains(&number)) {
            true => Ok(()),
            false => Err(invalid(field, &format!("must be a number from 1 to {max}"))),
        }
    }

    fn check_times(&self) -> Result<(), ApiError> {
        let is_time = |text: &str| {
            let parts = text.split_once(':').map(|(hour, minute)| (hour.parse::<u8>(), minute.parse::<u8>()));
            matches!(parts, Some((Ok(..24), Ok(..60)))) && text.len() == "hh:mm".len()
        };
        self.check_list("times", MAX_TIMES, is_time)
    }

    fn check_list(&self, field: &str, max: usize, is_good: impl Fn(&str) -> bool) -> Result<(), ApiError> {
        let list = self.configuration.get(field).and_then(Value::as_array);
        let list = list.filter(|list| (1..=max).contains(&list.len()));
        match list.is_some_and(|list| list.iter().all(|entry| entry.as_str().is_some_and(&is_good))) {
            true => Ok(()),
            false => Err(invalid(field, &format!("must be a list of 1 to {max} valid entries"))),
        }
    }
}

impl World {
    /// The schedules of an item for one type of job.
    pub(crate) fn schedules(
        &self,
        caller: Uuid,
        workspace: Uuid,
        item: Uuid,
        asked: &str,
    ) -> Result<impl Iterator<Item = &Schedule>, ApiError> {
        let item = self.workspace(caller, workspace, Role::Viewer)?.item(item)?;
        let job_type = job_type(item.kind, asked)?;
        Ok(item.contents.schedules.iter().filter(move |schedule| schedule.job_type == job_type))
    }

    pub(crate) fn schedule(
        &self,
        caller: Uuid,
        workspace: Uuid,
        item: Uuid,
        asked: &str,
        id: Uuid,
    ) -> Result<&Schedule, ApiError> {
        let mut schedules = self.schedules(caller, workspace, item, asked)?;
        schedules.find(|schedule| schedule.id == id).ok_or_else(no_schedule)
    }

    pub(crate) fn create_schedule(
        &mut self,
        caller: Uuid,
        workspace: Uuid,
        item: Uuid,
        asked: &str,
        content: ScheduleInput,
    ) -> Result<Schedule, ApiError> {
        let holder = self.workspace(caller, workspace, Role::Contributor)?.item(item)?;
        let job_type = job_type(holder.kind, asked)?;
        content.check()?;
        if holder.contents.schedules.len() >= MAX_SCHEDULES {
            let message = "The number of created schedules for the item exceeds the limit";
            return Err(ApiError::new(400, "ScheduleExceedsLimit", message).retriable(false));
        }
        let schedule = Schedule { id: Uuid::new_v4(), job_type, created: self.now, owner: caller, content };
        let item = self.workspace_mut(caller, workspace, Role::Contributor)?.item_mut(item)?;
        item.contents.schedules.push(schedule.clone());
        Ok(schedule)
    }

    pub(crate) fn update_schedule(
        &mut self,
        caller: Uuid,
        workspace: Uuid,
        item: Uuid,
        id: Uuid,
        content: ScheduleInput,
    ) -> Result<Schedule, ApiError> {
        content.check()?;
        let item = self.workspace_mut(caller, workspace, Role::Contributor)?.item_mut(item)?;
        let schedule = item.contents.schedules.iter_mut().find(|schedule| schedule.id == id);
        let schedule = schedule.ok_or_else(no_schedule)?;
        (schedule.owner, schedule.content) = (caller, content);
        Ok(schedule.clone())
    }

    pub(crate) fn delete_schedule(
        &mut self,
        caller: Uuid,
        workspace: Uuid,
        item: Uuid,
        id: Uuid,
    ) -> Result<(), ApiError> {
        let item = self.workspace_mut(caller, workspace, Role::Contributor)?.item_mut(item)?;
        item.contents.schedules.retain(|schedule| schedule.id != id);
        Ok(())
    }
}

fn invalid(field: &str, why: &str) -> ApiError {
    ApiError::invalid(&format!("configuration.{field}"), why)
}

fn no_schedule() -> ApiError {
    ApiError::new(404, "ScheduleNotFound", "The requested item schedule not found").retriable(false)
}
