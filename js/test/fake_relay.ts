/**
 * A relay in memory, with WebSockets to it: as much of docs/protocol.md as tests of the provider need.
 * Messages travel by microtasks; `settle()` waits until none is under way.
 */
import assert from "node:assert/strict";
import { Doc } from "crdt-js";
import { PacketReader } from "../src/packet.js";

const EPOCH = [1, 0, 0, 0, 0, 0, 0, 0];
const HANDLE = 7;
const WRITE = 2;

/** Lets everything that microtasks do happen. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

export class FakeRelay {
  /** What is stored. */
  readonly doc = new Doc();
  readonly sockets: FakeSocket[] = [];
  /** Frame types that arrived, in hexadecimal. */
  readonly received: string[] = [];
  readonly presence: (string | undefined)[] = [];
  /** Whether new connections open. */
  reachable = true;
  /** Whether batches are stored and acknowledged at once. */
  acknowledges = true;
  joinMode = 0;
  #logSeq = 0;
  #sessions = 0;

  /** The class of sockets that connect to this relay. */
  readonly WebSocket: new (url: string) => FakeSocket;

  constructor() {
    const relay = this as FakeRelay;
    this.WebSocket = class extends FakeSocket {
      constructor(url: string) {
        super(url, relay);
      }
    };
  }

  get open(): FakeSocket[] {
    return this.sockets.filter((socket) => socket.readyState === 1);
  }

  broadcast(bytes: readonly number[]): void {
    for (const socket of this.open) {
      socket.deliver(bytes);
    }
  }

  /** Somebody else edits the document. */
  edit(edit: (doc: Doc) => void): void {
    const before = this.doc.version();
    const from = versionOf(before, this.doc.replica);
    edit(this.doc);
    const to = versionOf(this.doc.version(), this.doc.replica);
    this.#logSeq++;
    const head = [0x15, HANDLE, ...varint(this.#logSeq), ...id(this.doc.replica), ...varint(from), ...varint(to)];
    this.broadcast([...head, ...this.doc.deltaSince(before)]);
  }

  show(session: number, state: string | undefined): void {
    const bytes = state === undefined ? [0] : [1, ...varint(Buffer.byteLength(state)), ...Buffer.from(state)];
    this.broadcast([0x21, HANDLE, 0, 1, session, 0, 0, 0, 0, 0, 0, 0, ...bytes]);
  }

  take(socket: FakeSocket, message: Uint8Array): void {
    const reader = new PacketReader(message);
    const kind = reader.byte();
    reader.number();
    this.received.push(kind.toString(16));
    switch (kind) {
      case 0x01:
        this.#sessions++;
        socket.deliver([
          ...[0x02, 0, 1, 0, ...id(this.#sessions.toString(16).padStart(16, "0"))],
          ...[...varint(1 << 18), ...varint(1 << 23), ...varint(4096), 32, ...varint(15_000)],
        ]);
        break;
      case 0x10: {
        const request = reader.number();
        reader.bytes();
        skip(reader, 8);
        reader.number();
        const version = rest(reader, message);
        socket.deliver([
          ...[0x11, HANDLE, ...varint(request), WRITE, this.joinMode, ...EPOCH],
          ...[...varint(this.#logSeq), ...this.doc.version()],
        ]);
        socket.deliver([0x14, HANDLE, ...varint(this.#logSeq), ...this.doc.deltaSince(version)]);
        break;
      }
      case 0x15: {
        reader.number();
        const replica = reader.id();
        reader.number();
        const to = reader.number();
        if (this.acknowledges) {
          this.doc.applyDelta(rest(reader, message));
          this.#logSeq++;
          socket.deliver([0x16, HANDLE, ...id(replica), ...varint(to), ...varint(this.#logSeq)]);
        }
        break;
      }
      case 0x20:
        this.presence.push(reader.byte() === 1 ? reader.text() : undefined);
        break;
      case 0x05:
        socket.deliver([0x06, 0, ...rest(reader, message)]);
        break;
      default:
        assert.fail(`unexpected frame ${kind.toString(16)}`);
    }
  }
}

export class FakeSocket {
  binaryType = "";
  readyState = 0;
  onopen: ((event: unknown) => void) | null = null;
  onmessage: ((event: { readonly data: unknown }) => void) | null = null;
  onclose: ((event: { readonly code: number }) => void) | null = null;
  onerror: ((event: unknown) => void) | null = null;
  closedWith: number | undefined;
  readonly #relay: FakeRelay;

  constructor(
    readonly url: string,
    relay: FakeRelay,
  ) {
    this.#relay = relay;
    relay.sockets.push(this);
    queueMicrotask(() => {
      if (relay.reachable) {
        this.readyState = 1;
        this.onopen?.({});
      } else {
        this.drop(1006);
      }
    });
  }

  send(data: Uint8Array): void {
    assert.equal(this.readyState, 1);
    const copy = data.slice();
    queueMicrotask(() => {
      this.#relay.take(this, copy);
    });
  }

  close(code?: number): void {
    this.closedWith = code;
    this.readyState = 3;
  }

  /** The relay, or the network, ends the connection. */
  drop(code: number): void {
    this.readyState = 3;
    this.onclose?.({ code });
  }

  deliver(bytes: readonly number[]): void {
    queueMicrotask(() => {
      if (this.readyState === 1) {
        this.onmessage?.({ data: Uint8Array.from(bytes).buffer });
      }
    });
  }
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))];
}

function id(digits: string): number[] {
  return [...Buffer.from(digits, "hex")].reverse();
}

function skip(reader: PacketReader, count: number): void {
  for (let index = 0; index < count; index++) {
    reader.byte();
  }
}

function rest(reader: PacketReader, message: Uint8Array): Uint8Array {
  let left = 0;
  while (!reader.done) {
    reader.byte();
    left++;
  }
  return message.slice(message.length - left);
}

/** An entry of an encoded version vector. */
function versionOf(version: Uint8Array, replica: string): number {
  const reader = new PacketReader(version);
  for (let left = reader.number(); left > 0; left--) {
    const entry = reader.id();
    const count = reader.number();
    if (entry === replica) {
      return count;
    }
  }
  return 0;
}
