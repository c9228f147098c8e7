//! Capacities.
//!
//! See <https://learn.microsoft.com/rest/api/fabric/core/capacities>.

use crate::{CapacityId, Paged};
use serde::{Deserialize, Serialize};

/// A capacity that the caller may see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Capacity {
    /// Its id.
    pub id: CapacityId,
    /// Its name.
    pub display_name: String,
    /// Its size, such as `F64`.
    pub sku: Option<String>,
    /// Where it is, such as `Central US`.
    pub region: Option<String>,
    /// `Active` or `Inactive`.
    pub state: Option<String>,
}

impl Capacity {
    /// Whether it runs; a paused one refuses nearly everything.
    #[must_use]
    pub fn is_active(&self) -> bool {
        let state = self.state.as_deref().unwrap_or_default();
        state.eq_ignore_ascii_case("Active")
    }
}

/// All capacities that the caller may see. A caller without rights on a capacity may use it all the same.
#[must_use]
pub fn list() -> Paged<Capacity> {
    Paged::value("capacities.list", "/capacities")
}
