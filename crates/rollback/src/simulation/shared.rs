//! Processes on several machines, with the journal and the lease in an object store: they claim, are stopped, wake up, die, lose the
//! lease and take over, at the same time.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _};
use object_store::path::Path;
use time::OffsetDateTime;
use tokio::time::Instant;

use super::cloud::{Cloud, Door};
use super::process::{self, Lot};
use super::{Sim, lock};
use crate::journal::{JournalError, Journals};
use crate::lease::{Holder, Lease, LeaseError, Leases, Terms};
use crate::objects::Tries;
use crate::{Error, Interrupt, Policy, Transaction, TransactionId, Verdict};

const SUBJECT: &str = "the world";
/// How many processes have their peace, after the troubled ones, before a transaction that has not ended is a violation.
const PEACEFUL: u32 = 12;
/// A process is polled up to so often before something happens to it.
const POLLS: u32 = 320;

impl Door {
    pub(super) fn journals(self) -> Journals {
        Journals::objects(Arc::new(self), Path::from("sim"), Tries::default())
    }

    fn leases(self) -> Leases {
        Leases::objects(Arc::new(self), Path::from("sim"), Terms::default(), Tries::default())
    }
}

/// Lets several machines work on one transaction until it has ended. How many processes there were.
pub(super) async fn live(sim: &Sim, cloud: &Arc<Mutex<Cloud>>, seed: u64) -> u32 {
    let count = lock(&sim.world).dice.pick(2..5);
    let mut machines: FuturesUnordered<_> = (0..count).map(|_| machine(sim, cloud, seed)).collect();
    while machines.next().await.is_some() {}
    lock(&sim.world).processes
}

/// One process after the other.
async fn machine(sim: &Sim, cloud: &Arc<Mutex<Cloud>>, seed: u64) {
    loop {
        let pause = {
            let dice = &mut lock(&sim.world).dice;
            if dice.chance(0.3) { Duration::ZERO } else { dice.time(Duration::from_secs(200)) }
        };
        tokio::time::sleep(pause).await;
        let (process, lot) = {
            let mut world = lock(&sim.world);
            if world.ended || world.broken.is_some() {
                return;
            }
            let process = world.processes;
            world.processes += 1;
            let troubled = world.scenario.troubled;
            if process >= troubled + PEACEFUL {
                return;
            }
            world.calm = process >= troubled;
            world.note(|| format!("process {process} begins"));
            (process, Lot::draw(&mut world, POLLS, process > 0 && process <= troubled))
        };
        let (interrupt, sim) = (Interrupt::default(), Sim { process, ..sim.clone() });
        let door = Door { world: Arc::clone(&sim.world), cloud: Arc::clone(cloud), process: Some(process) };
        let life = sim.deploy(door, seed, interrupt.clone(), lot.rolls_back);
        let ended = process::live(&sim.world, &lot, &interrupt, life).await;
        let mut world = lock(&sim.world);
        if ended.is_none() {
            world.count("a crash of one of several");
        }
        world.ended |= ended == Some(true);
        world.gone.insert(process);
        world.orphan(process);
    }
}

impl Sim {
    /// Claims the lease, and begins the transaction or takes it up. Whether it has ended.
    async fn deploy(&self, door: Door, seed: u64, interrupt: Interrupt, rolls_back: bool) -> bool {
        let Some(lease) = self.claim(&door).await else {
            return true;
        };
        let sim = Self { fence: Some(lease.fence()), ..self.clone() };
        let ended = sim.take_up(&door.journals(), &lease, seed, interrupt, rolls_back).await;
        // Where it did not come to its end a call may be under way.
        if ended.is_ok() {
            lease.release().await;
        } else {
            lease.abandon();
        }
        self.judge(ended)
    }

    /// Claims the lease, however often it takes. `None` where the transaction has ended meanwhile.
    async fn claim(&self, door: &Door) -> Option<Lease> {
        let leases = door.clone().leases();
        loop {
            if lock(&self.world).ended {
                return None;
            }
            self.break_(door);
            let (wait, pause) = {
                let dice = &mut lock(&self.world).dice;
                let wait = if dice.chance(0.7) { leases.expiry() } else { Duration::ZERO };
                (wait, dice.time(Duration::from_secs(30)))
            };
            let (pid, since) = (self.process, OffsetDateTime::now_utc());
            let holder =
                Holder { host: "simulation".to_owned(), pid, transaction: TransactionId::from(0), since };
            match leases.claim(SUBJECT, holder, wait).await {
                Ok(lease) => {
                    lock(&self.world).count("a lease is claimed");
                    return Some(lease);
                }
                Err(LeaseError::Held(_)) => lock(&self.world).count("a lease is another's"),
                Err(_) => lock(&self.world).count("a lease is out of reach"),
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// An operator who knows that the owner of a lease is gone may break it: nobody waits for it to run out then. At times it is not
    /// gone, and goes on until it finds out.
    fn break_(&self, door: &Door) {
        let breaks = {
            let mut world = lock(&self.world);
            let mut cloud = lock(&door.cloud);
            cloud.advance(&mut world);
            cloud.holder.is_some_and(|holder| {
                let is_gone = world.gone.contains(&holder);
                let breaks = world.dice.chance(if is_gone { 0.3 } else { 0.03 });
                if breaks && !is_gone {
                    world.count("a lease is taken from one that is alive");
                    world.robbed.insert(holder);
                    let Terms { ttl, margin } = Terms::default();
                    cloud.robbed = Some((holder, Instant::now() + ttl.saturating_sub(margin)));
                }
                breaks
            })
        };
        if breaks {
            let outside = Door { process: None, ..door.clone() };
            let broken = outside.leases().break_(SUBJECT).now_or_never();
            let mut world = lock(&self.world);
            world.count("a lease is broken");
            if !matches!(broken, Some(Ok(Some(_)))) {
                world.breaks("lease", || format!("it cannot be broken: {broken:?}"));
            }
        }
    }

    async fn take_up(
        &self,
        journals: &Journals,
        lease: &Lease,
        seed: u64,
        interrupt: Interrupt,
        rolls_back: bool,
    ) -> Result<Verdict, Error> {
        let quiet = |_: &crate::Event<'_, super::Change>| {};
        let (begin, policy) = (self.begin(seed), Policy::default());
        match journals.open::<Self>(begin.id).await {
            Ok(loaded) => {
                let writer = format!("process {}", self.process);
                let taken = Transaction::recover(self, loaded, &writer, policy, interrupt, quiet).await?;
                let taken = taken.fenced(lease.fence());
                if rolls_back { taken.roll_back("operator").await } else { taken.run().await }
            }
            Err(JournalError::NotFound(_)) => {
                let store = journals.create(begin.id).await?;
                let begun = Transaction::begin(self, store, begin, policy, interrupt, quiet).await?;
                begun.fenced(lease.fence()).run().await
            }
            Err(error) => Err(error.into()),
        }
    }
}
