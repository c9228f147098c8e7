//! The emulator from outside: wire shapes, rules, faults on real sockets, git, tokens, inventory.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

mod auth;
mod clock;
mod docs;
mod environments;
mod faults;
mod git;
mod golden;
mod invariants;
mod inventory;
mod items;
mod log;
mod operations;
mod rules;
mod support;
mod time;
