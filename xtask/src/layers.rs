//! The layering check: a file uses lower layers and its own folder only. The tables below are the architecture.

use crate::project::Project;
use crate::stamp::collect;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// `crdt-core/src`, lowest layer first. Modules of one layer do not know each other.
const CORE_LAYERS: &[&[&str]] = &[
    &["ids", "dice", "sorted"],
    &["anchor"],
    &["error"],
    &["limits"],
    &["json"],
    &["mark"],
    &["bytes", "tree", "units", "value"],
    &["op", "event", "authors"],
    &["op_log"],
    &["sequence", "codec"],
    &["marks"],
    &["doc"],
    &["sync", "log", "readable"],
];

/// What pure parts of the relay have no business with.
const OUTSIDE_WORLD: &[&str] = &["tokio::", "std::time", "std::net", "std::fs", "std::thread"];

/// Words that must not occur in code below a path, and why.
const FORBIDDEN: &[(&str, &[&str], &str)] = &[
    (
        "crdt-core/src",
        &["std::", "unsafe ", "extern crate std"],
        "the core is no_std, without I/O, clock or threads",
    ),
    ("crdt-relay/src/room", &["axum::", "rusqlite::"], "a room knows neither axum nor SQL"),
    ("crdt-relay/src/room/session.rs", OUTSIDE_WORLD, "the session is pure"),
    ("crdt-relay/src/room/state.rs", OUTSIDE_WORLD, "the room's state is pure"),
    ("crdt-relay/src/room/state", OUTSIDE_WORLD, "the room's state is pure"),
    ("crdt-relay/src/room/presence.rs", OUTSIDE_WORLD, "presence is pure"),
];

/// Files that may all the same, behind a feature that is off unless asked for.
const EXEMPT: &[&str] = &["log/files.rs"];

/// Folders of `js/src` that must not import each other.
const JS_STRANGERS: (&str, &str) = ("providers", "bindings");

/// Checks everything; the error lists each line that breaks a rule.
pub(crate) fn check(project: &Project) -> Result<(), String> {
    let mut faults = Vec::new();
    core(&project.path("crdt-core/src"), &mut faults)?;
    for (below, words, reason) in FORBIDDEN {
        for (name, code) in sources(&project.path(below), "rs")? {
            if *below == "crdt-core/src" && EXEMPT.contains(&name.as_str()) {
                continue;
            }
            for word in *words {
                for (number, line) in code.lines().enumerate() {
                    if contains_word(line, word) {
                        faults.push(format!("{below}: {name}:{}: `{}`: {reason}", number + 1, word.trim()));
                    }
                }
            }
        }
    }
    let (one, other) = JS_STRANGERS;
    let js = project.path("js/src");
    strangers(&js, one, other, &mut faults)?;
    strangers(&js, other, one, &mut faults)?;
    if faults.is_empty() { Ok(()) } else { Err(format!("layering is broken:\n  {}", faults.join("\n  "))) }
}

fn core(src: &Path, faults: &mut Vec<String>) -> Result<(), String> {
    let files = sources(src, "rs")?;
    let lib = files.get("lib.rs").ok_or("crdt-core/src/lib.rs is missing")?;
    let exports = exports(lib);
    for (name, code) in &files {
        let own = module_of(name);
        if own == "lib" {
            continue;
        }
        let Some(own_layer) = layer_of(own) else {
            faults.push(format!("crdt-core/src/{name}: module {own} is in no layer (see CORE_LAYERS)"));
            continue;
        };
        for (line, used) in uses(code, name.matches('/').count() + usize::from(!name.ends_with("mod.rs"))) {
            let used = exports.get(used.as_str()).unwrap_or(&used);
            if used == own {
                continue;
            }
            match layer_of(used) {
                Some(layer) if layer < own_layer => {}
                Some(_) => faults.push(format!("crdt-core/src/{name}:{line}: {own} must not use {used}")),
                None => faults.push(format!("crdt-core/src/{name}:{line}: {used} is in no layer")),
            }
        }
    }
    Ok(())
}

fn layer_of(module: &str) -> Option<usize> {
    CORE_LAYERS.iter().position(|layer| layer.contains(&module))
}

/// `op.rs`, `op/mod.rs` and `op/run.rs` all belong to `op`.
fn module_of(file: &str) -> &str {
    let first = file.split('/').next().unwrap_or(file);
    first.strip_suffix(".rs").unwrap_or(first)
}

/// Names that `lib.rs` exports, with the module each comes from.
fn exports(lib: &str) -> BTreeMap<String, String> {
    let mut exports = BTreeMap::new();
    for statement in lib.split("pub use ").skip(1) {
        let statement = statement.split(';').next().unwrap_or_default();
        let Some((module, names)) = statement.split_once("::") else { continue };
        for name in names.split(|symbol: char| !symbol.is_alphanumeric() && symbol != '_') {
            if name.starts_with(char::is_uppercase) {
                exports.insert(name.to_owned(), module.trim().to_owned());
            }
        }
    }
    exports
}

/// The names that directly follow `crate::`, or as many `super::` as lead to the crate, with their line numbers.
/// `depth` is how many `super::` lead from this file to the crate root.
fn uses(code: &str, depth: usize) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for root in ["crate::".to_owned(), "super::".repeat(depth)] {
        for (at, _) in code.match_indices(&root) {
            let before = code[..at].chars().next_back();
            if before.is_some_and(|symbol| symbol.is_alphanumeric() || symbol == '_' || symbol == ':') {
                continue;
            }
            let line = code[..at].matches('\n').count() + 1;
            found.extend(first_names(&code[at + root.len()..]).into_iter().map(|name| (line, name)));
        }
    }
    found
}

/// `a::b` names `a`; `{a, b::{c, d}}` names `a` and `b`.
fn first_names(path: &str) -> Vec<String> {
    let name = |text: &str| -> Option<String> {
        let name: String = text
            .trim_start()
            .chars()
            .take_while(|symbol| symbol.is_alphanumeric() || *symbol == '_')
            .collect();
        (!name.is_empty() && name != "super").then_some(name)
    };
    let Some(group) = path.strip_prefix('{') else { return name(path).into_iter().collect() };
    let mut names = Vec::new();
    let (mut depth, mut start) = (0, 0);
    for (at, symbol) in group.char_indices() {
        match symbol {
            '{' => depth += 1,
            ',' | '}' if depth == 0 => {
                names.extend(name(&group[start..at]));
                start = at + 1;
                if symbol == '}' {
                    break;
                }
            }
            '}' => depth -= 1,
            _ => {}
        }
    }
    names
}

/// All sources below `root` by their path below it, without comments and without what is only for tests.
fn sources(root: &Path, extension: &str) -> Result<BTreeMap<String, String>, String> {
    if !root.exists() {
        // A rule about something that was renamed would hold for ever.
        return Err(format!("{} is not there: adapt the tables in xtask/src/layers.rs", root.display()));
    }
    let mut files = Vec::new();
    collect(root, &mut files)?;
    let mut sources = BTreeMap::new();
    for file in files {
        let name = match file.strip_prefix(root) {
            Ok(below) if below != Path::new("") => below.to_string_lossy().replace('\\', "/"),
            _ => file.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        };
        let is_test = name.ends_with("tests.rs") || name.contains("tests/") || name.contains(".test.");
        if file.extension().is_none_or(|found| found != extension) || is_test {
            continue;
        }
        let text =
            fs::read_to_string(&file).map_err(|error| format!("cannot read {}: {error}", file.display()))?;
        sources.insert(name, only_code(&text));
    }
    Ok(sources)
}

/// Blanks line comments and cuts the file at its test module; line numbers stay.
fn only_code(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    for line in text.lines() {
        if line.starts_with("#[cfg(test)]") {
            break;
        }
        code.push_str(line.split("//").next().unwrap_or_default());
        code.push('\n');
    }
    code
}

fn contains_word(line: &str, word: &str) -> bool {
    line.match_indices(word)
        .any(|(at, _)| !line[..at].ends_with(|symbol: char| symbol.is_alphanumeric() || symbol == '_'))
}

/// Imports in `js/src/{folder}` of anything in `js/src/{stranger}`.
fn strangers(js: &Path, folder: &str, stranger: &str, faults: &mut Vec<String>) -> Result<(), String> {
    for (name, code) in sources(&js.join(folder), "ts")? {
        for (number, line) in code.lines().enumerate() {
            let imports = line.contains("from ")
                || line.contains("import(")
                || line.trim_start().starts_with("import ");
            if imports && line.contains(&format!("/{stranger}/")) {
                faults.push(format!(
                    "js/src/{folder}/{name}:{}: {folder} must not import {stranger}",
                    number + 1
                ));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{CORE_LAYERS, check, contains_word, exports, first_names, module_of, only_code, uses};
    use crate::project::Project;

    #[test]
    fn this_repository_keeps_its_layers() {
        check(&Project::find().unwrap()).unwrap();
    }

    #[test]
    fn every_module_stands_in_one_layer() {
        let mut all: Vec<_> = CORE_LAYERS.concat();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }

    #[test]
    fn used_modules_are_found_in_every_form() {
        assert_eq!(first_names("ids::{OpId, Seq};"), ["ids"]);
        assert_eq!(first_names("{ids::{OpId, Seq}, op, tree::Tree};"), ["ids", "op", "tree"]);
        let code = "use crate::ids::Seq;\nfn f() -> crate::op::Op { my_crate::x::y() }\nuse super::doc::Doc;";
        let found = uses(code, 1);
        assert_eq!(found, [(1, "ids".to_owned()), (2, "op".to_owned()), (3, "doc".to_owned())]);
        assert_eq!(uses("use super::node::Node;", 2), [], "a neighbour in the own folder");
        assert_eq!(uses("use super::super::doc::Doc;", 2), [(1, "doc".to_owned())]);
    }

    #[test]
    fn exported_names_lead_back_to_their_module() {
        let exports = exports("mod ids;\npub use ids::{OpId, Seq};\npub use doc::Doc;");
        assert_eq!(exports.get("Seq").map(String::as_str), Some("ids"));
        assert_eq!(exports.get("Doc").map(String::as_str), Some("doc"));
    }

    #[test]
    fn comments_and_tests_do_not_count() {
        assert_eq!(only_code("a // crate::doc\n#[cfg(test)]\nmod tests {}"), "a \n");
        assert!(contains_word("use std::fs;", "std::"));
        assert!(!contains_word("use no_std::fs;", "std::"));
        assert_eq!(module_of("sequence/leaf.rs"), "sequence");
        assert_eq!(module_of("doc.rs"), "doc");
    }
}
