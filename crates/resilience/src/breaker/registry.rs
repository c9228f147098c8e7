//! The breakers of one service.

use super::{Breaker, BreakerConfig, BreakerSnapshot};
use crate::{Class, InvalidConfig, sync::Mutex};
use std::{collections::BTreeMap, sync::Arc};

/// A breaker for each [`Class`] of requests of one service, made when the class is first met and kept as long as this is.
/// Shared by its clones.
#[derive(Clone, Debug)]
pub struct Breakers {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    service: String,
    config: BreakerConfig,
    by_class: Mutex<BTreeMap<Class, Breaker>>,
}

impl Breakers {
    /// No breakers yet. `service` is the first part of their names.
    ///
    /// # Errors
    ///
    /// When `config` cannot work.
    pub fn new(service: impl Into<String>, config: BreakerConfig) -> Result<Self, InvalidConfig> {
        config.validate()?;
        let shared = Shared { service: service.into(), config, by_class: Mutex::new(BTreeMap::new()) };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// The breaker of `class`.
    #[must_use]
    pub fn get(&self, class: &Class) -> Breaker {
        let mut by_class = self.shared.by_class.lock();
        if let Some(breaker) = by_class.get(class) {
            return breaker.clone();
        }
        let Shared { service, config, .. } = &*self.shared;
        let name = crate::class_name(service, class);
        let breaker = Breaker::valid(name, config.clone());
        by_class.insert(class.clone(), breaker.clone());
        breaker
    }

    /// All breakers at this moment, ordered by name.
    #[must_use]
    pub fn snapshot(&self) -> Vec<BreakerSnapshot> {
        self.shared.by_class.lock().values().map(Breaker::snapshot).collect()
    }

    /// [Resets](Breaker::reset) all breakers.
    pub fn reset(&self) {
        self.shared.by_class.lock().values().for_each(Breaker::reset);
    }
}
