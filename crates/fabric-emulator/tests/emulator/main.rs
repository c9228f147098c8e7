//! The emulator from outside: wire shapes, rules, faults on real sockets, git, tokens, inventory.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

mod admin;
mod auth;
mod bulk;
mod clock;
mod connection_roles;
mod connections;
mod deployment_rules;
mod deployments;
mod docs;
mod domains;
mod entra;
mod environments;
mod faults;
mod git;
mod golden;
mod identity;
mod inputs;
mod invariants;
mod inventory;
mod item_services;
mod items;
mod jobs;
mod log;
mod operations;
mod pipelines;
mod raw;
mod roles;
mod rules;
#[cfg(feature = "tls")]
mod serving;
mod shortcuts;
mod snapshot;
mod spark;
mod sql_audit;
mod support;
mod tags;
mod time;
mod vault;
mod wire;
mod workload;
