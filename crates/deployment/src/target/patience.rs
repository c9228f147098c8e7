//! How long is waited for Fabric.

use std::time::Duration;

/// How long the target waits for what Fabric does by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// The wait after the first look; it doubles for each further one.
    pub first: Duration,
    /// The longest wait between two looks.
    pub longest: Duration,
    /// When to give up looking.
    pub deadline: Duration,
    /// How long reads may lag behind a write: what is not found is gone when it is still not found so much later.
    pub lag: Duration,
    /// How long a request may be on its way that was not answered, where the service works on it as a long-running operation. Other
    /// requests take no more than two minutes of it.
    pub in_flight: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            first: Duration::from_millis(500),
            longest: Duration::from_secs(10),
            deadline: Duration::from_secs(10 * 60),
            lag: Duration::from_secs(10),
            in_flight: Duration::from_secs(10 * 60),
        }
    }
}
