//! Suggestions for misspelt names.

/// Returns the name with the fewest edits from a misspelt `name`, if they are at most a third of
/// the length of `name`, plus one.
pub fn nearest<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let far = name.chars().count().max(3) / 3 + 1;
    let distances = names.into_iter().map(|other| (distance(name, other), other));
    distances.filter(|(distance, _)| *distance <= far).min().map(|(_, other)| other.to_owned())
}

/// Levenshtein distance in characters.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, letter) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, other) in b.iter().enumerate() {
            let changed = diagonal + usize::from(letter != *other);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn the_nearest_name_is_near() {
        let names = ["main", "feature", "fix-login"];
        assert_eq!(nearest("mian", names).as_deref(), Some("main"));
        assert_eq!(nearest("fixlogin", names).as_deref(), Some("fix-login"));
        assert_eq!(nearest("zzzzzzzz", names), None);
    }
}
