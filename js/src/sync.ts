import type { Doc as WasmDoc } from "../wasm/crdt_wasm.js";
import { SyncClient } from "../wasm/crdt_wasm.js";
import type { AnyEdit } from "./edit.js";
import { fromWasm } from "./error.js";
import { PacketReader } from "./packet.js";

/** Whether what was typed is safe. */
export type SyncStatus =
  | { readonly type: "offline"; readonly unsaved: boolean }
  | { readonly type: "saving" }
  | { readonly type: "saved" }
  | { readonly type: "stopped"; readonly code: string; readonly message: string };

export interface PresenceChange {
  /** 16 hexadecimal digits. */
  readonly session: string;
  /** `undefined` when the session has left or shows nothing. */
  readonly state: Uint8Array | undefined;
}

/** What a provider does when the protocol says so. */
export interface SyncHandlers {
  send(message: Uint8Array<ArrayBuffer>): void;
  /** Close the connection; come back no sooner than after the delay, unless stopped. */
  close(code: number, retryAfterMs: number | undefined): void;
  status(status: SyncStatus): void;
  synced(): void;
  presence(changes: readonly PresenceChange[]): void;
  permission(mayWrite: boolean): void;
  /** The server did not accept a batch. */
  refused(code: string): void;
}

/** The document as the protocol needs it. */
export interface SyncDoc {
  /** `undefined` once it was freed. */
  wasm(): WasmDoc | undefined;
  /** Refuses during a transaction. */
  beforeRemote(): void;
  afterRemote(edits: AnyEdit[], origin: unknown): void;
}

/**
 * The client's side of the sync protocol for one document, over one connection after the other: crdt-wasm's
 * `SyncClient`, and its outputs as calls. Remote edits name this object as their origin.
 */
export class DocSync {
  readonly #doc: SyncDoc;
  readonly #handlers: SyncHandlers;
  readonly #packets: PacketReader[] = [];
  #client: SyncClient | undefined;
  #running = false;

  constructor(name: string, doc: SyncDoc, handlers: SyncHandlers) {
    this.#doc = doc;
    this.#handlers = handlers;
    this.#client = new SyncClient(name);
  }

  /** The connection has opened. */
  connected(): void {
    this.#call((client, doc) => client.connected(doc));
  }

  /** The connection is gone, with this close code if there was one. */
  disconnected(code?: number): void {
    this.#call((client, doc) => client.disconnected(doc, code));
  }

  /** A message has arrived. */
  receive(message: Uint8Array): void {
    this.#doc.beforeRemote();
    this.#call((client, doc) => client.receive(doc, message));
  }

  /** The document has changed by anything but `receive`. */
  changed(): void {
    this.#call((client, doc) => client.localChange(doc));
  }

  /** Shows the others `state`, now and after each reconnect; `undefined` shows nothing. */
  setPresence(state: Uint8Array | undefined): void {
    this.#call((client) => client.setPresence(state));
  }

  /** Time has passed; `nowMs` counts from anywhere and never falls. */
  tick(nowMs: number): void {
    this.#call((client, doc) => client.tick(doc, nowMs));
  }

  /** The number that the server gave this session, as 16 hexadecimal digits. */
  get session(): string | undefined {
    return this.#client?.session()?.toString(16).padStart(16, "0");
  }

  /** False once this or the document was freed; then nothing here does anything. */
  get live(): boolean {
    return this.#client !== undefined && this.#doc.wasm() !== undefined;
  }

  /** Says nothing more. */
  free(): void {
    this.#client?.free();
    this.#client = undefined;
    this.#packets.length = 0;
  }

  #call(call: (client: SyncClient, doc: WasmDoc) => Uint8Array): void {
    const doc = this.#doc.wasm();
    if (!this.#client || !doc) {
      return;
    }
    try {
      this.#packets.push(new PacketReader(call(this.#client, doc)));
    } catch (error) {
      throw fromWasm(error);
    }
    // Handlers may call back: what that leads to comes after what is under way.
    if (this.#running) {
      return;
    }
    this.#running = true;
    try {
      for (let packet = this.#packets[0]; packet; packet = this.#packets[0]) {
        if (packet.done) {
          this.#packets.shift();
        } else {
          this.#output(packet);
        }
      }
    } finally {
      this.#running = false;
    }
  }

  /** One output, as `crdt-wasm/src/output_packet.rs` wrote it. */
  #output(packet: PacketReader): void {
    const handlers = this.#handlers;
    const kind = packet.byte();
    switch (kind) {
      case 0:
        handlers.send(packet.bytes());
        break;
      case 1:
        this.#doc.afterRemote(new PacketReader(packet.bytes()).edits(), this);
        break;
      case 2: {
        const changes: PresenceChange[] = [];
        for (let left = packet.number(); left > 0; left--) {
          const session = packet.id();
          changes.push({ session, state: packet.byte() === 1 ? packet.bytes() : undefined });
        }
        handlers.presence(changes);
        break;
      }
      case 3:
        handlers.status({ type: "offline", unsaved: packet.byte() === 1 });
        break;
      case 4:
        handlers.status({ type: "saving" });
        break;
      case 5:
        handlers.status({ type: "saved" });
        break;
      case 6:
        handlers.status({ type: "stopped", code: packet.text(), message: packet.text() });
        break;
      case 7:
        handlers.synced();
        break;
      case 8:
        handlers.permission(packet.byte() === 1);
        break;
      case 9:
        handlers.refused(packet.text());
        break;
      case 10: {
        const code = packet.number();
        const delay = packet.number();
        handlers.close(code, delay === 0 ? undefined : delay - 1);
        break;
      }
      default:
        throw new RangeError(`unknown output ${String(kind)}`);
    }
  }
}
