//! Whether what is told arrives: a warning at most.

use std::net::TcpListener;

use serde_json::{Value, json};

use super::{JSON, Served};
use crate::{project::Project, sink::Sink, tenant::Tenant};

/// The status of the component and of everything, where the collector is there.
#[track_caller]
fn with(tenant: &Tenant, variables: &[(&str, &str)]) -> (Value, Value, Value) {
    let project = Project::orders();
    let on = [("FEATURE_USE_TELEMETRY", "true")];
    let served = Served::of(tenant, &project, &[&on[..], variables].concat());
    let told = served.readiness();
    let message = served.get("/ready", JSON).json()["checks"]["telemetry"]["message"].clone();
    served.ends();
    (told["checks"]["telemetry"].clone(), told["status"].clone(), message)
}

#[test]
fn a_place_that_takes_it_and_places_that_do_not() {
    let (tenant, sink) = (Tenant::start(), Sink::start());
    let took = with(&tenant, &[("OTEL_EXPORTER_OTLP_ENDPOINT", &sink.url)]);
    assert_eq!(took, (json!("pass"), json!("pass"), json!("Telemetry is taken")));
    assert!(sink.paths().contains("/v1/traces"));

    // Somebody listens there, and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("http://{}", silent.local_addr().unwrap());
    let not_taken = (json!("warn"), json!("warn"), json!("Telemetry is not taken"));
    for url in [&*silent, "http://127.0.0.1:1"] {
        let insights =
            format!("InstrumentationKey=00000000-1111-4222-8333-444444444444;IngestionEndpoint={url}");
        for (variable, value) in
            [("OTEL_EXPORTER_OTLP_ENDPOINT", url), ("APPLICATIONINSIGHTS_CONNECTION_STRING", &insights)]
        {
            assert_eq!(with(&tenant, &[(variable, value)]), not_taken, "{variable}={value}");
        }
    }
    // None is named; and none is wanted.
    assert_eq!(with(&tenant, &[]), not_taken);
    let (component, status, _) = with(&tenant, &[("OTEL_SDK_DISABLED", "true")]);
    assert_eq!((component, status), (Value::Null, json!("pass")));
}
