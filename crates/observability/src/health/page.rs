//! The status page: one HTML document, without scripts and without anything from elsewhere.
//!
//! What is in a [`Page`] is escaped here, all of it. That no secret is in it is for who fills it to see to.

use std::fmt::Write as _;

use super::{DISABLED, Health, Status};

/// What `Content-Security-Policy` has to say for [`Page::html`]: styles of this page alone, and nothing else.
///
/// The hash is that of the style sheet, <https://www.w3.org/TR/CSP3/#grammardef-hash-source>.
pub const POLICY: &str = "default-src 'none'; \
    style-src 'sha256-3qgPmZVtJGd8upHLvwiuNiHsiDDNwpY3yr5ECBiB94s='; \
    img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const STYLE: &str = include_str!("page.css");

/// What the page tells, besides health.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The version of this program.
    pub version: String,
    /// Where the team stands: `HARDENING_STAGE`.
    pub stage: String,
    /// Each flag, and whether it is on.
    pub flags: Vec<(String, bool)>,
    /// The circuit breakers of this process.
    pub breakers: Vec<Breaker>,
    /// Transactions that have not ended. `None` where they cannot be read.
    pub open: Option<Vec<Transaction>>,
    /// Those that have ended, newest first. `None` where they cannot be read.
    pub last: Option<Vec<Transaction>>,
    /// When this was found, for people.
    pub at: String,
}

/// A circuit breaker.
#[derive(Clone, Debug)]
pub struct Breaker {
    /// Whose requests it is for.
    pub name: String,
    /// What it is doing, in one word.
    pub state: String,
    /// How often it has opened.
    pub openings: u64,
    /// How it is.
    pub status: Status,
}

/// A transaction.
#[derive(Clone, Debug)]
pub struct Transaction {
    /// Its id.
    pub id: String,
    /// What it is about.
    pub what: String,
    /// How it stands, in a word or two.
    pub state: String,
    /// How good that is.
    pub status: Status,
    /// When its last record was written, for people.
    pub at: String,
    /// What brings it to its end: commands, the first of them the usual one.
    pub commands: Vec<String>,
}

impl Page {
    /// The document.
    #[must_use]
    pub fn html(&self, health: &Health) -> String {
        let mut html = Html::default();
        let word = health.status().predecessors_word();
        html.raw("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
        html.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
        html.raw("<meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"robots\" content=\"noindex\">\n");
        html.raw("<link rel=\"icon\" href=\"data:,\">\n<title>");
        html.text(&format!("selvedge: {word}"));
        html.raw("</title>\n<style>")
            .raw(STYLE)
            .raw("</style>\n</head>\n<body>\n<header>\n<h1>selvedge</h1>\n");
        html.raw("<p class=\"").raw(health.status().word()).raw("\"><strong>").text(word);
        // No reload by itself: it takes the page from who reads it slowly (WCAG 2.2, 2.2.1).
        html.raw("</strong></p>\n<p><a href=\"/\">Look again</a></p>\n</header>\n<main>\n");
        html.health(health);
        html.open(self);
        html.breakers(&self.breakers);
        html.last(self);
        html.flags(self);
        html.raw("</main>\n<footer><p>").text(&format!("selvedge {}, {}", self.version, self.at));
        html.raw("</p></footer>\n</body>\n</html>\n");
        html.0
    }
}

/// A document in the making.
#[derive(Default)]
struct Html(String);

impl Html {
    fn raw(&mut self, html: &str) -> &mut Self {
        self.0.push_str(html);
        self
    }

    /// What comes from elsewhere: text, wherever it stands.
    fn text(&mut self, text: &str) -> &mut Self {
        for c in text.chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                c if c.is_control() => write!(self.0, "\\u{{{:x}}}", u32::from(c)).unwrap_or_default(),
                c => self.0.push(c),
            }
        }
        self
    }

    fn section(&mut self, title: &str, content: impl FnOnce(&mut Self)) {
        self.raw("<section>\n<h2>").text(title).raw("</h2>\n");
        content(self);
        self.raw("</section>\n");
    }

    fn note(&mut self, text: &str) {
        self.raw("<p class=\"note\">").text(text).raw("</p>\n");
    }

    fn table(&mut self, heads: &[&str], rows: impl FnOnce(&mut Self)) {
        self.raw("<div class=\"wide\" tabindex=\"0\"><table>\n<thead><tr>");
        for head in heads {
            self.raw("<th scope=\"col\">").text(head).raw("</th>");
        }
        self.raw("</tr></thead>\n<tbody>\n");
        rows(self);
        self.raw("</tbody>\n</table></div>\n");
    }

    fn status(&mut self, status: Status, word: &str) -> &mut Self {
        self.raw("<td><span class=\"badge ").raw(status.word()).raw("\">").text(word).raw("</span></td>")
    }

    fn cell(&mut self, text: &str) -> &mut Self {
        self.raw("<td>").text(text).raw("</td>")
    }

    fn head(&mut self, text: &str) -> &mut Self {
        self.raw("<tr><th scope=\"row\">").text(text).raw("</th>")
    }

    fn health(&mut self, health: &Health) {
        self.section("Checks", |html| match &health.checks {
            None => html.note(&format!("{DISABLED}: set FEATURE_USE_HEALTH_CHECKS=true.")),
            Some(checks) => html.table(&["Component", "Status", "Finding"], |html| {
                for check in checks {
                    html.head(&check.component.replace('_', " "));
                    html.status(check.status, check.status.word()).cell(check.message).raw("</tr>\n");
                }
            }),
        });
    }

    fn open(&mut self, page: &Page) {
        self.section("Open transactions", |html| match page.open.as_deref() {
            None => html.note("Not known."),
            Some([]) => html.note("None."),
            Some(open) => html.table(&["Transaction", "State", "Subject", "Last record", "Next"], |html| {
                for transaction in open {
                    html.transaction(transaction).raw("<td>");
                    for command in &transaction.commands {
                        html.raw("<code>").text(command).raw("</code>");
                    }
                    html.raw("</td></tr>\n");
                }
            }),
        });
    }

    fn last(&mut self, page: &Page) {
        self.section("Last deployments", |html| match page.last.as_deref() {
            None => html.note("Not known."),
            Some([]) => html.note("None with a journal."),
            Some(last) => html.table(&["Transaction", "State", "Subject", "Ended"], |html| {
                for transaction in last {
                    html.transaction(transaction).raw("</tr>\n");
                }
            }),
        });
    }

    fn transaction(&mut self, of: &Transaction) -> &mut Self {
        self.raw("<tr><th scope=\"row\"><code>").text(&of.id).raw("</code></th>");
        self.status(of.status, &of.state).cell(&of.what).cell(&of.at)
    }

    fn breakers(&mut self, breakers: &[Breaker]) {
        self.section("Circuit breakers of this process", |html| match breakers {
            [] => html.note("None."),
            breakers => html.table(&["Requests", "State", "Openings"], |html| {
                for breaker in breakers {
                    html.head(&breaker.name).status(breaker.status, &breaker.state);
                    html.cell(&breaker.openings.to_string()).raw("</tr>\n");
                }
            }),
        });
    }

    fn flags(&mut self, page: &Page) {
        self.section("Flags", |html| {
            html.raw("<p>Stage: <code>").text(&page.stage).raw("</code></p>\n");
            html.table(&["Flag", "Value"], |html| {
                for (name, on) in &page.flags {
                    html.raw("<tr><th scope=\"row\"><code>").text(name).raw("</code></th>");
                    html.cell(if *on { "on" } else { "off" }).raw("</tr>\n");
                }
            });
        });
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use sha2::{Digest as _, Sha256};

    use super::super::tests::health;
    use super::*;

    const NASTY: &str = "</style><script>alert(\"1\")</script>&'\u{1b}[2J";

    fn page() -> Page {
        let nasty = || NASTY.to_owned();
        let transaction = || Transaction {
            id: nasty(),
            what: nasty(),
            state: nasty(),
            status: Status::Warn,
            at: nasty(),
            commands: vec![nasty(), "selvedge transactions rollback 42".to_owned()],
        };
        let breaker = Breaker { name: nasty(), state: nasty(), openings: 3, status: Status::Warn };
        Page {
            version: nasty(),
            stage: nasty(),
            flags: vec![(nasty(), true)],
            breakers: vec![breaker],
            open: Some(vec![transaction()]),
            last: Some(vec![transaction()]),
            at: nasty(),
        }
    }

    #[test]
    fn whatever_it_is_given_is_text() {
        let html = page().html(&health(&[Status::Pass, Status::Warn]));
        let told = "&lt;/style&gt;&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;\\u{1b}[2J";
        assert_eq!(html.matches(told).count(), 15, "{html}");
        assert!(!html.contains("<script") && !html.contains('\u{1b}'), "{html}");
        assert_eq!(html.matches("</style>").count(), 1);
        assert!(html.contains("<code>selvedge transactions rollback 42</code>"), "{html}");
    }

    #[test]
    fn nothing_comes_from_elsewhere() {
        let html = page().html(&health(&[Status::Fail]));
        for from_elsewhere in ["http:", "https:", "src=", "url(", "@import", "onload"] {
            assert!(!html.contains(from_elsewhere), "{from_elsewhere} in {html}");
        }
        assert!(html.contains("<title>selvedge: unhealthy</title>"), "{html}");
    }

    #[test]
    fn what_is_not_known_is_not_none() {
        let empty = Page { open: Some(Vec::new()), last: None, ..Page::default() };
        let html = empty.html(&Health::disabled());
        assert_eq!((html.matches("Not known.").count(), html.matches(">None.<").count()), (1, 2), "{html}");
        assert!(html.contains(DISABLED));
    }

    #[test]
    fn the_policy_lets_the_style_in() {
        let hash = STANDARD.encode(Sha256::digest(STYLE));
        assert!(POLICY.contains(&format!("'sha256-{hash}'")), "{hash}");
    }
}
