// The real relay as a child process: started, stopped, killed, started again on the same port and data.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const PROGRAM = process.env["CRDT_RELAY"] ?? resolve(process.cwd(), "../../target/debug/crdt-relay");
const READY_LIMIT_MS = 30_000;

export class Relay {
  readonly #data = mkdtempSync(join(tmpdir(), "crdt-editor-test-"));
  readonly #port: number;
  #child: ChildProcess | undefined;
  #log = "";

  private constructor(port: number) {
    this.#port = port;
  }

  /** A relay on a port of its own with an empty data folder. */
  static async started(): Promise<Relay> {
    const relay = new Relay(await freePort());
    await relay.start();
    return relay;
  }

  get address(): string {
    return `http://127.0.0.1:${String(this.#port)}`;
  }

  async start(): Promise<void> {
    const child = spawn(
      PROGRAM,
      ["--listen", `127.0.0.1:${String(this.#port)}`, "--data", this.#data, "--site", resolve("dist")],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    this.#child = child;
    const keep = (chunk: Buffer): void => {
      this.#log += chunk.toString();
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    await this.#answers(child);
  }

  /** Ends it as Ctrl-C does; it stores everything first. */
  async stop(): Promise<void> {
    const code = await this.#end("SIGINT");
    if (code !== 0) {
      throw new Error(`the relay ended with ${String(code)}:\n${this.#log}`);
    }
  }

  /** Ends it at once. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** The text that the relay has stored. */
  async text(name: string): Promise<string> {
    const answer = await fetch(`${this.address}/v1/documents/${encodeURIComponent(name)}/text`);
    if (!answer.ok) {
      throw new Error(`the relay answers ${String(answer.status)} for the text of ${name}`);
    }
    return await answer.text();
  }

  /** Ends it if it runs, and removes its data. */
  async remove(): Promise<void> {
    if (this.#child) {
      await this.kill();
    }
    rmSync(this.#data, { recursive: true, force: true });
  }

  async #end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#child;
    if (!child) {
      throw new Error("the relay is not running");
    }
    this.#child = undefined;
    if (child.exitCode === null && child.signalCode === null) {
      const exit = once(child, "exit");
      child.kill(signal);
      await exit;
    }
    return child.exitCode;
  }

  /** Waits until the page is served. */
  async #answers(child: ChildProcess): Promise<void> {
    const deadline = Date.now() + READY_LIMIT_MS;
    for (;;) {
      if (child.exitCode !== null) {
        throw new Error(`the relay ended with ${String(child.exitCode)} while starting:\n${this.#log}`);
      }
      try {
        const answer = await fetch(this.address);
        await answer.arrayBuffer();
        return;
      } catch (error) {
        if (Date.now() > deadline) {
          throw new Error(`the relay does not answer at ${this.address}:\n${this.#log}`, { cause: error });
        }
        await new Promise((done) => setTimeout(done, 20));
      }
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") {
    throw new Error("the system gave no port");
  }
  return address.port;
}
