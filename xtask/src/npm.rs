//! The npm package and the demo page: their dependencies and their builds.

use crate::project::Project;
use crate::stamp::Stamp;
use crate::step::Steps;
use crate::toolchain::{npm, said_by};
use crate::wasm;
use std::path::Path;

/// Installs exactly what the lock file says, unless that is what is there already.
pub(crate) fn install(steps: &mut Steps, project: &Project, folder: &Path, name: &str) -> Result<(), String> {
    let lock = folder.join("package-lock.json");
    if !lock.is_file() {
        return Err(format!(
            "{name}/package-lock.json is missing: run `npm install` in {name}/ and commit it"
        ));
    }
    let stamp = Stamp::new(&project.stamps(), &project.root, &format!("npm-{}", name.replace('/', "-")))
        .text(&said_by("node", &["--version"]).unwrap_or_default())
        .input(&lock)?
        .output(folder.join("node_modules/.package-lock.json"));
    if stamp.is_current() {
        steps.up_to_date(&format!("{name}/node_modules"));
        return Ok(());
    }
    steps.quiet(&format!("npm ci in {name}"), &mut npm(folder, &["ci", "--no-audit", "--no-fund"]))?;
    stamp.save()
}

/// Builds the npm package with everything it needs.
pub(crate) fn package(steps: &mut Steps, project: &Project) -> Result<(), String> {
    wasm::build(steps, project)?;
    let stamp = sources(Stamp::new(&project.stamps(), &project.root, "js"), &project.js())?
        .input(&project.wasm_out())?
        .output(project.js().join("dist/index.js"));
    build(steps, &project.js(), "js", &stamp)
}

/// Builds the demo page, after the npm package.
pub(crate) fn editor(steps: &mut Steps, project: &Project) -> Result<(), String> {
    package(steps, project)?;
    install(steps, project, &project.editor(), "examples/editor")?;
    let stamp = sources(Stamp::new(&project.stamps(), &project.root, "editor"), &project.js())?
        .input(&project.wasm_out())?;
    let stamp = sources(stamp, &project.editor())?.output(project.editor().join("dist/index.html"));
    build(steps, &project.editor(), "examples/editor", &stamp)
}

/// What a build reads; its tests are none of it.
fn sources(mut stamp: Stamp, folder: &Path) -> Result<Stamp, String> {
    for input in ["src", "scripts", "package.json", "package-lock.json", "tsconfig.json"] {
        stamp = stamp.input(&folder.join(input))?;
    }
    Ok(stamp)
}

fn build(steps: &mut Steps, folder: &Path, name: &str, stamp: &Stamp) -> Result<(), String> {
    if stamp.is_current() {
        steps.up_to_date(&format!("{name}/dist"));
        return Ok(());
    }
    steps.quiet(&format!("npm run build in {name}"), &mut npm(folder, &["run", "build"]))?;
    stamp.save()
}
