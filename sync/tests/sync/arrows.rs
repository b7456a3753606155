//! Architecture: arrows point down only. A crate depends on those below it and on no other.

use std::collections::BTreeMap;
use std::path::Path;

/// For each folder, the crates of ours that its `[dependencies]` may name.
const ALLOWED: &[(&str, &[&str])] = &[
    ("schema/macros", &[]),
    ("schema", &["fastest-schema-macros"]),
    ("core", &[]),
    ("sync", &["fastest-core", "fastest-schema"]),
    ("cli", &["fastest-sync"]),
    ("fixtures", &["fastest-core", "fastest-schema", "fastest-sync"]),
    ("benches", &["fastest-core", "fastest-schema", "fastest-sync", "fastest-fixtures"]),
    ("examples", &["fastest-schema", "fastest-sync"]),
    ("sim", &["fastest-core", "fastest-fixtures", "fastest-schema", "fastest-sync"]),
    ("fuzz", &["fastest-core", "fastest-fixtures", "fastest-schema", "fastest-sync"]),
];

/// Returns our crates by the section of a manifest that names them.
fn ours(manifest: &str) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut section = String::new();
    for line in manifest.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']').to_owned();
            // `[dependencies.fastest-core]` names one too.
            if let Some((above, name)) = section.rsplit_once('.')
                && name.starts_with("fastest-")
            {
                found.entry(above.to_owned()).or_default().push(name.to_owned());
            }
        } else if line.starts_with("fastest-") {
            let end = line.find(['.', ' ', '=']).unwrap_or(line.len());
            found.entry(section.clone()).or_default().push(line[..end].to_owned());
        }
    }
    found
}

#[test]
fn arrows_point_down_only() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let read = |path: &Path| std::fs::read_to_string(path).unwrap();
    let workspace = read(&root.join("Cargo.toml"));
    let members = workspace.lines().find(|line| line.starts_with("members")).unwrap();
    let members: Vec<&str> = members.split('"').skip(1).step_by(2).collect();
    assert!(members.len() >= 7, "{members:?}");
    for member in members {
        let (_, allowed) = ALLOWED
            .iter()
            .find(|(folder, _)| *folder == member)
            .unwrap_or_else(|| panic!("{member} is new: say here what it may depend on"));
        for (section, names) in ours(&read(&root.join(member).join("Cargo.toml"))) {
            // Tests and benches may depend on crates above them. Core and schema may not, since
            // cargo would build them twice.
            let is_low = ["core", "schema", "schema/macros"].contains(&member);
            if !section.ends_with("dev-dependencies") || is_low {
                for name in names {
                    assert!(allowed.contains(&name.as_str()), "{member} depends on {name}");
                }
            }
        }
    }
}

#[test]
fn manifests_are_read_right() {
    let found = ours(
        "[dependencies]\nfastest-a.workspace = true\n[dev-dependencies]\nfastest-b = {}\n[dependencies.fastest-c]\nx = 1",
    );
    assert_eq!(found["dependencies"], ["fastest-a", "fastest-c"]);
    assert_eq!(found["dev-dependencies"], ["fastest-b"]);
}
