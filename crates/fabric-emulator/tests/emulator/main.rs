//! The emulator from outside: wire shapes, rules, faults on real sockets, git, tokens, inventory.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

mod auth;
mod clock;
mod docs;
mod entra;
mod environments;
mod faults;
mod git;
mod golden;
mod invariants;
mod inventory;
mod item_services;
mod items;
mod jobs;
mod log;
mod operations;
mod roles;
mod rules;
#[cfg(feature = "tls")]
mod serving;
mod shortcuts;
mod spark;
mod support;
mod time;
