//! A process as its operating system has it: it is stopped, goes on and is killed, with all that it does beside its work.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

use super::lock;
use super::world::World;
use crate::Interrupt;

tokio::task_local! {
    /// The process that is running.
    static GATE: Arc<Gate>;
}

/// Whether a process runs.
#[derive(Default)]
struct Gate(Mutex<Standing>);

#[derive(Clone, Copy, Default)]
enum Standing {
    #[default]
    Runs,
    StoppedUntil(Instant),
    Dead,
}

impl Gate {
    fn set(&self, standing: Standing) {
        *lock(&self.0) = standing;
    }

    /// Whether the process may go on. Where it is stopped, `wake` wakes it.
    fn poll(&self, mut wake: Pin<&mut Sleep>, context: &mut Context<'_>) -> Poll<()> {
        let standing = *lock(&self.0);
        match standing {
            Standing::Runs => Poll::Ready(()),
            Standing::StoppedUntil(until) if until <= Instant::now() => Poll::Ready(()),
            Standing::StoppedUntil(until) => {
                wake.as_mut().reset(until);
                wake.poll(context)
            }
            Standing::Dead => Poll::Pending,
        }
    }
}

/// What a process does beside its work: stopped and killed with it. Outside the simulation the future itself.
pub(crate) fn beside<F: Future>(work: F) -> impl Future<Output = F::Output> {
    let gate = GATE.try_with(Arc::clone).ok();
    async {
        let Some(gate) = gate else {
            return work.await;
        };
        let (mut work, mut wake) = (pin!(work), pin!(tokio::time::sleep(Duration::ZERO)));
        std::future::poll_fn(|context| match gate.poll(wake.as_mut(), context) {
            Poll::Ready(()) => work.as_mut().poll(context),
            Poll::Pending => Poll::Pending,
        })
        .await
    }
}

/// What is drawn for one process: how often it is polled before something happens to it.
#[derive(Default)]
pub(super) struct Lot {
    dies_at: Option<u32>,
    interrupted_at: Option<u32>,
    stops: Vec<(u32, Duration)>,
    pub(super) rolls_back: bool,
}

impl Lot {
    /// Draws for a process of many polls, or few. One that has its peace may be asked to roll back, and no more.
    pub(super) fn draw(world: &mut World, most: u32, may_roll_back: bool) -> Self {
        let calm = world.calm;
        let dice = &mut world.dice;
        let dies_at = dice.chance(0.7).then(|| dice.polls(most));
        let interrupted_at = dice.chance(0.15).then(|| dice.polls(most));
        let rolls_back = may_roll_back && dice.chance(0.4);
        let mut stops = Vec::new();
        while dice.chance(0.4) {
            let longest = [5, 45, 300][dice.pick(0..3) as usize];
            stops.push((dice.polls(most), dice.time(Duration::from_secs(longest))));
        }
        if calm {
            Self { rolls_back, ..Self::default() }
        } else {
            Self { dies_at, interrupted_at, stops, rolls_back }
        }
    }
}

/// Lets a process live as its lot says. `None`: it was killed.
pub(super) async fn live<T>(
    world: &Mutex<World>,
    lot: &Lot,
    interrupt: &Interrupt,
    life: impl Future<Output = T>,
) -> Option<T> {
    let gate = Arc::new(Gate::default());
    let lived = GATE.scope(Arc::clone(&gate), async {
        let (mut life, mut wake) = (pin!(life), pin!(tokio::time::sleep(Duration::ZERO)));
        let mut polls = 0;
        std::future::poll_fn(|context| {
            if gate.poll(wake.as_mut(), context).is_pending() {
                return Poll::Pending;
            }
            polls += 1;
            if let Some((_, long)) = lot.stops.iter().find(|(at, _)| *at == polls) {
                lock(world).count("a process is stopped for a while");
                gate.set(Standing::StoppedUntil(Instant::now() + *long));
                if gate.poll(wake.as_mut(), context).is_pending() {
                    return Poll::Pending;
                }
            }
            if lot.interrupted_at == Some(polls) {
                lock(world).count("an interrupt");
                interrupt.raise();
            }
            match life.as_mut().poll(context) {
                Poll::Ready(ended) => Poll::Ready(Some(ended)),
                // What it was waiting for is given up in the middle, as by a kill.
                Poll::Pending if lot.dies_at == Some(polls) => {
                    gate.set(Standing::Dead);
                    Poll::Ready(None)
                }
                Poll::Pending => Poll::Pending,
            }
        })
        .await
    });
    let ended = lived.await;
    gate.set(Standing::Dead);
    ended
}
