//! The program as a user runs it: a process with arguments, an environment and a folder. What it deploys to is an
//! emulator, a process of its own.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper of tests may panic as tests do")]
#![cfg_attr(
    not(feature = "emulator"),
    expect(dead_code, reason = "without an emulator there is nothing to deploy to")
)]

mod about;
mod program;
mod project;
#[cfg(target_os = "linux")]
mod start_up;
mod usage;
#[cfg(feature = "emulator")]
mod workspace_sets;
#[cfg(feature = "emulator")]
mod workspaces;

#[cfg(feature = "emulator")]
mod tenant;

#[cfg(all(feature = "emulator", unix))]
mod audit;
#[cfg(all(feature = "emulator", unix))]
mod azurite;
#[cfg(feature = "emulator")]
mod bad_input;
#[cfg(feature = "emulator")]
mod canaries;
#[cfg(feature = "emulator")]
mod chaos;
#[cfg(feature = "emulator")]
mod ci;
#[cfg(feature = "emulator")]
mod denied;
#[cfg(feature = "emulator")]
mod deploy;
#[cfg(all(feature = "emulator", unix))]
mod doctor;
#[cfg(feature = "emulator")]
mod drift;
#[cfg(feature = "emulator")]
mod emulator;
#[cfg(feature = "emulator")]
mod existing;
#[cfg(feature = "emulator")]
mod export;
#[cfg(feature = "emulator")]
mod faults;
#[cfg(feature = "emulator")]
mod folders;
#[cfg(all(feature = "emulator", unix))]
mod full_disk;
#[cfg(feature = "emulator")]
mod gc;
#[cfg(feature = "emulator")]
mod git;
#[cfg(feature = "emulator")]
mod health;
#[cfg(feature = "emulator")]
mod identity;
#[cfg(all(feature = "emulator", unix))]
mod interrupted;
#[cfg(feature = "emulator")]
mod inventory;
#[cfg(feature = "emulator")]
mod items;
#[cfg(all(feature = "emulator", unix))]
mod journal;
#[cfg(feature = "emulator")]
mod key_vault;
#[cfg(feature = "emulator")]
mod lock;
#[cfg(feature = "emulator")]
mod logging;
#[cfg(feature = "emulator")]
mod migrate;
#[cfg(all(feature = "emulator", unix))]
mod monitoring;
#[cfg(all(feature = "emulator", unix))]
mod onboard;
#[cfg(feature = "emulator")]
mod output;
#[cfg(feature = "emulator")]
mod promote;
#[cfg(feature = "emulator")]
mod query;
#[cfg(feature = "emulator")]
mod recheck;
#[cfg(all(feature = "emulator", unix))]
mod reports;
#[cfg(feature = "emulator")]
mod resilience;
#[cfg(feature = "emulator")]
mod schemas;
#[cfg(feature = "emulator")]
mod sealed;
#[cfg(feature = "emulator")]
mod secrets;
#[cfg(all(feature = "emulator", unix))]
mod serve;
#[cfg(feature = "emulator")]
mod sink;
#[cfg(feature = "emulator")]
mod stack;
#[cfg(feature = "emulator")]
mod telemetry;
#[cfg(feature = "emulator")]
mod transactions;
