//! Every scenario script of `scripts/`, through the one helper; each is a test of its own name in
//! the output.

use crdt_core::{Anchor, Marks, ReplicaId};
use crdt_testkit::edit::Edit;
use crdt_testkit::model::{Model, ModelOp};
use crdt_testkit::script::{Script, Step};
use crdt_testkit::{cells, check};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Names and scripts, in the order of their names.
fn scripts() -> Vec<(String, Script)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts");
    let mut scripts: Vec<(String, Script)> = fs::read_dir(&folder)
        .expect("the folder of scripts")
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "script"))
        .map(|path| {
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            let text = fs::read_to_string(&path).expect("a readable script");
            let script = Script::parse(&text).unwrap_or_else(|failure| panic!("{name}: {failure}"));
            (name, script)
        })
        .collect();
    scripts.sort_by(|one, other| one.0.cmp(&other.0));
    scripts
}

#[test]
fn every_script_holds_for_crdt_core() {
    let scripts = scripts();
    assert!(scripts.len() >= 25, "scripts are missing: {}", scripts.len());
    let mut failed = Vec::new();
    for (name, script) in &scripts {
        // A panic inside the engine must not hide which script it was.
        println!("script {name}");
        if let Err(failure) = check(script) {
            failed.push(format!("{name}: {failure}"));
        }
    }
    assert!(failed.is_empty(), "{} of {} failed:\n{}", failed.len(), scripts.len(), failed.join("\n"));
}

/// Tells a wrong script from a wrong engine.
#[test]
fn every_script_holds_for_the_model_alone() {
    let failed: Vec<String> = scripts()
        .iter()
        .filter(|(_, script)| !script.has_sequences())
        .filter_map(|(name, script)| run_models(script).err().map(|failure| format!("{name}: {failure}")))
        .collect();
    assert!(failed.is_empty(), "{} failed:\n{}", failed.len(), failed.join("\n"));
}

fn run_models(script: &Script) -> Result<(), String> {
    let mut models = vec![Model::new(); script.replicas.len()];
    let mut last: Vec<Vec<ModelOp>> = vec![Vec::new(); models.len()];
    let mut anchors: BTreeMap<&str, Anchor> = BTreeMap::new();
    for (line, step) in &script.steps {
        let wrong = |found: String| Err(format!("line {line} `{step}`: found {found}"));
        match step {
            Step::Edit { replica, edits } => {
                let ops = match edit(&mut models[*replica], script.replicas[*replica], edits) {
                    Ok(ops) => ops,
                    Err(found) => return wrong(found),
                };
                if !ops.is_empty() {
                    last[*replica] = ops;
                }
            }
            Step::EditPlaced { .. } | Step::ExpectText { .. } | Step::ExpectList { .. } => {
                unreachable!("the model knows nothing of named sequences");
            }
            // What undoing does is for crdt-core to say; the model takes it.
            Step::Turn { .. } => return Ok(()),
            Step::Sync { from, to } => sync(&mut models, *from, *to),
            Step::SyncAll => {
                (1..models.len()).for_each(|from| sync(&mut models, from, 0));
                (1..models.len()).for_each(|to| sync(&mut models, 0, to));
            }
            Step::Last { from, to } => {
                last[*from].clone().into_iter().for_each(|op| models[*to].receive(op));
            }
            Step::Anchor { replica, name, position, side } => {
                let visible = models[*replica].visible();
                let element = match side {
                    crdt_core::Side::Before => visible.get(*position).copied(),
                    crdt_core::Side::After => position.checked_sub(1).map(|index| visible[index]),
                };
                anchors.insert(name, Anchor { element, side: *side });
            }
            Step::Expect { replica, text } => {
                for (index, model) in models.iter().enumerate() {
                    if replica.is_none_or(|replica| replica == index) && model.text() != *text {
                        return wrong(format!("{:?}", model.text()));
                    }
                }
            }
            Step::Expand { replica, name, expand } => {
                for (index, model) in models.iter_mut().enumerate() {
                    if replica.is_none_or(|replica| replica == index) {
                        model.set_expand(name, *expand);
                    }
                }
            }
            Step::ExpectRuns { replica, runs } => {
                for (index, model) in models.iter().enumerate() {
                    let found = cells::runs(&model.cells());
                    if replica.is_none_or(|replica| replica == index) && found != *runs {
                        return wrong(format!("{found:?}"));
                    }
                }
            }
            Step::ExpectRegisters { replica, registers } => {
                for (index, model) in models.iter().enumerate() {
                    let found: Marks = model.registers().into_iter().collect();
                    if replica.is_none_or(|replica| replica == index) && found != *registers {
                        return wrong(format!("{found:?}"));
                    }
                }
            }
            Step::ExpectPending { replica, count } => {
                if models[*replica].waiting() != *count {
                    return wrong(models[*replica].waiting().to_string());
                }
            }
            Step::ExpectAnchor { replica, name, position } => {
                let found = models[*replica].resolve(&anchors[name.as_str()]);
                if found != Some(*position) {
                    return wrong(format!("{found:?}"));
                }
            }
        }
    }
    Ok(())
}

/// Refuses what lies outside, which would be a panic.
fn edit(model: &mut Model, replica: ReplicaId, edits: &[Edit]) -> Result<Vec<ModelOp>, String> {
    let mut len = model.visible().len();
    for edit in edits {
        let (inserted, deleted) = edit.sizes();
        let touched = if let Edit::Mark { len, .. } = edit { *len } else { deleted };
        if edit.position() + touched > len {
            return Err(format!("only {len} elements for {edit:?}"));
        }
        len = len + inserted - deleted;
    }
    Ok(model.edit(replica, edits).concat())
}

fn sync(models: &mut [Model], from: usize, to: usize) {
    let ops: Vec<ModelOp> = models[from].ops().chain(models[from].waiting_ops()).cloned().collect();
    ops.into_iter().for_each(|op| models[to].receive(op));
}
