//! `selvedge schema`: the JSON Schemas of what is read and what is printed.

use anyhow::Context as _;
use selvedge_deployment::config::schemas;
use serde_json::Value;

use crate::{
    args::Schema,
    exit,
    output::{self, Format},
};

/// Prints a schema.
///
/// # Errors
/// Stdout cannot be written.
pub(crate) fn run(of: Schema) -> anyhow::Result<u8> {
    let schema: Value = serde_json::from_str(text(of)).context("read a schema of this program")?;
    output::document(Format::Json, schema)?;
    Ok(exit::DONE)
}

fn text(of: Schema) -> &'static str {
    match of {
        Schema::Config => schemas::PRODUCT,
        Schema::Project => schemas::PROJECT,
        Schema::Naming => schemas::NAMING,
        Schema::Plan => include_str!("../../../../docs/plan.schema.json"),
        Schema::Events => include_str!("../../../../docs/events.schema.json"),
        Schema::Journal => include_str!("../../../../docs/journal.schema.json"),
        Schema::Transaction => include_str!("../../../../docs/transaction.schema.json"),
    }
}
