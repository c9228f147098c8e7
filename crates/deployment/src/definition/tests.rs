//! When two definitions mean the same, and what is refused when one is read.

use std::fs;
use std::path::Path;

use super::*;

fn one(path: &str, text: &str) -> Definition {
    Definition::new(None, vec![Part { path: path.to_owned(), bytes: text.as_bytes().to_vec() }])
}

#[test]
fn same_meaning_is_judged_by_the_kind_of_file() {
    #[rustfmt::skip]
    let table = [
        // path, one, other, same
        ("pipeline-content.json", r#"{"a": 1, "b": ""}"#, "{\r\n  \"b\": null,\r\n  \"a\": 1\r\n}\r\n", true),
        ("notebook-content.ipynb", r#"{"cells":[1,2]}"#, r#"{"cells":[2,1]}"#, false),
        ("definition.pbir", r#"{"a":{"x":1,"y":2}}"#, r#"{"a":{"y":2,"x":1}}"#, true),
        ("a.json", "\u{feff}{}", "{}", true),
        ("a.json", r#"{"a":null}"#, "{}", false),
        ("a.json", r#"{"a":"null"}"#, r#"{"a":null}"#, false),
        ("a.json", r#"{"a":"1"}"#, r#"{"a":1}"#, false),
        ("a.json", "{not json", "{not json\r\n", true),
        ("notebook-content.py", "a\r\nb\r\n\r\n", "a\nb", true),
        ("notebook-content.py", "a\n b", "a\nb", false),
        ("notebook-content.py", "{\"a\": 1}", "{\"a\":1}", false),
    ];
    for (path, a, b, same) in table {
        let (a, b) = (one(path, a), one(path, b));
        assert_eq!(a.same_meaning(&b), same, "{path}: {a:?} {b:?}");
        assert_eq!(a.digest() == b.digest(), same, "{path}");
    }
    assert!(!one("a.txt", "x").same_meaning(&one("b.txt", "x")), "the path counts");
}

#[test]
fn parts_are_sorted_and_the_platform_file_is_left_out() {
    let part = |path: &str| Part { path: path.to_owned(), bytes: vec![0xff] };
    let definition = Definition::new(None, vec![part("b"), part(".platform"), part("a")]);
    let paths: Vec<_> = definition.parts.iter().map(|part| part.path.as_str()).collect();
    assert_eq!(paths, ["a", "b"]);
    let mut shuffled = definition.clone();
    shuffled.parts.reverse();
    shuffled.parts.push(part(".platform"));
    assert_eq!(definition.digest(), shuffled.digest());
}

#[test]
fn a_definition_survives_a_journal() {
    let definition = one("notebook-content.py", "print('ü')\n");
    let json = serde_json::to_string(&definition).unwrap();
    assert!(json.contains("\"payload\":\""), "{json}");
    assert_eq!(serde_json::from_str::<Definition>(&json).unwrap(), definition);
}

#[test]
fn the_digest_is_a_sha_256_that_stays_the_same() {
    let digest = one("pipeline-content.json", r#"{"properties":{"activities":[]}}"#).digest();
    assert_eq!(digest.len(), 64);
    // A journal written by one version is read by the next.
    assert_eq!(digest, "d4a76af64be86e5f6c3a051bffbbd312adf5da5374777f6f6777a7cb8f855001");
}

/// Paths and contents.
type Files = &'static [(&'static str, &'static str)];

/// Loads `path` from a project that holds these files and renders what came out.
fn read(files: &[(&str, &str)], kind: &str, path: &str) -> String {
    let root = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let file = root.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    render(load(kind, Path::new(path), root.path(), root.path()), root.path())
}

fn render(result: Result<Definition, DefinitionError>, root: &Path) -> String {
    match result {
        Ok(definition) => {
            let paths: Vec<_> = definition.parts.iter().map(|part| part.path.as_str()).collect();
            format!("{} {}", definition.format.as_deref().unwrap_or("-"), paths.join(" "))
        }
        Err(error) => {
            let root = format!("{}/", fs::canonicalize(root).unwrap().display());
            error.to_string().replace(&root, "").replace(&format!("{}/", root), "")
        }
    }
}

#[test]
fn a_file_or_a_folder_becomes_parts() {
    #[rustfmt::skip]
    let table: [(Files, &str, &str, &str); 11] = [
        (&[("n.ipynb", "{}")], "Notebook", "n.ipynb", "ipynb notebook-content.ipynb"),
        (&[("n.PY", "x")], "Notebook", "./n.PY", "- notebook-content.py"),
        (&[("p.json", "{}")], "DataPipeline", "p.json", "- pipeline-content.json"),
        (&[("s/SparkJobDefinitionV1.json", "{}")], "SparkJobDefinition", "s", "SparkJobDefinitionV1 SparkJobDefinitionV1.json"),
        (&[("r/.platform", "{}"), ("r/.pbi/x.json", "{}"), ("r/definition.pbir", "{}"), ("r/definition/a.json", "{}")],
            "Report", "r", "- definition.pbir definition/a.json"),
        (&[("n/notebook-content.ipynb", "{}")], "Notebook", "n", "ipynb notebook-content.ipynb"),
        (&[("p.json", "{,}")], "DataPipeline", "p.json", "could not read the definition p.json: it is not JSON: key must be a string at line 1 column 2"),
        (&[("m.bim", "{}")], "SemanticModel", "m.bim", "could not read the definition m.bim: a SemanticModel cannot be defined by a single \"bim\" file"),
        (&[("e/.platform", "{}")], "Notebook", "e", "could not read the definition e: there is no file in it"),
        (&[], "Notebook", "../n.py", "could not read the definition ../n.py: the path must be relative and without `..`"),
        (&[], "Notebook", "/etc/passwd", "could not read the definition /etc/passwd: the path must be relative and without `..`"),
    ];
    for (files, kind, path, expected) in table {
        assert_eq!(read(files, kind, path), expected, "{kind} {path}");
    }
}

#[cfg(unix)]
#[test]
fn links_are_not_followed() {
    use std::os::unix::fs::symlink;

    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret.py"), "x").unwrap();
    let root = tempfile::tempdir().unwrap();
    let at = |name: &str| root.path().join(name);
    fs::create_dir_all(at("folder")).unwrap();
    fs::write(at("real.py"), "x").unwrap();
    symlink(at("real.py"), at("inside.py")).unwrap();
    symlink(outside.path().join("secret.py"), at("outside.py")).unwrap();
    symlink(outside.path(), at("folder/out")).unwrap();
    fs::create_dir_all(at("loop")).unwrap();
    symlink(at("loop"), at("loop/again")).unwrap();

    let result = |path: &str| load("Notebook", Path::new(path), root.path(), root.path());
    assert!(result("real.py").is_ok());
    assert!(matches!(result("inside.py").unwrap_err().kind, DefinitionErrorKind::Link));
    assert!(matches!(result("outside.py").unwrap_err().kind, DefinitionErrorKind::Outside));
    assert!(matches!(result("folder").unwrap_err().kind, DefinitionErrorKind::Outside));
    assert!(matches!(result("loop").unwrap_err().kind, DefinitionErrorKind::Link));
}
