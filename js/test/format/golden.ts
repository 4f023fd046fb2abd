// Where the golden files are, and what stands beside them.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export const folder = join(process.cwd(), "../crdt-testkit/golden");

export interface Golden {
  readonly name: string;
  readonly format: string;
  readonly bytes: Uint8Array;
  readonly expected: Record<string, unknown>;
}

export function read(name: string): Golden {
  const expected = JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8")) as Record<string, unknown>;
  const bytes = new Uint8Array(readFileSync(join(folder, name)));
  return { name, format: name.slice(name.lastIndexOf(".") + 1), bytes, expected };
}

export function all(): Golden[] {
  return readdirSync(folder)
    .filter((name) => !name.endsWith(".json"))
    .map(read);
}
