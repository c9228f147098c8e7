//! The stack as the program composes it, over the emulator in process and in virtual time.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper of tests may panic as tests do")]

mod bridge;
mod entra;
mod flags;
mod http2;
mod sockets;
mod world;
