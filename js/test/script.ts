/** Runs a scenario script of crdt-testkit/scripts (its README says what a line means). */
import assert from "node:assert/strict";
import { applyEdits, Doc } from "crdt-js";

interface Replica {
  readonly doc: Doc;
  /** The delta of its newest transaction that changed anything. */
  last: Uint8Array | undefined;
  /** The text by its change events alone. */
  shown: string;
}

export function runScript(text: string): void {
  new Script(text).run();
}

class Script {
  readonly #lines: readonly string[];
  readonly #replicas = new Map<string, Replica>();
  readonly #anchors = new Map<string, Uint8Array>();

  constructor(text: string) {
    this.#lines = text
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line !== "" && !line.startsWith("#"));
    const ids = new Map(this.#lines.flatMap((line) => {
      const named = /^([A-Z]) is ([0-9a-f]{16})$/.exec(line);
      return named ? [[named[1] ?? "", named[2] ?? ""] as const] : [];
    }));
    const names = this.#lines.flatMap((line) => /^([A-Z])(?:>([A-Z]))?/.exec(line)?.slice(1) ?? []).filter(Boolean);
    const count = Math.max(...names.map((name) => name.charCodeAt(0) - 64));
    for (let index = 1; index <= count; index++) {
      const name = String.fromCharCode(64 + index);
      this.#replicas.set(name, newReplica(ids.get(name) ?? index.toString(16).padStart(16, "0")));
    }
  }

  run(): void {
    for (const line of this.#lines) {
      try {
        this.#step(line);
        this.#checkEvents();
      } catch (error) {
        throw new Error(`at "${line}": ${String(error)}`, { cause: error });
      }
    }
    this.#syncAll();
    this.#checkEvents();
    assert.equal(new Set([...this.#replicas.values()].map(({ doc }) => doc.toString())).size, 1);
  }

  #step(line: string): void {
    let match;
    if (/^[A-Z] is /.test(line)) {
      return;
    } else if (line === "*: sync") {
      this.#syncAll();
    } else if ((match = /^([A-Z])>([A-Z]): (sync|last)$/.exec(line))) {
      const [from, to] = [this.#named(match[1]), this.#named(match[2])];
      const delta = match[3] === "last" ? from.last : from.doc.deltaSince(to.doc.version());
      assert.ok(delta);
      to.doc.applyDelta(delta);
    } else if ((match = /^([A-Z*]) = (".*")$/.exec(line))) {
      const expected: unknown = JSON.parse(match[2] ?? "");
      const those = match[1] === "*" ? [...this.#replicas.values()] : [this.#named(match[1])];
      for (const { doc } of those) {
        assert.equal(doc.toString(), expected);
      }
    } else if ((match = /^([A-Z]) pending (\d+)$/.exec(line))) {
      assert.equal(this.#named(match[1]).doc.pending().operations, Number(match[2]));
    } else if ((match = /^([A-Z])@(\w+) = (\d+)$/.exec(line))) {
      const { doc } = this.#named(match[1]);
      const anchor = this.#anchors.get(match[2] ?? "");
      assert.ok(anchor);
      assert.equal(doc.resolveAnchor(anchor), toUtf16(doc, Number(match[3])));
    } else if ((match = /^([A-Z]): anchor (\w+) (\d+) (before|after)$/.exec(line))) {
      const { doc } = this.#named(match[1]);
      const side = match[4] === "before" ? "before" : "after";
      this.#anchors.set(match[2] ?? "", doc.anchorAt(toUtf16(doc, Number(match[3])), side));
    } else if ((match = /^([A-Z]): (.*)$/.exec(line))) {
      edit(this.#named(match[1]), match[2] ?? "");
    } else {
      throw new SyntaxError("not understood");
    }
  }

  #named(name: string | undefined): Replica {
    const replica = this.#replicas.get(name ?? "");
    assert.ok(replica, `no replica ${String(name)}`);
    return replica;
  }

  #syncAll(): void {
    for (const { doc: to } of this.#replicas.values()) {
      for (const { doc: from } of this.#replicas.values()) {
        to.applyDelta(from.deltaSince(to.version()));
      }
    }
  }

  /** Events replayed, snapshots and versions, for every script at every step. */
  #checkEvents(): void {
    for (const { doc, shown } of this.#replicas.values()) {
      const text = doc.toString();
      assert.equal(shown, text);
      assert.equal(doc.length, text.length);
      const copy = Doc.fromSnapshot(doc.snapshot());
      assert.equal(copy.toString(), text);
      assert.deepEqual(copy.version(), doc.version());
      copy.free();
    }
  }
}

function newReplica(id: string): Replica {
  const replica: Replica = { doc: new Doc({ replica: id }), last: undefined, shown: "" };
  replica.doc.on("change", ({ edits }) => {
    replica.shown = applyEdits(replica.shown, edits);
  });
  replica.doc.on("delta", (delta) => {
    replica.last = delta;
  });
  return replica;
}

function edit({ doc }: Replica, statement: string): void {
  const keys = /^(type|type-backwards) (\d+) (".*")$/.exec(statement);
  const backspace = /^backspace (\d+) (\d+)$/.exec(statement);
  if (keys) {
    const characters = Array.from(JSON.parse(keys[3] ?? "") as string);
    const start = Number(keys[2]);
    if (keys[1] === "type") {
      characters.forEach((character, index) => {
        doc.insert(toUtf16(doc, start + index), character);
      });
    } else {
      for (const character of characters.reverse()) {
        doc.insert(toUtf16(doc, start), character);
      }
    }
  } else if (backspace) {
    for (let key = 0; key < Number(backspace[2]); key++) {
      deleteScalars(doc, Number(backspace[1]) - key - 1, 1);
    }
  } else {
    doc.transact(() => {
      // A ";" inside a string does not end an edit.
      for (const [one] of statement.matchAll(/(?:"(?:[^"\\]|\\.)*"|[^";])+/g)) {
        const insert = /^insert (\d+) (".*")$/.exec(one.trim());
        const deletion = /^delete (\d+) (\d+)$/.exec(one.trim());
        if (insert) {
          doc.insert(toUtf16(doc, Number(insert[1])), JSON.parse(insert[2] ?? "") as string);
        } else if (deletion) {
          deleteScalars(doc, Number(deletion[1]), Number(deletion[2]));
        } else {
          throw new SyntaxError(`not understood: ${one}`);
        }
      }
    });
  }
}

function deleteScalars(doc: Doc, position: number, length: number): void {
  const start = toUtf16(doc, position);
  doc.delete(start, toUtf16(doc, position + length) - start);
}

function toUtf16(doc: Doc, position: number): number {
  return Array.from(doc.toString()).slice(0, position).join("").length;
}
