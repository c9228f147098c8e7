//! The handle: one emulated tenant, shared by every service and server made from it.

use std::io::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::clock::Clock;
use crate::config::Config;
use crate::demo;
use crate::entra::Tokens;
use crate::fabric::Usage;
use crate::fault::{Fault, Faults};
use crate::hold::{HoldId, HoldPoint, Holds};
use crate::log::{Log, LoggedRequest};
use crate::operations::Operations;
use crate::pattern::Pattern;
use crate::seed::{Seed, SeedError, seeded};
use crate::service::EmulatorService;
use crate::world::{Principal, PrincipalKind, Rules, World, inventory};

/// An emulated tenant. Clones are handles to the same one.
#[derive(Clone)]
pub struct Emulator {
    pub(crate) shared: Arc<Shared>,
}

/// The world as data, by natural keys, without anything that differs from run to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inventory {
    /// SHA-256 of `world`, in hexadecimal digits: the same for the same world, whatever ids the server drew.
    pub hash: String,
    /// Capacities, principals, connections, workspaces with folders, items, roles, recycle bin and git connection,
    /// deleted workspaces that still hold items, and git directories.
    pub world: Value,
}

pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) clock: Clock,
    pub(crate) faults: Faults,
    pub(crate) holds: Holds,
    pub(crate) log: Log,
    state: Mutex<State>,
}

pub(crate) struct State {
    pub(crate) world: World,
    pub(crate) operations: Operations,
    pub(crate) tokens: Tokens,
    pub(crate) usage: Usage,
    /// Requests for routes that are not emulated.
    pub(crate) unknown_routes: u64,
    /// What a reset goes back to.
    initial: World,
}

impl Emulator {
    /// An empty tenant: no capacity, no workspace, and the configured caller as the only principal.
    pub fn new(config: Config) -> Self {
        let clock = Clock::new();
        let world = empty(&config, clock.now());
        let state = State {
            initial: world.clone(),
            world,
            operations: Operations::default(),
            tokens: Tokens::default(),
            usage: Usage::default(),
            unknown_routes: 0,
        };
        let (faults, holds, log) = (Faults::default(), Holds::default(), Log::new(config.log_capacity));
        Self { shared: Arc::new(Shared { config, clock, faults, holds, log, state: Mutex::new(state) }) }
    }

    /// Seeds [`demo::tenant`], and makes the world as it then is the one that a reset goes back to.
    #[must_use]
    pub fn with_demo_tenant(self) -> Self {
        if let Err(error) = self.seed(&demo::tenant()) {
            // The demo tenant is a constant that a test seeds.
            tracing::error!(%error, "the demo tenant cannot be seeded");
        }
        self.start_here();
        self
    }

    /// Makes the world as it is the one that a reset goes back to.
    pub fn start_here(&self) {
        let mut state = self.shared.state();
        state.initial = state.world.clone();
    }

    /// Adds to the world; the format is that of `POST /_emulator/seed`, see the module [`crate::admin`].
    ///
    /// # Errors
    /// When the seed cannot be read or breaks a rule of the world, which is then unchanged.
    pub fn seed(&self, world: &Value) -> Result<(), SeedError> {
        self.plant(Seed::read(world)?)
    }

    /// Adds to the world what was read already, from YAML for example.
    ///
    /// # Errors
    /// When the seed breaks a rule of the world, which is then unchanged.
    pub fn plant(&self, seed: Seed) -> Result<(), SeedError> {
        let mut state = self.shared.state();
        state.world = seeded(&state.world, seed, caller_id())?;
        Ok(())
    }

    /// The emulated services as one [`tower::Service`].
    pub fn service(&self) -> EmulatorService {
        EmulatorService::new(Arc::clone(&self.shared))
    }

    /// Puts a fault in force, after those that already are.
    pub fn inject(&self, fault: Fault) {
        self.shared.faults.inject(fault);
    }

    /// The world as it is now; operations whose time has come are counted as done.
    pub fn inventory(&self) -> Inventory {
        let (world, hash) = inventory(&self.shared.state().world);
        Inventory { hash, world }
    }

    /// The requests since the start or the last clearing, in the order of arrival and as many of the latest as
    /// [`Config::log_capacity`] says; those to `/_emulator/` are left out.
    pub fn requests(&self) -> Vec<LoggedRequest> {
        self.shared.log.all()
    }

    /// Writes each request that is over to `sink` from now on, as a line of JSON.
    pub fn write_requests_to(&self, sink: impl Write + Send + 'static) {
        self.shared.log.write_to(Box::new(sink));
    }

    /// Empties the request log.
    pub fn clear_requests(&self) {
        self.shared.log.clear();
    }

    /// Stops the next matching request at that point, until [`Emulator::release`].
    pub fn hold(&self, pattern: Pattern, point: HoldPoint) -> HoldId {
        self.shared.holds.add(pattern, point)
    }

    /// Waits until a request has been stopped by the hold. Returns at once when it was released already.
    pub async fn held(&self, id: HoldId) {
        self.shared.holds.held(id).await;
    }

    /// What time it is in the tenant: operations, tokens, name reservations and timestamps go by this clock. It starts
    /// at the time of this machine and follows Tokio's.
    pub fn now(&self) -> OffsetDateTime {
        self.shared.clock.now()
    }

    /// Stops the tenant's clock, until [`Emulator::resume`].
    pub fn freeze(&self) {
        self.shared.clock.freeze();
    }

    /// Lets a frozen clock go on from where it stands.
    pub fn resume(&self) {
        self.shared.clock.resume();
    }

    /// Puts the tenant's clock forward, frozen or not, without any waiting. What becomes due by that happens at the next
    /// look at the tenant, in the order in which it was due. Latencies and holds are not shortened: they last in
    /// Tokio's time.
    pub fn advance(&self, by: Duration) {
        self.shared.clock.advance(by);
    }

    /// Lets the stopped request go on; a hold that has stopped none yet will not.
    pub fn release(&self, id: HoldId) {
        self.shared.holds.release(id);
    }
}

impl Shared {
    /// The state at this moment: what operations have become due since is done first.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.world.now = self.clock.now();
        state.settle();
        state
    }

    /// Back to the start: clock, world, operations, tokens, faults, holds and request log.
    pub(crate) fn reset(&self) {
        self.faults.clear();
        self.holds.clear();
        self.log.clear();
        self.clock.reset();
        let mut state = self.state();
        state.world = state.initial.clone();
        state.operations = Operations::default();
        state.tokens = Tokens::default();
        state.usage = Usage::default();
        state.unknown_routes = 0;
    }
}

impl State {
    /// Lets everything happen that has become due.
    pub(crate) fn settle(&mut self) {
        self.operations.settle(&mut self.world);
        self.world.settle();
    }
}

/// The configured caller's object id.
pub(crate) fn caller_id() -> Uuid {
    uuid::uuid!("cccccccc-0000-4000-8000-00000000000f")
}

fn empty(config: &Config, now: OffsetDateTime) -> World {
    let rules = Rules {
        name_reservation: config.name_reservation,
        reservation_status: config.reservation_status,
        item_recovery: config.item_recovery,
        max_items: config.max_items,
        child_delay: config.child_delay,
        capacity_assignment: config.capacity_assignment,
    };
    let mut world = World::new(rules, now);
    world.principals.push(Principal {
        id: caller_id(),
        kind: PrincipalKind::ServicePrincipal,
        display_name: "Deployer".to_owned(),
        mail: None,
        user_principal_name: None,
        app_id: Some(config.client_id.clone()),
        secret: Some(config.client_secret.clone()),
        secret_expired: false,
        federated_credentials: config.federated_credentials.clone(),
        password: None,
        enabled: true,
        members: Vec::new(),
        may_create_workspaces: true,
    });
    world
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_demo_tenant_seeds() {
        assert_eq!(caller_id().to_string(), demo::CALLER_ID);
        Emulator::new(Config::default()).seed(&demo::tenant()).unwrap();
        let world = Emulator::new(Config::default()).with_demo_tenant().inventory().world;
        assert_eq!(world["capacities"].as_array().unwrap().len(), 2);
        assert_eq!(world["principals"].as_array().unwrap().len(), 7);
        assert_eq!(world["workspaces"], serde_json::json!([]));
    }
}
