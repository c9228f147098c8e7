//! The handle: one emulated tenant, shared by every service and server made from it.

use std::io::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use serde_json::Value;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::clock::Clock;
use crate::config::Config;
use crate::demo;
use crate::fault::{Action, Chaos, Fault, Faults};
use crate::hold::{HoldId, HoldPoint, Holds, Whom};
use crate::log::{Log, LoggedRequest};
use crate::pattern::Pattern;
use crate::seed::{Seed, SeedError, seeded};
use crate::service::EmulatorService;
use crate::snapshot::{Snapshot, UnderWay};
use crate::state::State;
use crate::world::{Principal, PrincipalKind, Rules, Vault, World, inventory};

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
    config: RwLock<Arc<Config>>,
    /// What a reset goes back to.
    initial_config: Arc<Config>,
    pub(crate) clock: Clock,
    pub(crate) faults: Faults,
    pub(crate) holds: Holds,
    pub(crate) log: Log,
    state: Mutex<State>,
}

impl Emulator {
    /// An empty tenant: no capacity, no workspace, and the configured caller as the only principal, with a vault that is
    /// empty too.
    pub fn new(config: Config) -> Self {
        let clock = Clock::new();
        let config = Arc::new(config);
        let world = empty(&config, clock.now());
        let (faults, holds, log) = (Faults::default(), Holds::default(), Log::new(config.log_bytes));
        let shared = Shared {
            config: RwLock::new(Arc::clone(&config)),
            initial_config: config,
            clock,
            faults,
            holds,
            log,
            state: Mutex::new(State::new(world)),
        };
        shared.schedule(shared.initial_config.chaos.clone());
        Self { shared: Arc::new(shared) }
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
        self.shared.state().set_initial();
    }

    /// Adds to the world; the format is that of `POST /_emulator/seed` and stands in `docs/emulator-seed.md`.
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

    /// The whole tenant as it is now, to be restored by this emulator or another one.
    ///
    /// # Errors
    /// When operations are running, or requests are to take effect later, which nobody can write down.
    pub fn snapshot(&self) -> Result<Snapshot, UnderWay> {
        self.shared.snapshot()
    }

    /// Puts the tenant of a snapshot in the place of this one, its clock included. What was running here never ends.
    /// Tokens that this emulator has issued stay good; settings, faults, holds, the request log and what a reset goes
    /// back to stay as they are.
    pub fn restore(&self, snapshot: &Snapshot) {
        self.shared.restore(snapshot);
    }

    /// The emulated services as one [`tower::Service`].
    pub fn service(&self) -> EmulatorService {
        EmulatorService::new(Arc::clone(&self.shared))
    }

    /// Puts a fault in force, after those that already are.
    pub fn inject(&self, fault: Fault) {
        self.shared.inject(fault);
    }

    /// No fault is in force any more: no chaos either, no throttling, no token called expired.
    pub fn clear_faults(&self) {
        self.shared.clear_faults();
    }

    /// Starts a schedule of faults at its beginning, in place of the one that there is; `None` ends it.
    pub fn schedule(&self, chaos: Option<Chaos>) {
        self.shared.schedule(chaos);
    }

    /// The world as it is now; operations whose time has come are counted as done.
    pub fn inventory(&self) -> Inventory {
        let (world, hash) = inventory(&self.shared.state().world);
        Inventory { hash, world }
    }

    /// The requests since the start or the last clearing, in the order of arrival and as many of the latest as
    /// [`Config::log_bytes`] says; those to `/_emulator/` are left out.
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

    /// Stops the next matching request at that point, until [`Emulator::release`]. Its answer then names the hold in the
    /// header `x-emulator-hold`.
    pub fn hold(&self, pattern: Pattern, point: HoldPoint) -> HoldId {
        self.shared.holds.add(Whom::Matching(pattern), point, 0)
    }

    /// Stops the next request that brings the header `x-emulator-hold: NAME` with this name.
    pub fn hold_named(&self, name: impl Into<String>, point: HoldPoint) -> HoldId {
        self.shared.holds.add(Whom::Asking(name.into()), point, 0)
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
    /// How the tenant behaves now.
    pub(crate) fn config(&self) -> Arc<Config> {
        Arc::clone(&self.config.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn inject(&self, fault: Fault) {
        if let Action::Lag(lag) = fault.action {
            self.state().past.keep(lag);
        }
        self.faults.inject(fault, self.clock.now());
    }

    pub(crate) fn clear_faults(&self) {
        self.faults.clear();
        self.state().past.forget();
    }

    /// Starts a schedule of faults at its beginning, or ends the one that there is.
    pub(crate) fn schedule(&self, chaos: Option<Chaos>) {
        for action in chaos.iter().flat_map(|chaos| &chaos.actions) {
            if let Action::Lag(lag) = action {
                self.state().past.keep(*lag);
            }
        }
        self.faults.schedule(chaos);
    }

    /// Changes that for what happens from now on.
    pub(crate) fn configure(&self, config: Config) {
        self.state().world.rules = Rules::of(&config);
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(config);
    }

    /// The state at this moment: what operations have become due since is done first.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.settle_at(&self.config(), self.clock.now());
        state
    }

    pub(crate) fn snapshot(&self) -> Result<Snapshot, UnderWay> {
        let state = self.state();
        Snapshot::of(&state, self.clock.is_frozen())
    }

    pub(crate) fn restore(&self, snapshot: &Snapshot) {
        let mut state = self.state();
        let (now, frozen) = snapshot.clock();
        self.clock.set(now, frozen);
        snapshot.put_into(&mut state);
    }

    /// Back to the start: clock, settings, world, operations, tokens, faults, holds and request log.
    pub(crate) fn reset(&self) {
        self.faults.clear();
        self.holds.clear();
        self.log.clear();
        self.clock.reset();
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&self.initial_config);
        self.state().reset(Rules::of(&self.initial_config));
        self.schedule(self.initial_config.chaos.clone());
    }
}

impl Rules {
    fn of(config: &Config) -> Self {
        Self {
            name_reservation: config.name_reservation,
            reservation_status: config.reservation_status,
            item_recovery: config.item_recovery,
            max_items: config.max_items,
            child_delay: config.child_delay,
            capacity_assignment: config.capacity_assignment,
            secret_deletion: config.secret_deletion,
        }
    }
}

/// Those of an emulator that was told nothing.
impl Default for Rules {
    fn default() -> Self {
        Self::of(&Config::default())
    }
}

/// The configured caller's object id.
pub(crate) fn caller_id() -> Uuid {
    uuid::uuid!("cccccccc-0000-4000-8000-00000000000f")
}

fn empty(config: &Config, now: OffsetDateTime) -> World {
    let mut world = World::new(Rules::of(config), now);
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
        certificates: Vec::new(),
        password: None,
        enabled: true,
        members: Vec::new(),
        may_create_workspaces: true,
        tenant_admin: config.tenant_admin,
        managed_identity: None,
    });
    world.vaults.push(Vault::of(demo::VAULT, caller_id()));
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
