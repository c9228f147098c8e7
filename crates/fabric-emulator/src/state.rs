//! What one tenant is made of, and what becomes of it with time.

use std::time::Duration;

use time::OffsetDateTime;
use uuid::Uuid;

use crate::clock::later;
use crate::config::Config;
use crate::entra::Tokens;
use crate::fabric::{self, Usage};
use crate::fault::{Past, Tweaks};
use crate::operations::Operations;
use crate::vault::{self, Transactions};
use crate::wire::{Api, Incoming};
use crate::world::{Rules, World};

pub(crate) struct State {
    pub(crate) world: World,
    pub(crate) operations: Operations,
    pub(crate) tokens: Tokens,
    pub(crate) usage: Usage,
    pub(crate) transactions: Transactions,
    /// Requests that take effect after their client has been answered.
    late: Vec<Late>,
    pub(crate) past: Past,
    /// Requests for routes that are not emulated.
    pub(crate) unknown_routes: u64,
    /// What a reset goes back to.
    initial: World,
}

/// A request that takes effect when its time has come.
struct Late {
    due: OffsetDateTime,
    request: Incoming,
    caller: Uuid,
}

impl State {
    pub(crate) fn new(world: World) -> Self {
        Self {
            initial: world.clone(),
            world,
            operations: Operations::default(),
            tokens: Tokens::default(),
            usage: Usage::default(),
            transactions: Transactions::default(),
            late: Vec::new(),
            past: Past::default(),
            unknown_routes: 0,
        }
    }

    /// Makes the world as it is the one that a reset goes back to.
    pub(crate) fn set_initial(&mut self) {
        self.initial = self.world.clone();
    }

    /// Puts another tenant in the place of this one, under the same rules. Tokens stay, and who has one may be somebody
    /// there too; calls are counted anew, for the clock may have gone back.
    pub(crate) fn replace(&mut self, world: World, operations: Operations) {
        self.world = World { rules: self.world.rules.clone(), ..world };
        self.operations = operations;
        self.usage = Usage::default();
        self.transactions = Transactions::default();
        self.late.clear();
        self.past.begin_anew();
    }

    /// What will still change the world without being asked again: its operations, how many requests that take effect
    /// late, and when the last of that happens. `None` when there is nothing of the kind.
    pub(crate) fn under_way(&self) -> Option<(Vec<Uuid>, usize, OffsetDateTime)> {
        let (operations, mut due): (Vec<Uuid>, Vec<OffsetDateTime>) = self.operations.running().unzip();
        due.extend(self.late.iter().map(|late| late.due));
        Some((operations, self.late.len(), due.into_iter().max()?))
    }

    /// Back to the start, under these rules.
    pub(crate) fn reset(&mut self, rules: Rules) {
        let now = self.world.now;
        *self = Self::new(World { rules, now, ..self.initial.clone() });
    }

    /// Lets everything happen that has become due until now.
    pub(crate) fn settle_at(&mut self, config: &Config, now: OffsetDateTime) {
        let (mut due, later) =
            std::mem::take(&mut self.late).into_iter().partition(|late: &Late| late.due <= now);
        self.late = later;
        due.sort_by_key(|late: &Late| late.due);
        for Late { due, request, caller } in due {
            self.world.now = due;
            self.settle();
            // There is nobody left to hear of a refusal.
            match request.api {
                Api::Vault => drop(vault::act(config, self, &request, caller)),
                _ => drop(fabric::act(config, self, &request, caller, Uuid::new_v4(), &Tweaks::default())),
            }
        }
        self.world.now = now;
        self.settle();
    }

    /// Lets every operation end and every child come that has become due.
    pub(crate) fn settle(&mut self) {
        self.operations.settle(&mut self.world, &mut self.past);
        self.world.settle();
    }

    /// Lets a request of Fabric or a vault take effect that much later, as its caller. One without a good token never does.
    pub(crate) fn act_later(&mut self, request: &Incoming, by: Duration) {
        let caller = match request.api {
            Api::Vault => vault::holder(self, request).ok(),
            _ => fabric::caller(self, request).ok(),
        };
        if let Some(caller) = caller {
            let due = later(self.world.now, by);
            self.late.push(Late { due, request: request.clone(), caller });
        }
    }

    /// Puts the world of that long ago in the place of the present one, which it returns.
    pub(crate) fn look_back(&mut self, back: Duration) -> World {
        self.past.keep(back);
        let then = self.past.world(&self.world, back);
        std::mem::replace(&mut self.world, then)
    }
}
