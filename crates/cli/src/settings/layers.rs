//! The layers of settings, lowest first: shipped defaults, shipped profile, `selvedge.toml`, `.env`, environment, command
//! line.

use std::path::Path;

use anyhow::{Context as _, anyhow};
use figment::{
    Error, Figment, Metadata, Profile, Provider,
    error::{Actual, Kind},
    providers::{Format as _, Toml},
    util::nest,
    value::{Dict, Map, Num, Value},
};

use selvedge_deployment::config::{is_secret, suggest::nearest};

use super::hosts::{TRUSTED_HOSTS, Trusted};
use super::{Environment, Origin, Profile as Defaults, SECRET_VARIABLES, Settings, check, file};

/// The settings file, at the project root.
const FILE: &str = "selvedge.toml";

/// Our own variables: `SELVEDGE_<SECTION>__<KEY>`.
const PREFIX: &str = "SELVEDGE_";

/// Variables under other names, most of them the predecessor's. Of two for one key the later wins.
pub(super) const VARIABLES: [(&str, &str); 34] = [
    ("AZURE_CLIENT_CERTIFICATE_PATH", "entra.certificate"),
    ("AZURE_CLIENT_ID", "entra.client_id"),
    ("AZURE_CLIENT_SEND_CERTIFICATE_CHAIN", "entra.send_certificate_chain"),
    ("AZURE_FEDERATED_TOKEN_FILE", "entra.federated_token_file"),
    ("AZURE_LOGIN_BASE_URL", "entra.authority"),
    ("AZURE_TENANT_ID", "entra.tenant_id"),
    ("ENVIRONMENT", "environment"),
    ("FABRIC_API_BASE_URL", "fabric.base_url"),
    ("FABRIC_API_MAX_RETRIES", "retry.max_attempts"),
    ("FABRIC_API_SCOPE", "fabric.scope"),
    ("GRAPH_API_BASE_URL", "graph.base_url"),
    ("GRAPH_API_SCOPE", "graph.scope"),
    ("HTTP_CONNECT_TIMEOUT", "http.connect_timeout"),
    ("HTTP_READ_TIMEOUT", "http.attempt_timeout"),
    ("KEY_VAULT_URL", "secrets.vault_url"),
    ("LOG_FORMAT", "log.format"),
    ("LOG_LEVEL", "log.level"),
    ("OTEL_EXPORTER_OTLP_CERTIFICATE", "telemetry.otlp_certificate"),
    ("OTEL_EXPORTER_OTLP_COMPRESSION", "telemetry.otlp_compression"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "telemetry.otlp_endpoint"),
    ("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "telemetry.logs_endpoint"),
    ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "telemetry.metrics_endpoint"),
    ("OTEL_EXPORTER_OTLP_PROTOCOL", "telemetry.otlp_protocol"),
    ("OTEL_EXPORTER_OTLP_TIMEOUT", "telemetry.otlp_timeout"),
    ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "telemetry.traces_endpoint"),
    ("OTEL_LOGS_EXPORTER", "telemetry.logs"),
    ("OTEL_METRICS_EXPORTER", "telemetry.metrics"),
    ("OTEL_METRIC_EXPORT_INTERVAL", "telemetry.metric_interval"),
    ("OTEL_RESOURCE_ATTRIBUTES", "telemetry.resource"),
    ("OTEL_SDK_DISABLED", "telemetry.disabled"),
    ("OTEL_SERVICE_NAME", "telemetry.service"),
    ("OTEL_TRACES_EXPORTER", "telemetry.traces"),
    ("RUST_LOG", "log.level"),
    ("SECRET_CACHE_TTL", "secrets.cache_ttl"),
];

/// Those that are numbers of milliseconds, as OpenTelemetry has it.
const IN_MILLISECONDS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TIMEOUT", "OTEL_METRIC_EXPORT_INTERVAL"];

/// A setting given on the command line.
pub(crate) struct CommandLine {
    /// As typed, for messages: `--verbose`.
    pub(crate) option: &'static str,
    /// The key that it sets: `log.level`.
    pub(crate) key: &'static str,
    /// What it is set to.
    pub(crate) value: String,
}

/// Resolves all layers and checks the result. `auto` is the profile that `resilience.profile = "auto"` means.
///
/// # Errors
/// A file that cannot be read, the first value of a wrong shape, or all that are out of range: each with its key and
/// the file or variable that it stands in, never with the value.
pub(crate) fn load(
    root: &Path,
    environment: &Environment,
    command_line: &[CommandLine],
    auto: Defaults,
) -> anyhow::Result<Settings> {
    let defaults = shipped()?;
    let given = not_shipped(root, environment, command_line, &defaults)?;
    // What is wrong with the key itself is found when everything is extracted.
    let profile = match given.clone().join(&defaults).extract_inner("resilience.profile") {
        Ok(Defaults::Auto) | Err(_) => auto,
        Ok(chosen) => chosen,
    };
    let mut figment = given;
    if profile == Defaults::Robust {
        figment = figment.join(Layer::toml("the shipped profile `robust`", include_str!("robust.toml"))?);
    }
    let figment = figment.join(&defaults);

    let mut settings: Settings = figment.extract().map_err(|error| anyhow!(explain(&error)))?;
    settings.resilience.profile = profile;
    let trusted = Trusted::by(environment).map_err(anyhow::Error::msg)?;
    let problems: Vec<String> = check::problems(&settings, &trusted)
        .into_iter()
        .map(|(key, problem)| format!("{key}, set by {}: {problem}", source(&figment, key)))
        .collect();
    if problems.is_empty() { Ok(settings) } else { Err(anyhow!(problems.join("\n"))) }
}

/// Everything that is not shipped.
fn not_shipped(
    root: &Path,
    environment: &Environment,
    command_line: &[CommandLine],
    defaults: &Figment,
) -> anyhow::Result<Figment> {
    let mut figment = Figment::new();
    if let Some(text) = file::read(&root.join(FILE))? {
        figment = figment.merge(Layer::toml(FILE, &text)?);
    }
    for origin in [Origin::EnvFile, Origin::Environment, Origin::Local] {
        for variable in variables(environment, origin) {
            let layer = Layer::of(&variable, origin, defaults);
            if nonsense(&variable, &layer, defaults).is_none() {
                figment = figment.merge(layer);
            }
        }
    }
    for given in command_line {
        let value = typed(defaults, given.key, &given.value);
        figment = figment.merge(Layer::one(given.option.to_owned(), given.key, value));
    }
    Ok(figment)
}

/// What is wrong with a variable of OpenTelemetry's. Other programs of a job read those as well, and may know more words; its specification has
/// what makes no sense left out: <https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/>.
fn nonsense((name, key, _): &(&str, String, &str), layer: &Layer, defaults: &Figment) -> Option<String> {
    if !name.starts_with("OTEL_") {
        return None;
    }
    let problem = match Figment::from(layer.clone()).join(defaults).extract::<Settings>() {
        Err(error) => without_value(&error.kind),
        Ok(settings) => {
            check::problems(&settings, &Trusted::default()).into_iter().find(|(of, _)| of == key)?.1
        }
    };
    Some(match IN_MILLISECONDS.contains(name) {
        true => format!("{name} counts as not set: expected a number of milliseconds"),
        false => format!("{name} counts as not set: {problem}"),
    })
}

/// The variables that count as not set because they make no sense here, and why.
pub(crate) fn left_out(environment: &Environment) -> Vec<String> {
    let Ok(defaults) = shipped() else { return Vec::new() };
    let origins = [Origin::EnvFile, Origin::Environment, Origin::Local].into_iter();
    let all = origins.flat_map(|origin| variables(environment, origin).map(move |it| (origin, it)));
    all.filter_map(|(origin, it)| nonsense(&it, &Layer::of(&it, origin, &defaults), &defaults)).collect()
}

fn shipped() -> anyhow::Result<Figment> {
    Ok(Figment::from(Layer::toml("the shipped defaults", include_str!("default.toml"))?))
}

/// Where a variable sets the setting `key`; [`Origin::Default`] where none does: then it is a file that does, or nothing.
pub(crate) fn set_by(environment: &Environment, key: &str) -> Origin {
    let Ok(defaults) = shipped() else { return Origin::Default };
    let sets = |origin: &Origin| {
        let mut all = variables(environment, *origin).filter(|(_, set, _)| set == key);
        all.any(|it| nonsense(&it, &Layer::of(&it, *origin, &defaults), &defaults).is_none())
    };
    [Origin::Local, Origin::Environment, Origin::EnvFile].into_iter().find(sets).unwrap_or(Origin::Default)
}

/// Whether a variable of this name is a setting.
pub(super) fn is_setting(name: &str) -> bool {
    VARIABLES.iter().any(|(variable, _)| *variable == name) || name.starts_with(PREFIX)
}

/// The variables of `origin` that are settings, as (name, key, value), lowest first. An empty one counts as not
/// set: CI systems set those for what they lack.
fn variables(environment: &Environment, origin: Origin) -> impl Iterator<Item = (&str, String, &str)> {
    let find = move |wanted: &str| environment.only(origin).find(|(name, _)| *name == wanted);
    let foreign = VARIABLES
        .iter()
        .filter_map(move |(name, key)| find(name).map(|(name, value)| (name, (*key).to_owned(), value)));
    let is_own = |name: &str| !SECRET_VARIABLES.contains(&name) && name != TRUSTED_HOSTS;
    let own = environment.only(origin).filter(move |(name, _)| is_own(name));
    let own = own.filter_map(|(name, value)| {
        let key = name.strip_prefix(PREFIX)?.to_lowercase().replace("__", ".");
        Some((name, key, value))
    });
    foreign.chain(own).filter(|(_, _, value)| !value.is_empty())
}

/// A variable is text; it becomes a number where the default is one, and only there, so that `007` stays a name. A
/// fraction where a whole number belongs stays text, and is refused as such.
fn typed(defaults: &Figment, key: &str, text: &str) -> Value {
    let number = match defaults.find_value(key) {
        Ok(Value::Num(_, Num::F64(_) | Num::F32(_))) => text.trim().parse::<f64>().ok().map(Value::from),
        Ok(Value::Num(..)) => text.trim().parse::<u64>().ok().map(Value::from),
        _ => None,
    };
    number.unwrap_or_else(|| Value::from(text))
}

/// One layer: values and the name of where they stand.
#[derive(Clone)]
struct Layer {
    name: String,
    values: Dict,
}

impl Layer {
    fn toml(name: &str, text: &str) -> anyhow::Result<Self> {
        let values = Toml::from_str::<Dict>(text)
            .map_err(|error| {
                // Only line and message: the whole error quotes the source line.
                let start = error.span().map_or(0, |span| span.start);
                let line = text.get(..start).unwrap_or(text).matches('\n').count() + 1;
                anyhow!("line {line}: {}", error.message())
            })
            .with_context(|| format!("parse {name}"))?;
        Ok(Self { name: name.to_owned(), values })
    }

    /// A variable, by name, key and value.
    fn of((name, key, text): &(&str, String, &str), origin: Origin, defaults: &Figment) -> Self {
        let value = match IN_MILLISECONDS.contains(name) {
            true => Value::from(format!("{text}ms")),
            false => typed(defaults, key, text),
        };
        Self::one(format!("{name} ({})", origin.name()), key, value)
    }

    fn one(name: String, key: &str, value: Value) -> Self {
        Self { name, values: nest(key, value).into_dict().unwrap_or_default() }
    }
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.name.clone())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        Ok(Profile::Default.collect(self.values.clone()))
    }
}

/// Where the value of `key` stands.
fn source<'a>(figment: &'a Figment, key: &str) -> &'a str {
    figment.find_metadata(key).map_or("an unknown source", |metadata| metadata.name.as_ref())
}

/// A problem with its key and source. The value is left out: a secret may have strayed into the wrong place.
fn explain(error: &Error) -> String {
    let key = error.path.join(".");
    let source = error.metadata.as_ref().map_or("an unknown source", |metadata| metadata.name.as_ref());
    let problem = match &error.kind {
        Kind::UnknownField(name, known) => match nearest(name, known.iter().copied()) {
            Some(meant) => format!("unknown key; did you mean `{meant}`?"),
            None if is_secret(name) => {
                "unknown key; secrets are read from the environment or .env alone".to_owned()
            }
            None => format!("unknown key; known here: {}", known.join(", ")),
        },
        kind => without_value(kind),
    };
    format!("{key}, set by {source}: {problem}")
}

/// What was expected, without what was found.
fn without_value(kind: &Kind) -> String {
    match kind {
        Kind::InvalidType(found, expected) | Kind::InvalidValue(found, expected) => {
            let found = match found {
                Actual::Bool(_) => "a boolean",
                Actual::Unsigned(_) | Actual::Signed(_) => "an integer",
                Actual::Float(_) => "a float",
                Actual::Char(_) | Actual::Str(_) => "text",
                Actual::Seq => "a list",
                Actual::Map => "a section",
                _ => "another type",
            };
            let expected = match expected.as_str() {
                "u16" | "u32" | "u64" => "a whole number",
                "f64" => "a number",
                name if name.starts_with("struct ") => "a section",
                name if name.starts_with("enum ") => "a word",
                other => other,
            };
            format!("found {found}, expected {expected}")
        }
        Kind::UnknownVariant(_, known) => format!("expected one of: {}", known.join(", ")),
        kind => kind.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_file_names_each_variable_above_its_key() {
        let text = include_str!("default.toml");
        for (name, key) in VARIABLES {
            let key = key.rsplit('.').next().unwrap();
            let lines: Vec<&str> = text.lines().collect();
            let documented = lines.windows(2).any(|pair| {
                let setting = pair[1].trim_start_matches("# ");
                pair[0].starts_with('#')
                    && pair[0].contains(name)
                    && setting.starts_with(&format!("{key} = "))
            });
            assert!(documented, "{name} above {key}");
        }
    }
}
