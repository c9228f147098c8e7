//! A request to the simulated world.

/// What a request asks for.
#[derive(Clone, Debug)]
pub(super) enum Ask {
    Make { name: String, marker: Option<String>, inside: Option<u32> },
    Write { name: String, text: String },
    Grant { who: String },
    Publish,
    Remove { id: u32 },
    Restore { id: u32, wrote: String, before: String },
    Revoke { who: String },
    Unmark { id: u32, marker: String },
}

impl Ask {
    /// Whether it does harm where it is carried out after the end: what the next transaction does would be taken back.
    pub(super) fn puts_back(&self) -> bool {
        matches!(self, Self::Restore { .. } | Self::Revoke { .. })
    }
}

/// What came of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Got {
    Id(u32),
    Done,
    Gone,
    Kept(String),
    Refused(&'static str),
}
