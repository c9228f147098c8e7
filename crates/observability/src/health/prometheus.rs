//! Health for Prometheus: text exposition format 0.0.4
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>).

use std::fmt::{Display, Write as _};

use super::{Health, Status};

/// A metric whose value may go up and down.
#[derive(Clone, Debug)]
pub struct Gauge {
    /// Its name.
    pub name: &'static str,
    /// What it tells, on one line.
    pub help: &'static str,
    /// Its values, each with its labels.
    pub samples: Vec<(Vec<(&'static str, String)>, f64)>,
}

/// The gauges of `health`: whether it is looked at, how each component is, and how long that took to find out.
#[must_use]
pub fn gauges(health: &Health, version: &str) -> Vec<Gauge> {
    let on = |is: bool| if is { 1.0 } else { 0.0 };
    let checks = health.checks();
    let component = |name: &str| ("component", name.to_owned());
    let statuses = checks.iter().flat_map(|check| {
        Status::ALL.map(|status| {
            let labels = vec![component(check.component), ("status", status.word().to_owned())];
            (labels, on(check.status == status))
        })
    });
    let durations = checks.iter().map(|check| (vec![component(check.component)], check.took.as_secs_f64()));
    vec![
        Gauge {
            name: "selvedge_build_info",
            help: "The version of selvedge; always 1.",
            samples: vec![(vec![("version", version.to_owned())], 1.0)],
        },
        Gauge {
            name: "selvedge_health_enabled",
            help: "Whether health is looked at: FEATURE_USE_HEALTH_CHECKS.",
            samples: vec![(Vec::new(), on(health.checks.is_some()))],
        },
        Gauge {
            name: "selvedge_health_check",
            help: "Whether the component has the status.",
            samples: statuses.collect(),
        },
        Gauge {
            name: "selvedge_health_check_duration_seconds",
            help: "How long the last check of the component took.",
            samples: durations.collect(),
        },
    ]
}

/// The text of these gauges. One without samples is left out.
#[must_use]
pub fn exposition(gauges: &[Gauge]) -> String {
    let mut text = String::new();
    for Gauge { name, help, samples } in gauges.iter().filter(|gauge| !gauge.samples.is_empty()) {
        push(&mut text, format_args!("# HELP {name} {}\n", escaped(help, false)));
        push(&mut text, format_args!("# TYPE {name} gauge\n"));
        for (labels, value) in samples {
            let labels: Vec<String> =
                labels.iter().map(|(label, value)| format!("{label}=\"{}\"", escaped(value, true))).collect();
            let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
            push(&mut text, format_args!("{name}{labels} {value}\n"));
        }
    }
    text
}

fn push(text: &mut String, what: impl Display) {
    // Writing to a String cannot fail.
    write!(text, "{what}").ok();
}

/// Of a help text backslashes and line breaks are escaped, of a label's value quotes too.
fn escaped(text: &str, is_label: bool) -> String {
    let text = text.replace('\\', r"\\").replace('\n', r"\n");
    if is_label { text.replace('"', r#"\""#) } else { text }
}

#[cfg(test)]
mod tests {
    use super::super::tests::health;
    use super::*;

    #[test]
    fn every_status_of_every_component_has_a_sample() {
        let text = exposition(&gauges(&health(&[Status::Pass, Status::Fail]), "1.2.3"));
        let expected = r#"# HELP selvedge_build_info The version of selvedge; always 1.
# TYPE selvedge_build_info gauge
selvedge_build_info{version="1.2.3"} 1
# HELP selvedge_health_enabled Whether health is looked at: FEATURE_USE_HEALTH_CHECKS.
# TYPE selvedge_health_enabled gauge
selvedge_health_enabled 1
# HELP selvedge_health_check Whether the component has the status.
# TYPE selvedge_health_check gauge
selvedge_health_check{component="a",status="pass"} 1
selvedge_health_check{component="a",status="warn"} 0
selvedge_health_check{component="a",status="fail"} 0
selvedge_health_check{component="b",status="pass"} 0
selvedge_health_check{component="b",status="warn"} 0
selvedge_health_check{component="b",status="fail"} 1
# HELP selvedge_health_check_duration_seconds How long the last check of the component took.
# TYPE selvedge_health_check_duration_seconds gauge
selvedge_health_check_duration_seconds{component="a"} 0.0015
selvedge_health_check_duration_seconds{component="b"} 0.0015
"#;
        assert_eq!(text, expected);
    }

    #[test]
    fn with_the_flag_off_it_says_so() {
        let text = exposition(&gauges(&Health::disabled(), "1"));
        assert!(text.contains("\nselvedge_health_enabled 0\n") && !text.contains("health_check"), "{text}");
    }

    #[test]
    fn labels_are_escaped() {
        let samples = vec![(vec![("of", "a\\b\"c\nd".to_owned())], 2.0)];
        let text = exposition(&[Gauge { name: "x", help: "one\\\ntwo", samples }]);
        assert_eq!(text, "# HELP x one\\\\\\ntwo\n# TYPE x gauge\nx{of=\"a\\\\b\\\"c\\nd\"} 2\n");
    }
}
