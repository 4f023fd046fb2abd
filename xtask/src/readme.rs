//! What the README shows is what the repository has.

use crate::project::Project;
use std::fs;

#[test]
fn the_readme_shows_the_example_that_is_compiled() {
    let project = Project::find().unwrap();
    let readme = fs::read_to_string(project.path("README.md")).unwrap();
    let example = fs::read_to_string(project.path("examples/src/bin/two_replicas.rs")).unwrap();
    let code = &example[example.find("use ").unwrap()..];
    assert!(readme.contains(code.trim_end()), "copy the example into README.md");
}

#[test]
fn the_readme_begins_with_the_two_commands() {
    let project = Project::find().unwrap();
    let readme = fs::read_to_string(project.path("README.md")).unwrap();
    let commands: Vec<_> = readme.lines().filter(|line| line.starts_with("cargo ")).take(2).collect();
    assert!(commands[0].starts_with("cargo xtask demo"), "{commands:?}");
    assert!(commands[1].starts_with("cargo xtask test"), "{commands:?}");
}

#[test]
fn files_that_the_readme_names_exist() {
    let project = Project::find().unwrap();
    let readme = fs::read_to_string(project.path("README.md")).unwrap();
    for link in readme.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
        assert!(link.contains("://") || project.path(link).exists(), "README.md names {link}");
    }
}
