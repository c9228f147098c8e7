//! The stack as the program composes it, over the emulator in process and in virtual time.

mod bridge;
pub(crate) mod entra;
mod flags;
mod http2;
mod sockets;
mod undo;
pub(crate) mod world;
