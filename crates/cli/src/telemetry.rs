//! What this process tells of itself, where `FEATURE_USE_TELEMETRY` is on: settings and variables become exporters.

mod headers;
mod transport;

use std::time::Duration;

use anyhow::{Context as _, ensure};
use selvedge_observability::insights::ConnectionString;
use selvedge_observability::telemetry::{
    OtlpConfig, Probe, Protocol, Telemetry, TelemetryConfig, TelemetryLayer, Untold,
};
use selvedge_rollback::TransactionId;

use crate::clients::transport_config;
use crate::events;
use crate::flags::Flags;
use crate::redaction::redactor;
use crate::run::App;
use crate::settings::{
    Environment, Exporter, INSIGHTS_CONNECTION, INSIGHTS_KEY, OtlpCompression, OtlpProtocol, Settings,
    left_out,
};
use transport::Transport;

/// How long the end of a run waits for what was not told yet.
const AT_THE_END: Duration = Duration::from_secs(2);

/// Tells until it is dropped.
pub(crate) struct Telling(Option<Telemetry>);

impl Drop for Telling {
    fn drop(&mut self) {
        let Some(telemetry) = self.0.take() else { return };
        let Untold { spans, calls, is_late } = telemetry.shut_down(AT_THE_END);
        if is_late || spans > 0 {
            events::telemetry_incomplete(spans, calls, AT_THE_END);
        } else if calls > 0 {
            events::telemetry_paced(calls);
        }
    }
}

/// Begins to tell of `run`, whose spans are in one trace: that of its parent, or one with its id; without it each piece of work has one of its own.
/// What stands in the way is a warning: telemetry decides about nothing. It comes with the layer, for nothing is logged before that is in place.
pub(crate) fn start(
    settings: &Settings,
    flags: &Flags,
    environment: &Environment,
    run: Option<TransactionId>,
) -> (Telling, Option<TelemetryLayer>, Option<String>) {
    if !is_on(settings, flags) {
        return (Telling(None), None, None);
    }
    let left_out = left_out(environment);
    let warnings = |more: Option<String>| {
        let all: Vec<_> = left_out.iter().cloned().chain(more).collect();
        (!all.is_empty()).then(|| all.join("; "))
    };
    let nothing = |warning| (Telling(None), None, warnings(warning));
    let config = match config(settings, environment) {
        Ok(config) => TelemetryConfig { trace: run.map(|run| run.to_string()), ..config },
        Err(error) => return nothing(Some(format!("telemetry is off: {error:#}"))),
    };
    if config.is_empty() {
        // The predecessor's words, which people look for, and what there is besides.
        let warning = "APPINSIGHTS_INSTRUMENTATION_KEY not set - telemetry disabled. Set environment variable to enable telemetry, or \
             APPLICATIONINSIGHTS_CONNECTION_STRING, or OTEL_EXPORTER_OTLP_ENDPOINT.";
        return nothing(Some(warning.to_owned()));
    }
    match begin(&config, settings, environment) {
        Ok((telemetry, layer)) => (Telling(Some(telemetry)), Some(layer), warnings(None)),
        Err(error) => nothing(Some(format!("telemetry is off: {error:#}"))),
    }
}

/// Whether anything is told.
pub(crate) fn is_on(settings: &Settings, flags: &Flags) -> bool {
    flags.telemetry.on && !settings.telemetry.disabled
}

/// What asks the places that telemetry goes to whether they take it.
///
/// # Errors
///
/// There is none, or what is said of one makes no sense.
pub(crate) fn probe(settings: &Settings, environment: &Environment) -> anyhow::Result<Probe> {
    let config = config(settings, environment)?;
    ensure!(!config.is_empty(), "no place is named that telemetry goes to");
    Ok(Probe::new(&config, transport(&config, settings, environment)?)?)
}

/// Asks them once.
///
/// # Errors
///
/// As of [`probe`], and where one of them does not take it.
pub(crate) async fn ask(app: &App) -> anyhow::Result<()> {
    Ok(probe(&app.settings, &app.environment)?.ask().await?)
}

fn begin(
    config: &TelemetryConfig,
    settings: &Settings,
    environment: &Environment,
) -> anyhow::Result<(Telemetry, TelemetryLayer)> {
    Ok(Telemetry::start(config, redactor(), transport(config, settings, environment)?)?)
}

fn transport(
    config: &TelemetryConfig,
    settings: &Settings,
    environment: &Environment,
) -> anyhow::Result<Transport> {
    let certificate = settings.telemetry.otlp_certificate.as_deref();
    Transport::new(&transport_config(settings, environment), config.otlp.as_ref(), certificate)
}

fn config(settings: &Settings, environment: &Environment) -> anyhow::Result<TelemetryConfig> {
    let telemetry = &settings.telemetry;
    let wanted = |exporter: Exporter, own: &Option<String>, path: &str| {
        let base = telemetry.otlp_endpoint.as_deref().map(|base| match telemetry.otlp_protocol {
            OtlpProtocol::Grpc => base.to_owned(),
            OtlpProtocol::HttpProtobuf => format!("{}{path}", base.trim_end_matches('/')),
        });
        own.clone().or(base).filter(|_| exporter == Exporter::Otlp)
    };
    let traces = wanted(telemetry.traces, &telemetry.traces_endpoint, "/v1/traces");
    let metrics = wanted(telemetry.metrics, &telemetry.metrics_endpoint, "/v1/metrics");
    let logs = wanted(telemetry.logs, &telemetry.logs_endpoint, "/v1/logs");
    let some = traces.is_some() || metrics.is_some() || logs.is_some();
    let authorities = telemetry.otlp_certificate.as_ref().filter(|_| some).map(|path| {
        std::fs::read(path)
            .with_context(|| format!("OTEL_EXPORTER_OTLP_CERTIFICATE: read {}", path.display()))
    });
    let authorities = authorities.transpose()?;
    let headers = if some { headers::of(settings, environment)? } else { Vec::new() };
    let otlp = some.then(|| OtlpConfig {
        protocol: match telemetry.otlp_protocol {
            OtlpProtocol::HttpProtobuf => Protocol::HttpProtobuf,
            OtlpProtocol::Grpc => Protocol::Grpc,
        },
        traces,
        metrics,
        logs,
        headers,
        authorities,
        timeout: telemetry.otlp_timeout,
        gzip: telemetry.otlp_compression == OtlpCompression::Gzip,
    });
    Ok(TelemetryConfig {
        resource: resource(settings),
        otlp,
        insights: insights(environment)?,
        parent: environment.variable("TRACEPARENT"),
        calls_per_second: telemetry.calls_per_second,
        metric_interval: telemetry.metric_interval,
        ..TelemetryConfig::default()
    })
}

/// Where Application Insights are, by either of its variables.
fn insights(environment: &Environment) -> anyhow::Result<Option<ConnectionString>> {
    let whole = environment.set(INSIGHTS_CONNECTION);
    let parsed = match (whole, environment.set(INSIGHTS_KEY)) {
        (Some(connection), _) => connection.parse().context(INSIGHTS_CONNECTION),
        (None, Some(key)) => ConnectionString::of_key(key).context(INSIGHTS_KEY),
        (None, None) => return Ok(None),
    };
    parsed.map(Some)
}

/// Who tells. What the settings say of it beats what follows.
fn resource(settings: &Settings) -> Vec<(String, String)> {
    let telemetry = &settings.telemetry;
    let own = [
        ("service.name", telemetry.service.clone()),
        ("service.version", env!("CARGO_PKG_VERSION").to_owned()),
        ("service.instance.id", uuid::Uuid::now_v7().to_string()),
        ("deployment.environment.name", settings.environment.clone()),
        ("host.name", gethostname::gethostname().to_string_lossy().into_owned()),
        ("process.pid", std::process::id().to_string()),
    ];
    let given: Vec<_> = headers::pairs(telemetry.resource.as_deref().unwrap_or_default()).collect();
    let own = own.into_iter().map(|(key, value)| (key.to_owned(), value));
    own.filter(|(key, _)| given.iter().all(|(other, _)| other != key)).chain(given.clone()).collect()
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;
    use crate::settings::{Profile, load};

    fn config_of(variables: &[(&str, &str)]) -> TelemetryConfig {
        let root = tempfile::tempdir().unwrap();
        let environment = Environment::of(variables, &[]);
        config(&load(root.path(), &environment, &[], Profile::Guide).unwrap(), &environment).unwrap()
    }

    #[test]
    fn the_standard_variables_say_where_to() {
        assert!(config_of(&[]).otlp.is_none());
        let config = config_of(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318/"),
            ("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "http://127.0.0.1:9/logs"),
            ("OTEL_METRICS_EXPORTER", "none"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=a%20secret, x-team = sales"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "2500"),
            ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
            ("OTEL_METRIC_EXPORT_INTERVAL", "5000"),
            ("OTEL_SERVICE_NAME", "deployer"),
            ("OTEL_RESOURCE_ATTRIBUTES", "team=sales,host.name=elsewhere"),
            ("TRACEPARENT", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ]);
        let otlp = config.otlp.unwrap();
        assert_eq!(otlp.traces.as_deref(), Some("http://127.0.0.1:4318/v1/traces"));
        assert_eq!(otlp.logs.as_deref(), Some("http://127.0.0.1:9/logs"));
        assert_eq!((otlp.metrics, otlp.gzip, otlp.protocol), (None, true, Protocol::HttpProtobuf));
        assert_eq!(otlp.timeout, Duration::from_millis(2500));
        assert_eq!(config.metric_interval, Duration::from_secs(5));
        let headers: Vec<_> =
            otlp.headers.iter().map(|(name, value)| (name.as_str(), value.expose_secret())).collect();
        assert_eq!(headers, [("api-key", "a secret"), ("x-team", "sales")]);
        let of =
            |key: &str| config.resource.iter().find(|(it, _)| it == key).map(|(_, value)| value.as_str());
        assert_eq!(of("service.name"), Some("deployer"));
        assert_eq!((of("team"), of("host.name")), (Some("sales"), Some("elsewhere")));
        assert!(config.parent.is_some());
    }

    #[test]
    fn grpc_has_one_address_for_all() {
        let config = config_of(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4317"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ]);
        let otlp = config.otlp.unwrap();
        assert_eq!(otlp.traces.as_deref(), Some("http://127.0.0.1:4317"));
        assert_eq!((otlp.traces.clone(), otlp.protocol), (otlp.metrics, Protocol::Grpc));
    }
}
