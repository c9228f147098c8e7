//! Errors shared by the layers, and the search for a typed error in a boxed one.

use std::error::Error;

/// A configuration that cannot work, found when a layer is built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid {setting}: {requirement}")]
pub struct InvalidConfig {
    setting: &'static str,
    requirement: &'static str,
}

impl InvalidConfig {
    /// The field that is wrong.
    #[must_use]
    pub fn setting(&self) -> &'static str {
        self.setting
    }
}

pub(crate) fn ensure(
    holds: bool,
    setting: &'static str,
    requirement: &'static str,
) -> Result<(), InvalidConfig> {
    if holds { Ok(()) } else { Err(InvalidConfig { setting, requirement }) }
}

/// The first error of type `T` in the chain that starts at `error`.
///
/// Layers box their errors so that they compose; this is how the type is found again.
#[must_use]
pub fn find_cause<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    std::iter::successors(Some(error), |error| (**error).source()).find_map(|error| error.downcast_ref::<T>())
}
