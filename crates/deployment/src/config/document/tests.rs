//! What YAML and JSON become, and what is refused quickly.

use std::time::Instant;

use super::*;

type Reader = fn(&Path, &str, &mut Vec<Diagnostic>) -> Option<Node>;

fn show(node: &Node) -> String {
    match &node.value {
        Value::Scalar { text, plain: true } => format!("{text}@{}:{}", node.line, node.column),
        Value::Scalar { text, plain: false } => format!("{text:?}@{}:{}", node.line, node.column),
        Value::List(nodes) => format!("[{}]", nodes.iter().map(show).collect::<Vec<_>>().join(" ")),
        Value::Map(entries) => {
            let entries: Vec<_> =
                entries.iter().map(|entry| format!("{}={}", entry.key, show(&entry.value))).collect();
            format!("{{{}}}@{}:{}", entries.join(" "), node.line, node.column)
        }
    }
}

fn read(reader: Reader, text: &str) -> String {
    let mut problems = Vec::new();
    let node = reader(Path::new("f"), text, &mut problems);
    let mut out: Vec<String> = problems.iter().map(ToString::to_string).collect();
    out.extend(node.filter(|_| problems.is_empty()).as_ref().map(show));
    out.join("\n")
}

#[test]
fn values_keep_their_text_and_their_place() {
    let table = [
        ("a: 0123\nb:\n  - no\n  - 'no'\n", r#"{a=0123@1:4 b=[no@3:5 "no"@4:5]}@1:1"#),
        ("a:\n  b: 1\nc:\n", "{a={b=1@2:6}@1:1 c=~@3:1}@1:1"),
        ("a: &x {k: v}\nb: *x\n", "{a={k=v@1:11}@1:1 b={k=v@1:11}@2:1}@1:1"),
        (
            "base: &x {k: 1, l: 2}\nb: {<<: *x, l: 3}\n",
            "{base={k=1@1:14 l=2@1:20}@1:1 b={l=3@2:16 k=1@1:14}@2:1}@1:1",
        ),
        ("a: |\n  one\n  two\n", "{a=\"one\\ntwo\\n\"@2:3}@1:1"),
        ("a: !!str 1\n", "{a=\"1\"@1:10}@1:1"),
        (
            "a: 1\na: 2\nb: {c: 1,\n c: 2}\n",
            "f:2:1: the key \"a\" is here twice; it is first in line 1\nf:4:2: the key \"c\" is here twice; it is first in line 3",
        ),
        ("a: [1\nb: 2\n", "f:2:2: "),
        ("a:\n\tb: 1\n", "f:2:"),
        ("a: *nowhere\n", "f:1:4: "),
        ("a: &x [*x]\n", "f:1:8: an alias stands inside what it names"),
        ("a: !env HOME\n", "f:1:9: the tag !env has no meaning here"),
        ("[a]: 1\n", "f:1:1: a key is a list or a mapping"),
        ("a: {<<: 1}\n", "f:1:9: `<<` needs a mapping"),
        ("a: 1\n---\nb: 2\n", "f:2:1: a second document starts here"),
        ("", ""),
    ];
    for (text, expected) in table {
        let found = read(yaml, text);
        // The parser's own words are not ours to pin.
        let matches =
            if expected.ends_with([':', ' ']) { found.starts_with(expected) } else { found == expected };
        assert!(matches, "{text:?}\n expected {expected}\n found    {found}");
    }
}

#[test]
fn json_is_read_strictly_and_with_places() {
    let table = [
        (
            "{\n\t\"a\": \"\\ud83d\\ude00 \\/\",\n\t\"b\": [1, true, null]\n}",
            "{a=\"😀 /\"@2:7 b=[1@3:8 true@3:11 null@3:17]}@1:1",
        ),
        ("{\"a\": 1,}", "f:1:9: is not JSON: key must be a string"),
        ("{a: 1}", "f:1:2: is not JSON: key must be a string"),
        ("{\"a\": 1,\n\"a\": 2}", "f:2:1: the key \"a\" is here twice; it is first in line 1"),
    ];
    for (text, expected) in table {
        assert_eq!(read(json, text), expected, "{text}");
    }
}

#[test]
fn hostile_files_are_refused_at_once() {
    let laughs: String =
        std::iter::once("a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned())
            .chain((1..12).map(|i| format!("a{i}: &a{i} [{}]\n", vec![format!("*a{}", i - 1); 9].join(", "))))
            .collect();
    let chain: String = (1..20_000)
        .map(|i| format!("- &a{i} [{}]\n", if i == 1 { "x".to_owned() } else { format!("*a{}", i - 1) }))
        .collect();
    let long_text = format!("a: &a {}\nb: [{}]\n", "x".repeat(500_000), vec!["*a"; 1000].join(", "));
    let duplicates = "a:\n".repeat(300_000);
    let table = [
        (laughs, "the values become too large once aliases are written out"),
        (chain, "values nest more than 64 deep"),
        (long_text, "the values become too large once aliases are written out"),
        (duplicates, "the key \"a\" is here twice; it is first in line 1"),
        ("[".repeat(100_000), ""),
        ("- ".repeat(100_000), ""),
        ("{a: ".repeat(100), ""),
    ];
    for (text, expected) in table {
        let start = Instant::now();
        let mut problems = Vec::new();
        let node = yaml(Path::new("f"), &text, &mut problems);
        let last = problems.last().map(|problem| problem.message.clone()).unwrap_or_default();
        assert!(node.is_none() && !problems.is_empty() && last.ends_with(expected), "{last}");
        // A second is slack for a slow machine: unbounded, these take minutes.
        assert!(start.elapsed().as_secs() < 5, "{last}: {:?}", start.elapsed());
    }
}
