//! "Did you mean ...?"

/// The candidate that `name` was probably meant to be: an edit away, and one more for each five letters, without case.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = 1 + name.chars().count() / 5;
    let name = name.to_lowercase();
    candidates
        .into_iter()
        .filter(|candidate| candidate.len().abs_diff(name.len()) <= allowed)
        .map(|candidate| (strsim::levenshtein(&name, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognised_and_another_word_is_not() {
        let keys = ["environments", "items", "role", "git"];
        let table = [
            ("enviroments", Some("environments")),
            ("Items", Some("items")),
            ("rol", Some("role")),
            ("roel", None),
            ("gti", None),
            ("users", None),
            ("", None),
        ];
        for (name, expected) in table {
            assert_eq!(nearest(name, keys), expected, "{name}");
        }
    }
}
