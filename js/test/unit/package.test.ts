/** The package as npm would publish it, used from outside. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

const root = process.cwd();
let folder: string;
let files: string[];

/** Runs a program in the consumer's folder; gives what it prints. */
function run(name: string, source: string): string {
  writeFileSync(join(folder, name), source);
  return execFileSync(process.execPath, [name], { cwd: folder, encoding: "utf8" }).trim();
}

before(() => {
  folder = mkdtempSync(join(tmpdir(), "crdt-js-"));
  const listed = execFileSync("npm", ["pack", "--dry-run", "--json", "--loglevel=error"], { cwd: root, encoding: "utf8" });
  const reported = JSON.parse(listed) as Record<string, unknown> | unknown[];
  // npm 10 gives a list of packages, npm 11 an object by name.
  const [pack] = (Array.isArray(reported) ? reported : Object.values(reported)) as { files: { path: string }[] }[];
  files = (pack?.files ?? []).map(({ path }) => path);
  const installed = join(folder, "node_modules/crdt-js");
  mkdirSync(installed, { recursive: true });
  for (const file of files) {
    cpSync(join(root, file), join(installed, file));
  }
  for (const peer of ["quill", "@codemirror", "monaco-editor", "prosemirror-model", "prosemirror-state", "prosemirror-transform", "prosemirror-view"]) {
    symlinkSync(join(root, "node_modules", peer), join(folder, "node_modules", peer));
  }
  writeFileSync(join(folder, "package.json"), "{}");
});

after(() => {
  rmSync(folder, { recursive: true });
});

test("it holds what was built and nothing else", () => {
  for (const needed of ["README.md", "package.json", "dist/index.js", "dist/index.cjs", "dist/crdt.wasm"]) {
    assert.ok(files.includes(needed), needed);
  }
  const other = files.filter((file) => !/^(?:README\.md|LICENSE.*|package\.json|dist\/(?:LICENSE-\w+|[\w/-]+\.(?:js|cjs|wasm|d\.ts|d\.cts)))$/.test(file));
  assert.deepEqual(other, []);
});

test("import starts without await", () => {
  const said = run("esm.mjs", `import { Doc } from "crdt-js"; const doc = new Doc(); doc.insert(0, "hi"); console.log(String(doc));`);
  assert.equal(said, "hi");
});

test("the first program of the README runs", () => {
  const program = /```js\n(.*?)```/s.exec(readFileSync(join(root, "README.md"), "utf8"))?.[1];
  assert.match(run("readme.mjs", program ?? ""), /from elsewhere:[^]*here:[^]*Hello everybody 😀$/);
});

test("the programs of the README about history and logs run", () => {
  const readme = readFileSync(join(root, "README.md"), "utf8");
  for (const [heading, said] of [["History", /^The plan\n[^]*\nThe plan\nThe  by Ada\nplan by Ada$/], ["Logs", /^Kept\.$/]] as const) {
    const program = new RegExp(`^### ${heading}\n.*?\`\`\`js\n(.*?)\`\`\``, "ms").exec(readme)?.[1];
    assert.match(run(`readme-${heading}.mjs`, program ?? ""), said);
  }
});

test("require starts without await", () => {
  const said = run("cjs.cjs", `const { Doc } = require("crdt-js"); const doc = new Doc(); doc.insert(0, "hi"); console.log(String(doc));`);
  assert.equal(said, "hi");
});

test("slim starts from bytes, and says so when it was not started", () => {
  for (const [name, load] of [
    ["slim.mjs", `import { readFileSync } from "node:fs"; import { createRequire } from "node:module";
      const slim = await import("crdt-js/slim"); const require = createRequire(import.meta.url);`],
    ["slim.cjs", `const { readFileSync } = require("node:fs"); const slim = require("crdt-js/slim");`],
  ] as const) {
    const said = run(name, `${load}
      (async () => {
        try { new slim.Doc(); } catch (error) { console.log(error.code); }
        await slim.init(readFileSync(require.resolve("crdt-js/crdt.wasm")));
        await slim.init(new Uint8Array([1, 2, 3]));
        const doc = new slim.Doc(); doc.insert(0, "hi"); console.log(String(doc));
      })();`);
    assert.equal(said, "not-initialised\nhi");
  }
});

test("slim starts from a compiled module", () => {
  const said = run("module.mjs", `import { readFileSync } from "node:fs"; import { createRequire } from "node:module";
    import { Doc, init } from "crdt-js/slim";
    const bytes = readFileSync(createRequire(import.meta.url).resolve("crdt-js/crdt.wasm"));
    await init(new WebAssembly.Module(bytes)); console.log(new Doc().length);`);
  assert.equal(said, "0");
});

test("slim has what the default entry has, and init", () => {
  const said = run("both.mjs", `import * as all from "crdt-js"; import * as slim from "crdt-js/slim";
    console.log(Object.keys(slim).filter((name) => !(name in all)).join(), all.Doc === slim.Doc,
      Object.keys(all).every((name) => name in slim));`);
  assert.equal(said, "init true true");
});

test("bindings load without the WebAssembly", () => {
  const said = run("bindings.mjs", `import { bindTextarea } from "crdt-js/textarea"; import { bindQuill } from "crdt-js/quill";
    import { bindCodeMirror } from "crdt-js/codemirror"; import { bindMonaco } from "crdt-js/monaco"; import { bindProseMirror } from "crdt-js/prosemirror";
    console.log(typeof bindTextarea, typeof bindQuill, typeof bindCodeMirror, typeof bindMonaco, typeof bindProseMirror);`);
  assert.equal(said, "function function function function function");
  const required = run("bindings.cjs", `console.log(typeof require("crdt-js/codemirror").collaboration, typeof require("crdt-js/prosemirror").collaboration);`);
  assert.equal(required, "function function");
  for (const [entry, peers] of [
    ["quill", []],
    ["textarea", []],
    ["monaco", []],
    ["codemirror", ["@codemirror/state", "@codemirror/view"]],
    ["prosemirror", ["prosemirror-model", "prosemirror-state", "prosemirror-transform", "prosemirror-view"]],
  ] as const) {
    const source = readFileSync(join(root, `dist/${entry}.js`), "utf8");
    const imported = new Set(Array.from(source.matchAll(/^(?:import|\} from) .*?"([^"]+)";$/gm), ([, from]) => from));
    assert.deepEqual([...imported].sort(), peers, entry);
  }
});

test("types hold for ES modules and for CommonJS", () => {
  const source = `
    import { Doc, CrdtError, WebSocketProvider, type TextEdit } from "crdt-js";
    import { init } from "crdt-js/slim";
    import { bindQuill } from "crdt-js/quill";
    import { bindTextarea } from "crdt-js/textarea";
    import { bindCodeMirror, collaboration } from "crdt-js/codemirror";
    import { EditorView } from "@codemirror/view";
    import { bindMonaco } from "crdt-js/monaco";
    import * as prosemirror from "crdt-js/prosemirror";
    import type { editor } from "monaco-editor";
    import type { EditorView as ProseMirrorView } from "prosemirror-view";
    import type Quill from "quill";
    export function use(
      quill: Quill,
      element: HTMLTextAreaElement,
      monaco: editor.IStandaloneCodeEditor,
      prose: ProseMirrorView,
    ): Promise<void> {
      const doc = new Doc();
      const edits: TextEdit[] = doc.applyDelta(new Uint8Array());
      const provider = new WebSocketProvider(doc, "/v1/sync", "name", { presence: { name: "Ada" } });
      provider.on("saved", ({ state, unsaved }) => { console.log(state, unsaved, edits); });
      bindQuill(doc, quill, { presence: provider.presence }).destroy();
      bindTextarea(doc, element, { presence: provider.presence }).destroy();
      bindMonaco(doc, monaco, { presence: provider.presence }).destroy();
      const view = new EditorView({ extensions: [collaboration(doc, { presence: provider.presence })] });
      bindCodeMirror(doc, view).destroy();
      prosemirror.bindProseMirror(doc, prose, { presence: provider.presence }).destroy();
      console.log(new CrdtError("full", "").code);
      return init("/crdt.wasm");
    }`;
  for (const name of ["types.mts", "types.cts"]) {
    writeFileSync(join(folder, name), source);
  }
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({
      compilerOptions: {
        ...{ module: "nodenext", target: "es2022", lib: ["es2023", "esnext.disposable", "dom"], types: [] },
        ...{ strict: true, noEmit: true, skipLibCheck: true, exactOptionalPropertyTypes: true },
      },
      files: ["types.mts", "types.cts"],
    }),
  );
  try {
    execFileSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", folder], { encoding: "utf8" });
  } catch (error) {
    assert.fail((error as { stdout: string }).stdout);
  }
});
