//! Which form of an answer a client wants: RFC 9110, 12.5.1.

/// A form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// [`draft`](super::json::draft).
    HealthJson,
    /// [`predecessors`](super::json::predecessors).
    Json,
    /// [`prometheus`](super::prometheus).
    Prometheus,
    /// [`page`](super::page).
    Html,
}

impl Form {
    /// As `Content-Type` says it.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::HealthJson => "application/health+json",
            Self::Json => "application/json",
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Self::Html => "text/html; charset=utf-8",
        }
    }

    fn media_type(self) -> (&'static str, &'static str) {
        match self {
            Self::HealthJson => ("application", "health+json"),
            Self::Json => ("application", "json"),
            Self::Prometheus => ("text", "plain"),
            Self::Html => ("text", "html"),
        }
    }
}

/// What suits `accept` best among `offered`, which are best first; of equals the first.
///
/// Where nothing suits it is the first: whoever asks how we are wants the status code, and 406 would look like bad health. `None` where
/// nothing is offered.
#[must_use]
pub fn choose(accept: Option<&str>, offered: &[Form]) -> Option<Form> {
    let first = offered.first().copied();
    let Some(accept) = accept else { return first };
    let mut best = None;
    for form in offered {
        let quality = quality(accept, *form);
        if quality > best.map_or(0, |(quality, _)| quality) {
            best = Some((quality, *form));
        }
    }
    best.map(|(_, form)| form).or(first)
}

/// In thousandths. The most specific range that matches decides.
fn quality(accept: &str, form: Form) -> u16 {
    let (kind, subtype) = form.media_type();
    let mut decided = (0, 0);
    for range in accept.split(',') {
        let mut parts = range.split(';').map(str::trim);
        let named = parts.next().unwrap_or_default().to_ascii_lowercase();
        let specific = match named.split_once('/') {
            Some((k, s)) if k == kind && s == subtype => 3,
            Some((k, "*")) if k == kind => 2,
            Some(("*", "*")) => 1,
            _ => continue,
        };
        let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        let weight = weight.map_or(1.0, |weight| weight.trim().parse::<f32>().unwrap_or(0.0));
        // What is no number becomes 0.
        let weight = (weight.clamp(0.0, 1.0) * 1000.0) as u16;
        if specific > decided.0 {
            decided = (specific, weight);
        }
    }
    decided.1
}

#[cfg(test)]
mod tests {
    use super::Form::{HealthJson, Html, Json, Prometheus};
    use super::*;

    #[test]
    fn what_is_asked_for() {
        let health = &[HealthJson, Json][..];
        let page = &[Html, HealthJson, Json][..];
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";
        let scraper =
            "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1";
        for (accept, offered, form) in [
            (None, health, HealthJson),
            (Some("*/*"), health, HealthJson),
            (Some(""), health, HealthJson),
            (Some("application/json"), health, Json),
            (Some("Application/JSON"), health, Json),
            (Some("application/health+json"), health, HealthJson),
            (Some("application/json, text/plain, */*"), health, HealthJson),
            (Some("application/json, text/plain, */*;q=0.1"), health, Json),
            (Some("application/*;q=0.2, application/json"), health, Json),
            (Some("application/health+json;q=0.5, application/json;q=0.9"), health, Json),
            (Some("application/health+json;q=0, */*"), health, Json),
            (Some("image/png"), health, HealthJson),
            (Some(browser), health, HealthJson),
            (Some(browser), page, Html),
            (Some("application/health+json"), page, HealthJson),
            (Some("*/*"), page, Html),
            (Some(scraper), &[Prometheus], Prometheus),
            (Some("application/json;q=NaN"), health, HealthJson),
            (Some("application/json;q=-1, ;;,/,*"), health, HealthJson),
        ] {
            assert_eq!(choose(accept, offered), Some(form), "{accept:?} of {offered:?}");
        }
        assert_eq!(choose(None, &[]), None);
    }
}
