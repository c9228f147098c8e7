//! How the layers behave together over minutes of a service's trouble, in virtual time: an outage, and throttling.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::print_stdout, reason = "what is measured is shown")]

mod outage;
mod quota;
mod throttle;
mod wire;
