//! The emulator from outside: wire shapes, rules, faults on real sockets, git, tokens, inventory.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

mod auth;
mod clock;
mod faults;
mod git;
mod golden;
mod inventory;
mod items;
mod operations;
mod rules;
mod support;
