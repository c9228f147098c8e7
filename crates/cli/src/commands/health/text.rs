//! The report for people: Markdown, with the predecessor's headings.

use serde_json::Value;

use crate::text::one_line;

/// The text of a report.
pub(super) fn of(report: &Value) -> String {
    let word = |key: &str| one_line(report[key].as_str().unwrap_or_default());
    let mut text = format!(
        "# Fabric Workspace Health Report\n\n**Workspace:** {}\n**Environment:** {}\n**Timestamp:** {}\n**Overall Status:** {}\n",
        word("workspace"),
        word("environment"),
        word("check_timestamp"),
        word("overall_status"),
    );
    section(&mut text, "🔴 Critical Issues", issues(&report["critical_issues"]));
    section(&mut text, "🟡 Warnings", issues(&report["warnings"]));
    section(&mut text, "📊 Metrics", metrics(&report["metrics"]));
    let advice = list(&report["recommendations"]).filter_map(Value::as_str).map(one_line);
    section(&mut text, "💡 Recommendations", advice.collect());
    text.trim_end().to_owned()
}

fn section(text: &mut String, title: &str, lines: Vec<String>) {
    if lines.is_empty() {
        return;
    }
    text.push_str(&format!("\n## {title}\n\n"));
    lines.iter().for_each(|line| text.push_str(&format!("- {line}\n")));
}

fn issues(issues: &Value) -> Vec<String> {
    let word = |issue: &Value, key: &str| one_line(issue[key].as_str().unwrap_or_default());
    list(issues).map(|issue| format!("**{}**: {}", word(issue, "type"), word(issue, "description"))).collect()
}

fn metrics(metrics: &Value) -> Vec<String> {
    let metrics = metrics.as_object().into_iter().flatten();
    metrics.map(|(name, value)| format!("**{name}**: {}", one_line(&value.to_string()))).collect()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_section_without_anything_is_left_out() {
        let text = of(&json!({
            "workspace": "w\u{1b}[2J",
            "environment": "dev",
            "overall_status": "critical",
            "critical_issues": [{ "type": "accessibility", "description": "there is no workspace" }],
            "warnings": [],
            "metrics": { "total_items": 3 },
            "recommendations": ["look"],
        }));
        assert!(
            text.starts_with("# Fabric Workspace Health Report\n\n**Workspace:** w\\u{1b}[2J\n"),
            "{text}"
        );
        for expected in [
            "## 🔴 Critical Issues\n\n- **accessibility**: there is no workspace\n",
            "## 📊 Metrics\n\n- **total_items**: 3\n",
            "## 💡 Recommendations\n\n- look",
        ] {
            assert!(text.contains(expected), "{expected}\n{text}");
        }
        assert!(!text.contains("🟡"), "{text}");
    }
}
