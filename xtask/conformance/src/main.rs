//! Holds the emulator and the clients against Microsoft's OpenAPI documents.

mod check;
mod spec;

fn main() {}
