//! What a collector knows us by. It is a secret, and sent to it in each request.

use anyhow::ensure;
use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use crate::redaction::redact;
use crate::settings::{Environment, OTLP_HEADERS, Origin, Settings, TRUSTED_HOSTS, Trusted, set_by};

/// The headers, where each collector may have them: this machine, a trusted host, or one that is named where they are. A file travels with a
/// project, and could name any host for what only the environment has.
///
/// # Errors
///
/// One may not.
pub(super) fn of(
    settings: &Settings,
    environment: &Environment,
) -> anyhow::Result<Vec<(String, SecretString)>> {
    let Some((_, origin)) = environment.find(OTLP_HEADERS).filter(|(headers, _)| !headers.is_empty()) else {
        return Ok(Vec::new());
    };
    let telemetry = &settings.telemetry;
    let trusted = Trusted::by(environment).map_err(anyhow::Error::msg)?;
    for (key, endpoint) in [
        ("telemetry.otlp_endpoint", &telemetry.otlp_endpoint),
        ("telemetry.traces_endpoint", &telemetry.traces_endpoint),
        ("telemetry.metrics_endpoint", &telemetry.metrics_endpoint),
        ("telemetry.logs_endpoint", &telemetry.logs_endpoint),
    ] {
        let Some(endpoint) = endpoint else { continue };
        let may_have_it =
            set_by(environment, key) >= origin || Url::parse(endpoint).is_ok_and(|url| trusted.knows(&url));
        ensure!(
            may_have_it,
            "{OTLP_HEADERS} is set in {}, and {key} in a file: it is a secret, which no file may send anywhere; set OTEL_EXPORTER_OTLP_ENDPOINT where it is, or name the host in {TRUSTED_HOSTS}",
            match origin {
                Origin::EnvFile => ".env",
                _ => "the environment",
            }
        );
    }
    let proxy = ["HTTPS_PROXY", "https_proxy"].into_iter().find_map(|name| environment.find(name));
    let proxy = proxy.filter(|(address, _)| !address.is_empty()).map(|(_, origin)| origin);
    let authority =
        telemetry.otlp_certificate.is_some().then(|| set_by(environment, "telemetry.otlp_certificate"));
    for (what, by) in [("HTTPS_PROXY", proxy), ("OTEL_EXPORTER_OTLP_CERTIFICATE", authority)] {
        ensure!(
            by.is_none_or(|by| by >= origin),
            "{OTLP_HEADERS} is set in the environment, and {what} in a file, by which others could read it; set {what} in the environment, too"
        );
    }
    let headers = environment.secret(OTLP_HEADERS);
    let headers: Vec<_> = headers
        .iter()
        .flat_map(|headers| pairs(headers.expose_secret()))
        .map(|(name, value)| (name, SecretString::from(value)))
        .collect();
    for (name, value) in &headers {
        // Too short to be kept out of what is written: nothing that is worth a word for each collector's own flags.
        drop(redact(name, value));
    }
    Ok(headers)
}

/// `key=value,key=value`, values percent-encoded: <https://www.w3.org/TR/baggage/#header-content>.
pub(super) fn pairs(text: &str) -> impl Iterator<Item = (String, String)> {
    text.split(',').filter_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        let value = percent_decode_str(value.trim()).decode_utf8_lossy().into_owned();
        (!key.trim().is_empty()).then(|| (key.trim().to_owned(), value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Profile, load};

    #[test]
    fn no_file_sends_them_where_it_likes() {
        const NAME: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
        let headers = (OTLP_HEADERS, "api-key=TOPSECRET");
        let toml = "[telemetry]\notlp_endpoint = \"https://collector.example\"\n";
        let elsewhere = (NAME, "https://collector.example");
        for (file, process, env_file, may) in [
            ("", vec![headers, elsewhere], vec![], true),
            ("", vec![headers], vec![(NAME, "http://127.0.0.1:4318")], true),
            ("", vec![], vec![headers, elsewhere], true),
            ("", vec![headers, (TRUSTED_HOSTS, "collector.example")], vec![elsewhere], true),
            (toml, vec![elsewhere], vec![headers], true),
            ("", vec![headers], vec![elsewhere], false),
            (toml, vec![headers], vec![], false),
            (toml, vec![], vec![headers], false),
            (
                "",
                vec![headers, elsewhere],
                vec![("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "https://collector.evil.example/v1/logs")],
                false,
            ),
            ("", vec![headers], vec![(NAME, "http://127.0.0.1.evil.example")], false),
            ("", vec![headers, elsewhere, ("HTTPS_PROXY", "http://proxy.example")], vec![], true),
            ("", vec![headers, elsewhere], vec![("HTTPS_PROXY", "http://proxy.example")], false),
            ("", vec![headers, elsewhere], vec![("OTEL_EXPORTER_OTLP_CERTIFICATE", "ca.pem")], false),
        ] {
            let root = tempfile::tempdir().unwrap();
            std::fs::write(root.path().join("selvedge.toml"), file).unwrap();
            let environment = Environment::of(&process, &env_file);
            let settings = load(root.path(), &environment, &[], Profile::Guide).unwrap();
            let told = of(&settings, &environment);
            assert_eq!(told.is_ok(), may, "{file} {process:?} {env_file:?}");
            assert!(told.is_ok_and(|it| it.len() == 1) || !may);
        }
    }
}
