//! What journals and leases share in talking to an object store.

use std::time::Duration;

use time::OffsetDateTime;

use crate::engine::doubled;

/// How often a write to an object store is tried, where its failure may pass. Nothing beneath it tries again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tries {
    /// The first attempt included; at least 1.
    pub attempts: u32,
    /// The pause before the second attempt; it doubles with each.
    pub delay: Duration,
}

impl Default for Tries {
    /// Five attempts within about 4 s, besides what the attempts themselves take.
    fn default() -> Self {
        Self { attempts: 5, delay: Duration::from_millis(250) }
    }
}

impl Tries {
    /// The pause after attempt `n`, from 1.
    pub(crate) fn delay(self, n: u32) -> Duration {
        doubled(self.delay, n)
    }
}

/// What time an object store says that it is. A store whose answers tell it puts it into their extensions
/// ([`GetResult::extensions`](object_store::GetResult::extensions)); what it is compared with are times of the same store. Nothing is
/// decided by it: it tells people how long ago a lease was renewed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StoreTime(pub OffsetDateTime);

/// Whether a failure may be gone at the next attempt. Missing rights, a missing container and wrong settings stay.
pub(crate) fn may_pass(error: &object_store::Error) -> bool {
    use object_store::Error;
    !matches!(
        error,
        Error::NotFound { .. }
            | Error::InvalidPath { .. }
            | Error::NotSupported { .. }
            | Error::NotImplemented { .. }
            | Error::PermissionDenied { .. }
            | Error::Unauthenticated { .. }
            | Error::UnknownConfigurationKey { .. }
    )
}
