//! Takes out of a transcript what differs from run to run.

/// Finds something variable at the start of a text, and says how many bytes it is long.
type Finder = fn(&str) -> Option<usize>;

/// What is looked for, in this order, and what stands in its place.
const VARIABLE: &[(Finder, &str)] = &[
    (uuid, "<id>"),
    (timestamp, "<time>"),
    (long_id, "<id>"),
    (loopback, "127.0.0.1:<port>"),
    (duration, "<duration>"),
];

/// `text` with placeholders for ids, ports, times and durations, `.` for `folder`, and no duration or space at the end of a line.
pub(super) fn normalise(text: &str, folder: &str) -> String {
    let text = text.replace(folder, ".");
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(c) = rest.chars().next() {
        let inside = plain.ends_with(|c: char| c.is_alphanumeric() || c == '.' || c == '_');
        let found = VARIABLE.iter().find_map(|(find, placeholder)| {
            let length = find(rest)?;
            let whole = !rest[length..].starts_with(|c: char| c.is_alphanumeric() || c == '_');
            whole.then_some((length, *placeholder))
        });
        match found {
            Some((length, placeholder)) if !inside => {
                plain.push_str(placeholder);
                rest = &rest[length..];
            }
            _ => {
                plain.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    plain.lines().flat_map(|line| [without_duration(line.trim_end()), "\n"]).collect()
}

/// A step that took a second or more ends with its duration: whether it is there differs from machine to machine.
fn without_duration(line: &str) -> &str {
    line.strip_suffix(" (<duration>)").unwrap_or(line)
}

/// The bytes at the start of `text` that are `of` a kind.
fn run(text: &str, of: impl Fn(char) -> bool) -> usize {
    text.find(|c| !of(c)).unwrap_or(text.len())
}

/// RFC 9562: 8-4-4-4-12 hexadecimal digits.
fn uuid(text: &str) -> Option<usize> {
    let found = text.get(..36)?;
    let fits = found.char_indices().all(|(at, c)| match at {
        8 | 13 | 18 | 23 => c == '-',
        _ => c.is_ascii_hexdigit(),
    });
    fits.then_some(36)
}

/// Ids of transactions, markers and hashes: eight hexadecimal digits or more, with a decimal one among them.
fn long_id(text: &str) -> Option<usize> {
    let length = run(text, |c| c.is_ascii_hexdigit());
    let counted = text[..length].contains(|c: char| c.is_ascii_digit());
    (length >= 8 && counted).then_some(length)
}

/// RFC 3339, or its time of day alone.
fn timestamp(text: &str) -> Option<usize> {
    let length = run(text, |c| c.is_ascii_digit() || ":.+-TZ".contains(c));
    let found = text[..length].trim_end_matches([':', '.', '+', '-']);
    let shape = shape(found);
    let fits = ["9999-99-99T99:99:99", "99:99:99"].iter().any(|time| shape.starts_with(time));
    fits.then_some(found.len())
}

/// `text` with a nine for each digit.
fn shape(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect()
}

fn loopback(text: &str) -> Option<usize> {
    let host = ["127.0.0.1:", "localhost:"].iter().find(|host| text.starts_with(**host))?;
    let digits = run(&text[host.len()..], |c| c.is_ascii_digit());
    (digits > 0).then_some(host.len() + digits)
}

/// Such as `1.25s`, `340 ms` or `1m 20s`.
fn duration(text: &str) -> Option<usize> {
    const UNITS: &[&str] = &["min", "ms", "ns", "us", "µs", "s", "m", "h"];
    let number = run(text, |c| c.is_ascii_digit() || c == '.');
    let number = text[..number].trim_end_matches('.').len();
    if number == 0 {
        return None;
    }
    let rest = &text[number..];
    let space = usize::from(rest.starts_with(' '));
    let letters = run(&rest[space..], char::is_alphabetic);
    let unit = &rest[space..space + letters];
    if !UNITS.contains(&unit) {
        return None;
    }
    let end = number + space + letters;
    // A second part follows a first with or without a space.
    let gap = usize::from(text[end..].starts_with(' '));
    Some(duration(&text[end + gap..]).map_or(end, |more| end + gap + more))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_varies_gets_a_placeholder() {
        let cases = [
            ("id 019ab2c4-7d11-7c3e-8a21-0123456789AB.", "id <id>."),
            ("tx 019ab2c47d117c3e8a210123456789ab done", "tx <id> done"),
            ("marker=3f9a0c1d", "marker=<id>"),
            ("at 2026-11-22T22:13:44.123Z: x", "at <time>: x"),
            ("22:13:44 x", "<time> x"),
            ("http://127.0.0.1:40123/v1", "http://127.0.0.1:<port>/v1"),
            ("localhost:7333", "127.0.0.1:<port>"),
            ("done in 1.25s, 340 ms, 3µs", "done in <duration>, <duration>, <duration>"),
            ("took 1m 20s.", "took <duration>."),
            ("took 1m20s", "took <duration>"),
            ("create workspace (1.2 s)", "create workspace"),
            ("(1.2 s) create workspace", "(<duration>) create workspace"),
            ("/x/demo/deploy/a  \nb", "./a\nb"),
        ];
        for (text, expected) in cases {
            assert_eq!(normalise(text, "/x/demo/deploy"), format!("{expected}\n"), "{text}");
        }
    }

    #[test]
    fn what_stays_the_same_is_kept() {
        let cases = [
            "[Step 3/8] Creating items",
            "Plan: 1 workspace, 6 items, 2 roles to create",
            "HTTP 503, attempt 2 of 3, 2026-11-22",
            "facade deadbeef sales_analytics_dev",
            "POST */roleAssignments=503",
            "v1.5.0s é",
        ];
        for text in cases {
            assert_eq!(normalise(text, "/x"), format!("{text}\n"));
        }
    }
}
