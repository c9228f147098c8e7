//! A day in virtual time: tokens and secrets end and are replaced under load, and nobody notices.

use crate::{
    CacheConfig, Cached, KeyVault, KeyVaultConfig, SecretName, SecretStore,
    testing::vault::{Mode, Tokens, URL, Vault, clock, refused, reset},
};
use secrecy::ExposeSecret as _;
use serde_json::json;
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, sleep, sleep_until};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
/// A secret is replaced that often.
const ROTATION: Duration = Duration::from_secs(2 * 3600);
/// How long a version is valid: an hour longer, which is as long as it is kept.
const VALID: Duration = Duration::from_secs(3 * 3600);
const SECRETS: usize = 5;
const WORKERS: usize = 12;
/// How long at most between two questions of all workers together for one secret.
const PACE: Duration = Duration::from_secs(10);

/// A vault, and the clock that it and its clients go by.
struct World {
    start: Instant,
    tokens: Tokens,
    vault: Vault,
    /// How long a version of a secret is valid.
    valid: Duration,
}

impl World {
    fn new(valid: Duration) -> Self {
        let tokens = Tokens::new(&clock(), HOUR);
        let vault = Vault::new(&tokens);
        let world = Self { start: Instant::now(), tokens, vault, valid };
        (0..SECRETS).for_each(|at| world.rotate(at, 0));
        world
    }

    fn store(&self) -> KeyVault {
        let config = KeyVaultConfig { clock: self.tokens.clock(), ..KeyVaultConfig::new(URL) };
        KeyVault::new(config, Arc::new(self.tokens.clone()), Arc::new(self.vault.clone())).unwrap()
    }

    /// Puts version `number` of a secret, whose value says when it ends.
    fn rotate(&self, at: usize, number: u32) {
        let end = (ROTATION * number + self.valid).as_secs() as i64;
        let attributes = json!({ "enabled": true, "exp": 1_800_000_000 + end });
        self.vault.put(&format!("secret-{at}"), &end.to_string(), attributes);
    }

    /// No token that was given so far is taken any more.
    fn revoke(&self) {
        let last = self.tokens.issued().len();
        self.vault.state().revoked.push(format!("t{last}"));
    }

    /// Replaces all secrets every two hours.
    async fn rotations(&self) {
        for number in 1.. {
            sleep_until(self.start + ROTATION * number).await;
            (0..SECRETS).for_each(|at| self.rotate(at, number));
        }
    }

    /// Asks for every secret in turn until the day is over, and how often that was.
    async fn work(&self, store: &dyn SecretStore, pause: Duration, worker: usize) -> usize {
        let mut calls = 0;
        while self.start.elapsed() < DAY {
            let name: SecretName = format!("SECRET_{}", (calls + worker) % SECRETS).parse().unwrap();
            let secret = store.get(&name).await.unwrap_or_else(|error| {
                panic!("call {calls} of {worker} after {:?} failed: {error}", self.start.elapsed())
            });
            let end: u64 = secret.value.expose_secret().parse().unwrap();
            assert!(self.start.elapsed().as_secs() <= end, "a value was given after its end");
            calls += 1;
            sleep(pause).await;
        }
        calls
    }

    /// All workers' day, beside what else happens.
    async fn day(&self, store: &dyn SecretStore, pause: Duration, beside: impl Future<Output = ()>) -> usize {
        let work = futures_util::future::join_all((0..WORKERS).map(|it| self.work(store, pause, it)));
        let beside = futures_util::future::join(self.rotations(), beside);
        match futures_util::future::select(Box::pin(work), Box::pin(beside)).await {
            futures_util::future::Either::Left((calls, _)) => calls.into_iter().sum(),
            futures_util::future::Either::Right(_) => panic!("the day ended early"),
        }
    }

    /// When each secret was asked for.
    fn reads(&self) -> Vec<Vec<Duration>> {
        let handed_out = self.vault.state().handed_out.clone();
        let of = |at| {
            let name = format!("secret-{at}");
            let own = handed_out.iter().filter(move |(it, _)| *it == name);
            own.map(|(_, read)| *read - self.start).collect()
        };
        (0..SECRETS).map(of).collect()
    }
}

/// How long a value that is read at `at` is kept: an hour, or as long as it is valid.
fn kept(at: Duration) -> Duration {
    let version = (at.as_secs() / ROTATION.as_secs()) as u32;
    HOUR.min(ROTATION * version + VALID - at)
}

#[tokio::test(start_paused = true)]
async fn a_day_of_cached_secrets_with_one_read_for_each_time_that_one_ends() {
    let world = World::new(VALID);
    let store = Cached::new(world.store(), CacheConfig::default());
    let calls = world.day(&store, PACE, std::future::pending()).await;
    assert!(calls > 100_000, "{calls}");
    for reads in world.reads() {
        assert!(reads.len() >= 24);
        for pair in reads.windows(2) {
            let gap = pair[1] - pair[0];
            let kept = kept(pair[0]);
            assert!(gap + SECOND >= kept && gap <= kept + PACE + SECOND, "{gap:?} for {kept:?}");
        }
    }
    // A token is asked for only where it is needed: at most as often as they end.
    for pair in world.tokens.issued().windows(2) {
        assert!(pair[1] - pair[0] >= HOUR - 6 * MINUTE - SECOND);
    }
}

#[tokio::test(start_paused = true)]
async fn a_day_of_calls_that_each_need_a_token_with_one_new_token_for_each_that_ends() {
    let world = World::new(VALID);
    let store = world.store();
    let calls = world.day(&store, 6 * PACE, std::future::pending()).await;
    assert!(calls > 17_000, "{calls}");
    assert_eq!(world.vault.state().handed_out.len(), calls);
    let challenges = world.vault.state().requests.iter().filter(|it| it.ends_with(" -")).count();
    assert!(challenges <= WORKERS, "{challenges} challenges: only before the first answer");
    assert_eq!(world.vault.state().requests.len(), calls + challenges, "no call was made twice");
    let issued = world.tokens.issued();
    for pair in issued.windows(2) {
        let gap = pair[1] - pair[0];
        assert!(gap + SECOND >= HOUR - 6 * MINUTE && gap <= HOUR - 4 * MINUTE + SECOND, "{gap:?}");
    }
    assert!((26..=27).contains(&issued.len()), "{}", issued.len());
}

/// Each hour a minute without a vault, then its token revoked, and three minutes without another.
#[tokio::test(start_paused = true)]
async fn a_day_of_trouble_in_which_no_call_fails() {
    // Nothing helps against an end of the secret itself that falls into the trouble.
    let world = World::new(VALID + 10 * MINUTE);
    let store = Cached::new(world.store(), CacheConfig::default());
    let trouble = async {
        for refuse in [refused, reset].into_iter().cycle() {
            sleep(59 * MINUTE + 30 * SECOND).await;
            world.vault.state().mode = Mode::Broken(refuse);
            sleep(MINUTE).await;
            world.vault.state().mode = Mode::Up;
            world.revoke();
            world.tokens.says(Some(refuse));
            sleep(3 * MINUTE).await;
            world.tokens.says(None);
        }
    };
    let calls = world.day(&store, PACE, trouble).await;
    assert!(calls > 100_000, "{calls}");
    let broken = world.vault.state().requests.iter().filter(|it| *it == "broken").count();
    let refused = world.tokens.refusals();
    assert!(broken > 20 && refused > 20, "there was trouble: {broken}, {refused}");
}
