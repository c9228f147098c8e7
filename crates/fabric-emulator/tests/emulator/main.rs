//! The emulator from outside: wire shapes, rules, faults on real sockets, git, tokens, inventory.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

mod auth;
mod clock;
mod connection_roles;
mod connections;
mod deployment_rules;
mod deployments;
mod domains;
mod faults;
mod git;
mod golden;
mod identity;
mod inventory;
mod items;
mod operations;
mod pipelines;
mod rules;
mod support;
