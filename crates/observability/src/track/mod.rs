//! What a program that embeds selvedge's libraries tells of itself: events, metrics, exceptions and operations, by the words of the guide.
//!
//! They go where everything else goes: out as spans and events of `tracing`, and from there to the logs, to a collector and to Application
//! Insights, by a [`TelemetryLayer`](crate::telemetry::TelemetryLayer) that knows the sinks. Nothing here does. Where nobody listens nothing
//! is even put into words, and nothing ever fails: telemetry decides about nothing.
//!
//! | here | as OpenTelemetry | in Application Insights |
//! | --- | --- | --- |
//! | [`track_event`] | a log record with `microsoft.custom_event.name` | `customEvents`; numbers are measurements |
//! | [`track_metric`] | a histogram of that name | `customMetrics`: sum, count, least and greatest |
//! | [`track_exception`] | a log record with `exception.type` and `exception.message` | `exceptions` |
//! | [`track_operation`] | a span of that name | `dependencies`, with everything in it in one operation |
//!
//! Names, also those of properties, are words of the program; what varies is a value. Values have no secrets any more when they are sent:
//! [`redact`](crate::redact).
//!
//! ```
//! use std::time::Duration;
//! use selvedge_observability::{
//!     redact::Redactor,
//!     telemetry::{Telemetry, TelemetryConfig},
//!     track_event, track_exception, track_metric, track_operation,
//! };
//! use tracing_subscriber::layer::SubscriberExt as _;
//!
//! # let transport = tower::service_fn(|_| async { Ok(http::Response::new(bytes::Bytes::new())) });
//! // Once, by the program: who listens. `transport` is any tower service that sends requests.
//! let config = TelemetryConfig {
//!     resource: vec![("service.name".to_owned(), "our-portal".to_owned())],
//!     insights: Some("InstrumentationKey=00000000-1111-4222-8333-444444444444".parse()?),
//!     ..TelemetryConfig::default()
//! };
//! let (telemetry, layer) = Telemetry::start(&config, &Redactor::default(), transport)?;
//! let subscriber = tracing_subscriber::registry().with(layer.filtered());
//! let _listening = tracing::subscriber::set_default(subscriber);
//!
//! // Anywhere, by any of its parts.
//! let operation = track_operation("CreateWorkspace").with(&[("environment", "dev".into())]);
//! let created: Result<u64, std::io::Error> = operation.scope(|| {
//!     track_event("WorkspaceCreated", &[("workspace", "Sales [DEV]".into()), ("items", 3.into())]);
//!     Ok(3)
//! });
//! match created {
//!     Ok(items) => track_metric("items_created", items as f64, &[("environment", "dev".into())]),
//!     // Not needed for what an operation failed with: that is told.
//!     Err(error) => track_exception(&error, &[]),
//! }
//!
//! // At the end: sends what waits, for two seconds at most.
//! let untold = telemetry.shut_down(Duration::from_secs(2));
//! # drop(untold);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod operation;
mod property;

use std::{any::type_name, error::Error, fmt, iter};

pub use operation::{Operation, track_operation};
pub use property::Property;
pub(crate) use property::{Properties, parse};

use crate::events;

/// Tells that something happened, called `name`. Numbers among the properties can be added up.
pub fn track_event(name: &'static str, properties: &[(&'static str, Property<'_>)]) {
    events::tracked(name, Properties(properties));
}

/// Tells that `name` was measured to be `value`, in whatever unit its name says. What is not finite is left out.
///
/// Each combination of properties is a series of its own: they are what it is looked at by, and not ids. OpenTelemetry's names have letters,
/// digits, `_`, `.`, `-` and `/`, and begin with a letter: `_` stands for all else.
pub fn track_metric(name: &'static str, value: f64, properties: &[(&'static str, Property<'_>)]) {
    events::measured(name, value, Properties(properties));
}

/// Tells of an error, with its causes. What an [`Operation`] failed with has been told.
///
/// It is told by its type; of what is only known to be an error, such as `dyn Error`, that is `Error`.
pub fn track_exception<E: Error + ?Sized>(error: &E, properties: &[(&'static str, Property<'_>)]) {
    events::raised(kind::<E>(), &Causes(error), Properties(properties));
}

/// What an error is.
fn kind<E: ?Sized>() -> &'static str {
    let name = type_name::<E>();
    if name.starts_with("dyn ") { "Error" } else { name }
}

/// An error and its causes, one after the other.
pub(crate) struct Causes<'a, E: ?Sized>(pub(crate) &'a E);

impl<E: Error + ?Sized> fmt::Display for Causes<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        iter::successors(self.0.source(), |error| (*error).source())
            .try_for_each(|error| write!(f, ": {error}"))
    }
}
