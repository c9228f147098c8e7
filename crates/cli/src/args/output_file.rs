//! The predecessor's `--output FILE` of two commands, where `--output` says here how results are printed.

use std::ffi::OsString;

/// The commands that write to the file that `--output` names.
const WRITE: [(&str, &str); 2] = [("items", "get-definition"), ("folders", "create-structure")];

/// The formats that `--output` means elsewhere.
const FORMATS: [&str; 3] = ["text", "json", "jsonl"];

/// The same line, with `--file` for an `--output` that names no format, where the command writes a file.
pub(crate) fn with_files(args: Vec<OsString>) -> Vec<OsString> {
    let has = |word: &str| args.iter().any(|arg| arg == word);
    if !WRITE
        .iter()
        .any(|(command, action)| (has(command) || has(command.trim_end_matches('s'))) && has(action))
    {
        return args;
    }
    let mut out = Vec::with_capacity(args.len());
    let mut args = args.into_iter().peekable();
    while let Some(arg) = args.next() {
        let is_file = |value: &OsString| !FORMATS.iter().any(|format| value == format);
        let joined = arg.to_str().and_then(|arg| arg.strip_prefix("--output="));
        match joined {
            Some(file) if !FORMATS.contains(&file) => out.push(format!("--file={file}").into()),
            _ if arg == "--output" && args.peek().is_some_and(is_file) => out.push("--file".into()),
            _ => out.push(arg),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_told_from_a_format_where_a_command_writes_one() {
        for (line, expected) in [
            ("items get-definition X --output f.json", "items get-definition X --file f.json"),
            ("items get-definition X --output=f.json", "items get-definition X --file=f.json"),
            ("items get-definition X --output json", "items get-definition X --output json"),
            (
                "--output json item get-definition X --output f",
                "--output json item get-definition X --file f",
            ),
            ("folders create-structure --output f", "folders create-structure --file f"),
            ("items list --output f.json", "items list --output f.json"),
            ("items get-definition X --output", "items get-definition X --output"),
        ] {
            let words = line.split(' ').map(OsString::from).collect();
            let found = with_files(words).join(std::ffi::OsStr::new(" "));
            assert_eq!(found, expected);
        }
    }
}
