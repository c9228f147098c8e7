//! A bridge that sends what the Azure SDK sends through our own stack.
//!
//! Turn the SDK's own retries off (`RetryOptions::none()`), so that one layer of one stack retries. What gets tokens takes
//! [`HttpClient::tokens`].

mod http_client;
#[cfg(test)]
mod tests;

pub use http_client::HttpClient;
