//! Faults by a seeded schedule: random to look at, the same in every run.

use std::collections::HashMap;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::Action;
use super::table::applies;
use crate::wire::{Api, Incoming};

/// Faults for a share of all requests, chosen by a seed.
///
/// Which request is hit by what depends on the seed, on its method and route (ids in the path do not count) and on how
/// many requests of that route came before; not on time and not on ids drawn. The same client with the same seed meets
/// the same faults, as long as it sends the requests of each route in the same order.
///
/// Written as `SEED[,rate=R]`:
///
/// ```
/// use selvedge_fabric_emulator::Chaos;
/// let chaos: Chaos = "42,rate=0.2".parse()?;
/// assert_eq!((chaos.seed, chaos.rate), (42, 0.2));
/// assert_eq!("42".parse::<Chaos>()?.rate, 0.1);
/// # Ok::<(), selvedge_fabric_emulator::ParseChaosError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Chaos {
    /// What the schedule is drawn from.
    pub seed: u64,
    /// The share of requests that are hit, 0 to 1.
    pub rate: f64,
    /// What they are hit by, each as likely as the others that fit the request.
    pub actions: Vec<Action>,
}

/// What a client must survive that follows the service's documents and reads back what it is unsure of: each error is
/// one that passes, and what is changed in an answer is something that nobody may rely on. Actions that only waiting
/// helps against (`late`, `lag`) are left out.
const SURVIVABLE: &[&str] = &[
    "429,retry-after=1",
    "429,retry-after=date+1s",
    "429,retry-after=1,body=no-code",
    "500",
    "502,body=html",
    "503",
    "503,retry-after=1,body=empty",
    "504,body=truncated",
    "reset-before",
    "reset-after",
    "garbage",
    "effect+garbage",
    "effect+429,retry-after=1",
    "effect+500",
    "effect+503",
    "cut:10",
    "content-length:+10",
    "latency:50ms",
    "token-expired",
    "as-operation",
    "at-once",
    "no-location",
    "foreign-location",
    "empty-202",
    "status:Queued",
    "casing:lower",
    "unknown-fields",
    "nulls",
    "gzip-empty",
    "foreign-continuation",
    "overlapping-pages",
];

/// The text is no `SEED[,rate=R]`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no chaos: a whole number as seed and a rate from 0 to 1, for example `42,rate=0.1`")]
pub struct ParseChaosError(String);

impl Chaos {
    /// A tenth of all requests, by the faults that a correct client survives.
    pub fn new(seed: u64) -> Self {
        // A test reads each of them.
        let actions = SURVIVABLE.iter().filter_map(|text| text.parse().ok()).collect();
        Self { seed, rate: 0.1, actions }
    }
}

impl FromStr for Chaos {
    type Err = ParseChaosError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || ParseChaosError(text.to_owned());
        let (seed, rate) = match text.split_once(',') {
            Some((seed, rate)) => (seed, rate.trim().strip_prefix("rate=").ok_or_else(wrong)?),
            None => (text, "0.1"),
        };
        let seed = seed.trim().parse().map_err(|_| wrong())?;
        let rate = rate.parse().ok().filter(|rate| (0.0..=1.0).contains(rate)).ok_or_else(wrong)?;
        Ok(Self { rate, ..Self::new(seed) })
    }
}

/// Chaos on its way: how many requests each route has had.
pub(super) struct Schedule {
    chaos: Chaos,
    seen: HashMap<String, u64>,
}

impl Schedule {
    pub(super) fn new(chaos: Chaos) -> Self {
        Self { chaos, seen: HashMap::new() }
    }

    /// What hits the next request of its route. Never a request for a token or a secret: the schedule is about what the
    /// product does with them.
    pub(super) fn next(&mut self, request: &Incoming) -> Option<Action> {
        if matches!(request.api, Api::Entra | Api::Vault | Api::Workload) {
            return None;
        }
        let route = route(request);
        let nth = self.seen.get(&route).copied().unwrap_or(0);
        let [hit, which] = draw(self.chaos.seed, &route, nth);
        self.seen.insert(route, nth + 1);
        if hit >= self.chaos.rate {
            return None;
        }
        let fitting: Vec<&Action> =
            self.chaos.actions.iter().filter(|action| applies(action, request)).collect();
        fitting.get((which * fitting.len() as f64) as usize).map(|action| (*action).clone())
    }
}

/// The method and the path with a place for each id.
fn route(request: &Incoming) -> String {
    request.segments.iter().fold(request.method.clone(), |mut route, segment| {
        route.push('/');
        route.push_str(if segment.parse::<Uuid>().is_ok() { "{id}" } else { segment });
        route
    })
}

/// Two numbers from 0 up to 1, the same for the same request of a route in every version of this program.
fn draw(seed: u64, route: &str, nth: u64) -> [f64; 2] {
    let digest = Sha256::digest(format!("{seed} {nth} {route}"));
    let number = |at: usize| {
        let bytes = digest.iter().skip(at).take(4);
        f64::from(bytes.fold(0, |number: u32, byte| number << 8 | u32::from(*byte))) / 4_294_967_296.0
    };
    [number(0), number(4)]
}
