//! Worlds as they were, for reads that lag behind.

use std::collections::VecDeque;
use std::time::Duration;

use time::OffsetDateTime;

use crate::world::World;

/// Keeps nothing until somebody looks back: whoever wants no lag pays for none.
#[derive(Default)]
pub(crate) struct Past {
    /// The farthest look back so far.
    reach: Option<Duration>,
    /// Each with the time of the change that ended it, oldest first.
    worlds: VecDeque<(OffsetDateTime, World)>,
}

impl Past {
    /// From now on, worlds of at least this age are kept.
    pub(crate) fn keep(&mut self, back: Duration) {
        self.reach = self.reach.max(Some(back));
    }

    /// To be called before every change.
    pub(crate) fn remember(&mut self, world: &World) {
        let Some(reach) = self.reach else { return };
        let oldest = world.now.saturating_sub(time::Duration::try_from(reach).unwrap_or(time::Duration::MAX));
        while self.worlds.pop_front_if(|(ended, _)| *ended <= oldest).is_some() {}
        self.worlds.push_back((world.now, world.clone()));
    }

    /// The world as it was that long before `world`, which is the present. What was changed before anybody looked back
    /// for the first time was always so.
    pub(crate) fn world(&self, world: &World, back: Duration) -> World {
        let at = world.now.saturating_sub(time::Duration::try_from(back).unwrap_or(time::Duration::MAX));
        let then = self.worlds.iter().find(|(ended, _)| *ended > at).map_or(world, |(_, then)| then);
        World { now: world.now, ..then.clone() }
    }

    pub(crate) fn forget(&mut self) {
        *self = Self::default();
    }
}
