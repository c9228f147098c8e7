//! Who we are to Entra ID.

mod token_cache;

pub use token_cache::TokenCache;
