//! `selvedge emulator`.

