//! `/_emulator/settings`: the rules that can be changed while the tenant runs.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::config::{Config, LongRunning, Quotas};
use crate::duration;
use crate::emulator::Shared;
use crate::service::BoxError;
use crate::wire::{Incoming, Reply};

/// The fields of [`Config`] that are rules, and not who the tenant is.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Settings {
    page_size: Option<usize>,
    #[serde(with = "duration")]
    operation_duration: Duration,
    #[serde(with = "duration")]
    job_duration: Duration,
    retry_after: u32,
    long_running: LongRunning,
    #[serde(with = "duration")]
    name_reservation: Duration,
    reservation_status: u16,
    item_recovery: bool,
    max_items: usize,
    #[serde(with = "duration")]
    child_delay: Duration,
    #[serde(with = "duration")]
    capacity_assignment: Duration,
    #[serde(with = "duration")]
    secret_deletion: Duration,
    quotas: Quotas,
    foreign_location: bool,
}

impl Settings {
    fn of(config: &Config) -> Self {
        Self {
            page_size: config.page_size,
            operation_duration: config.operation_duration,
            job_duration: config.job_duration,
            retry_after: config.retry_after,
            long_running: config.long_running,
            name_reservation: config.name_reservation,
            reservation_status: config.reservation_status,
            item_recovery: config.item_recovery,
            max_items: config.max_items,
            child_delay: config.child_delay,
            capacity_assignment: config.capacity_assignment,
            secret_deletion: config.secret_deletion,
            quotas: config.quotas,
            foreign_location: config.foreign_location,
        }
    }

    fn put_into(self, config: Config) -> Config {
        Config {
            page_size: self.page_size,
            operation_duration: self.operation_duration,
            job_duration: self.job_duration,
            retry_after: self.retry_after,
            long_running: self.long_running,
            name_reservation: self.name_reservation,
            reservation_status: self.reservation_status,
            item_recovery: self.item_recovery,
            max_items: self.max_items,
            child_delay: self.child_delay,
            capacity_assignment: self.capacity_assignment,
            secret_deletion: self.secret_deletion,
            quotas: self.quotas,
            foreign_location: self.foreign_location,
            ..config
        }
    }
}

pub(super) fn show(shared: &Shared) -> Reply {
    Reply::json(200, json!(Settings::of(&shared.config())))
}

/// What the body does not name stays as it is.
pub(super) fn change(shared: &Shared, request: &Incoming) -> Result<Reply, BoxError> {
    let changes: Map<String, Value> = serde_json::from_slice(&request.body)?;
    let config = shared.config();
    let mut settings = serde_json::to_value(Settings::of(&config))?;
    for (name, value) in changes {
        settings[name] = value;
    }
    let settings = Settings::deserialize(settings)?;
    if !(400..600).contains(&settings.reservation_status) {
        return Err("`reservationStatus` must be the status of an error".into());
    }
    if settings.page_size == Some(0) {
        return Err("`pageSize` must be at least 1, or null".into());
    }
    shared.configure(settings.put_into((*config).clone()));
    Ok(show(shared))
}
