//! The house: what the map says about crates is so, public items say what they are for, and the
//! bugs that the crash campaign plants fit the code of today.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The dependencies of each crate that the map allows: rows `| crate | what | uses |` under the
/// heading "Crates" of ARCHITECTURE.md.
fn allowed() -> BTreeMap<String, BTreeSet<String>> {
    let map = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let (_, section) = map.split_once("\n## Crates\n").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let names = |cell: &str| -> BTreeSet<String> {
        let words = cell.split('`').skip(1).step_by(2);
        words.map(str::to_owned).collect()
    };
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells: Vec<&str> = row.split('|').collect();
        let [_, name, _, uses, _] = cells[..] else {
            panic!("a row of the map has other cells: {row}");
        };
        (names(name).pop_first().unwrap(), names(uses))
    })
    .collect()
}

/// The crates of this workspace, each with those of them that its production code uses.
fn actual() -> BTreeMap<String, BTreeSet<String>> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--offline", "--format-version=1"])
        .current_dir(root())
        .output()
        .unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let name = |value: &serde_json::Value| value["name"].as_str().unwrap().to_owned();
    let all: BTreeSet<String> = packages.iter().map(name).collect();
    let uses = |package: &serde_json::Value| -> BTreeSet<String> {
        let dependencies = package["dependencies"].as_array().unwrap().iter();
        dependencies
            .filter(|one| one["kind"].is_null() && one["optional"] == false)
            .map(name)
            .filter(|name| all.contains(name))
            .collect()
    };
    packages.iter().map(|one| (name(one), uses(one))).collect()
}

#[test]
fn each_crate_uses_just_the_crates_that_the_map_names() {
    let (allowed, actual) = (allowed(), actual());
    for (name, uses) in &actual {
        let map = allowed.get(name);
        let map = map.unwrap_or_else(|| panic!("ARCHITECTURE.md does not name the crate {name}"));
        assert_eq!(uses, map, "what {name} uses, and what ARCHITECTURE.md says");
    }
    assert_eq!(
        allowed.len(),
        actual.len(),
        "the map names crates that are gone"
    );
}

/// The `.rs` files below a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// Whether a line declares something that other crates see. Fields and variants may speak for
/// themselves.
fn is_public_item(line: &str) -> bool {
    let Some(item) = line.trim_start().strip_prefix("pub ") else {
        return false;
    };
    let item = item
        .trim_start_matches("async ")
        .trim_start_matches("const ");
    let kinds = ["fn ", "struct ", "enum ", "trait ", "type ", "mod "];
    kinds.iter().any(|kind| item.starts_with(kind))
}

/// Whether the lines before `at`, less attributes, end with a doc comment.
fn has_docs(lines: &[&str], at: usize) -> bool {
    let before = lines[..at].iter().rev().map(|line| line.trim());
    let mut before = before.skip_while(|line| !line.starts_with("///") && !line.is_empty());
    before.next().is_some_and(|line| line.starts_with("///"))
}

#[test]
fn every_public_item_of_the_returns_crates_has_docs() {
    let mut silent = Vec::new();
    for entry in fs::read_dir(root().join("crates")).unwrap() {
        for file in sources(&entry.unwrap().path().join("src")) {
            let text = fs::read_to_string(&file).unwrap();
            let lines: Vec<&str> = text.lines().collect();
            for (at, line) in lines.iter().enumerate() {
                // A module has its docs in its own file.
                let in_its_file = line.trim_start().starts_with("pub mod ") && line.ends_with(';');
                if is_public_item(line) && !in_its_file && !has_docs(&lines, at) {
                    silent.push(format!("{}:{}: {}", file.display(), at + 1, line.trim()));
                }
            }
        }
    }
    assert_eq!(
        silent,
        [""; 0],
        "public items without docs:\n{}",
        silent.join("\n")
    );
}

/// The files that a patch changes.
fn patched(patch: &str) -> impl Iterator<Item = &str> {
    patch.lines().filter_map(|line| line.strip_prefix("+++ b/"))
}

#[test]
fn all_planted_bugs_apply_to_one_copy_of_the_code() {
    let copy = tempfile::tempdir().unwrap();
    let bugs = root().join("tests/crash/bugs");
    let mut patches: Vec<PathBuf> = fs::read_dir(&bugs)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    patches.sort();
    let text = |patch: &PathBuf| fs::read_to_string(patch).unwrap();
    for file in patches.iter().map(text).flat_map(|patch| {
        let files: Vec<String> = patched(&patch).map(str::to_owned).collect();
        files
    }) {
        let to = copy.path().join(&file);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(root().join(&file), to).unwrap();
    }
    for patch in &patches {
        let applied = Command::new("git")
            .arg("apply")
            .arg(fs::canonicalize(patch).unwrap())
            .current_dir(copy.path())
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&applied.stderr);
        assert!(applied.status.success(), "{}: {error}", patch.display());
    }
    let bugs: BTreeSet<&str> = patches
        .iter()
        .filter_map(|patch| patch.file_name()?.to_str()?.split('.').next())
        .collect();
    assert_eq!(
        bugs.len(),
        9,
        "the bugs of tests/crash/src/bug.rs: {bugs:?}"
    );
}

#[test]
fn the_check_of_dependencies_fails_without_advisories() {
    let checked = Command::new(root().join("scripts/check-dependencies"))
        .env("ADVISORY_DB", "/nonexistent")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&checked.stderr);
    assert_eq!(checked.status.code(), Some(1), "{said}");
    assert!(said.contains("--without-advisories"), "{said}");
}
