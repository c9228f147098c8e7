//! A whole tenant as data, to be put back later or elsewhere.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::duration;
use crate::operations::Operation;
use crate::service::BoxError;
use crate::state::State;
use crate::world::World;

/// The format that is written. It is raised by every change that an older emulator would not understand, and what it was
/// before is not read.
const FORMAT: u32 = 3;

/// A tenant at one moment: the world with all that was deleted, committed or is still to come, the clock, and the
/// operations that are over, for clients that have not asked for their results yet.
///
/// Not in it are tokens, settings, faults, holds and the request log: they are the emulator's. Who restores one in another
/// emulator has to get new tokens; the secrets and passwords by which to get them are in it, so keep it as they are kept.
///
/// It is for serde to write and read; JSON is best read by [`Snapshot::from_json`]. What it looks like inside is not
/// promised, but for its `formatVersion`: a version of the emulator that would read another one wrongly refuses it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Snapshot {
    #[serde(deserialize_with = "known_format")]
    format_version: u32,
    /// Whether the clock stood still. What it said, the world says.
    frozen: bool,
    #[serde(deserialize_with = "whole_world")]
    world: World,
    operations: BTreeMap<Uuid, Operation>,
}

/// A snapshot cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("read the snapshot")]
pub struct SnapshotError(#[source] BoxError);

/// A snapshot cannot be taken now: something is under way that is not written down. It ends by itself, or at once when the
/// clock is advanced.
#[derive(Debug, thiserror::Error)]
#[error(
    "take a snapshot: {} under way, for {} yet; wait as long, or advance the clock by that",
    under_way(.operations, *.requests), duration::write(up_to_seconds(*.ends_in))
)]
pub struct UnderWay {
    operations: Vec<Uuid>,
    requests: usize,
    ends_in: Duration,
}

/// Without what is in the tenant: there are secrets in it.
impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { format_version, frozen, .. } = self;
        let mut debug = f.debug_struct("Snapshot");
        debug.field("format_version", format_version).field("frozen", frozen).finish_non_exhaustive()
    }
}

impl Snapshot {
    pub(crate) fn of(state: &State, frozen: bool) -> Result<Self, UnderWay> {
        if let Some((operations, requests, last)) = state.under_way() {
            let ends_in = Duration::try_from(last - state.world.now).unwrap_or_default();
            return Err(UnderWay { operations, requests, ends_in });
        }
        let (world, operations) = (state.world.clone(), state.operations.all().clone());
        Ok(Self { format_version: FORMAT, frozen, world, operations })
    }

    /// Reads JSON.
    ///
    /// # Errors
    /// It is no JSON, is not of this format, or is no world that could be: the error says where.
    pub fn from_json(text: &[u8]) -> Result<Self, SnapshotError> {
        let mut json = serde_json::Deserializer::from_slice(text);
        let read =
            serde_path_to_error::deserialize(&mut json).map_err(|error| SnapshotError(error.into()))?;
        json.end().map_err(|error| SnapshotError(error.into()))?;
        Ok(read)
    }

    pub(crate) fn put_into(&self, state: &mut State) {
        state.replace(self.world.clone(), self.operations.clone().into());
    }

    /// What the clock said, and whether it stood still.
    pub(crate) fn clock(&self) -> (OffsetDateTime, bool) {
        (self.world.now, self.frozen)
    }
}

impl UnderWay {
    /// How far the tenant's clock has to go on until nothing of it is under way any more.
    pub fn ends_in(&self) -> Duration {
        self.ends_in
    }
}

fn under_way(operations: &[Uuid], requests: usize) -> String {
    let operations = operations.iter().map(|id| format!("operation {id}"));
    let requests = (requests > 0).then(|| format!("{requests} late requests"));
    operations.chain(requests).collect::<Vec<_>>().join(", ")
}

fn up_to_seconds(duration: Duration) -> Duration {
    Duration::from_secs(duration.as_secs() + u64::from(duration.subsec_nanos() > 0))
}

fn known_format<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    match u32::deserialize(from)? {
        FORMAT => Ok(FORMAT),
        other => {
            Err(D::Error::custom(format!("version {other} of the format is not known, only {FORMAT} is")))
        }
    }
}

/// A world that keeps to what every request takes for granted.
fn whole_world<'de, D: Deserializer<'de>>(from: D) -> Result<World, D::Error> {
    let world = World::deserialize(from)?;
    world.check().map_err(D::Error::custom)?;
    Ok(world)
}
