//! One process after the other, with the journal on a disk: the next begins when the one before is gone.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::disk::{Disk, File};
use super::process::{self, Lot};
use super::{Change, Sim, lock};
use crate::{Event, Interrupt, Policy, Transaction};

/// How many processes have their peace, after the troubled ones, before a transaction that has not ended is a violation.
const PEACEFUL: u32 = 3;
/// A process is polled up to so often before something happens to it.
const POLLS: u32 = 160;

/// One process after the other takes the transaction up, until it has ended. How many there were.
pub(super) async fn live(sim: &Sim, disk: &Arc<Mutex<Disk>>, seed: u64) -> u32 {
    let troubled = lock(&sim.world).scenario.troubled;
    let mut process = 0;
    loop {
        let lot = {
            let mut world = lock(&sim.world);
            world.calm = process >= troubled;
            world.note(|| format!("process {process} begins"));
            // Where there is no way back, that is said, and the last to try goes on.
            Lot::draw(&mut world, POLLS, process > 0 && process + 1 < troubled + PEACEFUL)
        };
        let (interrupt, sim) = (Interrupt::default(), Sim { process, ..sim.clone() });
        let life = sim.work(disk, seed, interrupt.clone(), lot.rolls_back);
        let ended = process::live(&sim.world, &lot, &interrupt, life).await;
        let pause = {
            let mut world = lock(&sim.world);
            if ended.is_none() {
                world.count(if process == 0 { "a crash" } else { "a crash in recovery" });
            }
            world.orphan(process);
            process += 1;
            if world.broken.is_some() || ended == Some(true) || process >= troubled + PEACEFUL {
                return process;
            }
            if world.dice.chance(0.5) { Duration::ZERO } else { world.dice.time(Duration::from_secs(300)) }
        };
        tokio::time::sleep(pause).await;
    }
}

impl Sim {
    async fn work(&self, disk: &Arc<Mutex<Disk>>, seed: u64, interrupt: Interrupt, rolls_back: bool) -> bool {
        let quiet = |_: &Event<'_, Change>| {};
        let policy = Policy::default();
        lock(disk).crash();
        let loaded = match Disk::load(disk, self) {
            Ok(loaded) => loaded,
            Err(corrupt) => {
                lock(&self.world).breaks("journal", || corrupt.to_string());
                return true;
            }
        };
        let verdict = match loaded {
            None => {
                let (begin, file) = (self.begin(seed), File::open(disk, self));
                match Transaction::begin(self, file, begin, policy, interrupt, quiet).await {
                    Ok(transaction) => transaction.run().await,
                    Err(error) => Err(error),
                }
            }
            Some(loaded) => {
                let writer = format!("process {}", self.process);
                match Transaction::recover(self, loaded, &writer, policy, interrupt, quiet).await {
                    Ok(transaction) if rolls_back => transaction.roll_back("operator").await,
                    Ok(transaction) => transaction.run().await,
                    Err(error) => Err(error),
                }
            }
        };
        self.judge(verdict)
    }
}
