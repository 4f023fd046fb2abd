import { CrdtError } from "../error.js";
import { Events } from "../events.js";
import type { DocSync, SyncHandlers, SyncStatus } from "../sync.js";
import { Backoff, type BackoffOptions } from "./backoff.js";
import { Presence, type PresenceState } from "./presence.js";
import { Connection, type WebSocketConstructor } from "./socket.js";

export interface WebSocketProviderOptions {
  /** Whether to connect at once; default true. */
  readonly connect?: boolean;
  /** What this session shows the others from the start. */
  readonly presence?: PresenceState;
  /** At most one presence message in this time; default 50 ms. */
  readonly presenceIntervalMs?: number;
  readonly backoff?: BackoffOptions;
  /** Instead of the global one. */
  readonly WebSocket?: WebSocketConstructor;
}

/**
 * `connecting`: opening, or waiting for the server's answer. `connected`: edits flow. `offline`: not
 * connected, will try again (or wait for `connect()`). `stopped`: never again; see the `stopped` event.
 */
export type ConnectionStatus = "connecting" | "connected" | "offline" | "stopped";

/** Whether what was typed is safe: in the server's store. */
export interface SaveState {
  /** `saved`: everything is. `saving`: on its way. `offline`: not connected. */
  readonly state: "saved" | "saving" | "offline";
  /** Whether this copy holds anything that the server has not confirmed to have stored. */
  readonly unsaved: boolean;
}

export interface WebSocketProviderEvents {
  status: ConnectionStatus;
  saved: SaveState;
  /** Everything that the server had when we joined is in the document. */
  synced: undefined;
  /** Others show something else, or have left; also on `presence` itself. */
  presence: { readonly sessions: readonly string[] };
  /** Whether this session may edit; edits it makes though it may not stay unsaved. */
  permission: { readonly mayWrite: boolean };
  /** The server has another document under this name. Nothing is merged; the text here stays. */
  reset: undefined;
  /** Something a person should know of: the server refused edits, or this provider stopped for good. */
  error: { readonly code: string; readonly message: string };
}

/** What a provider needs of a document; `Doc` has it. */
export interface ProvidedDoc {
  on(type: "version", listener: (event: { readonly origin: unknown }) => void): () => void;
  /** @internal */
  openSync(name: string, handlers: SyncHandlers): DocSync;
}

/** How often the protocol hears that time passes. */
const TICK_MS = 1_000;

/**
 * Keeps a document equal to the one that a relay has under a name.
 *
 * Edits made without a connection stay in the document and are sent when it is back. Bind editors
 * to the document, not to this.
 */
export class WebSocketProvider {
  readonly url: string;
  readonly name: string;
  readonly presence: Presence;

  readonly #events = new Events<WebSocketProviderEvents>();
  readonly #WebSocket: WebSocketConstructor;
  readonly #backoff: Backoff;
  readonly #sync: DocSync;
  readonly #ends: (() => void)[] = [];
  #status: ConnectionStatus = "offline";
  #saved: SaveState = { state: "offline", unsaved: false };
  #synced = false;
  #mayWrite = false;
  #connection: Connection | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #ticker: ReturnType<typeof setInterval> | undefined;
  /** Whether `connect()` was called last, and not `disconnect()`. */
  #wanted = false;
  #changed = false;
  #destroyed = false;

  /** @param url of the relay's endpoint, as `wss://example.org/v1/sync`; `http(s)` and, in pages, paths will do */
  constructor(doc: ProvidedDoc, url: string | URL, name: string, options: WebSocketProviderOptions = {}) {
    const WebSocket = options.WebSocket ?? (globalThis as { WebSocket?: WebSocketConstructor }).WebSocket;
    if (!WebSocket) {
      throw new CrdtError("no-websocket", "there is no global WebSocket here: pass one in the options");
    }
    this.url = webSocketUrl(url);
    this.name = name;
    this.#WebSocket = WebSocket;
    this.#backoff = new Backoff(options.backoff);
    this.#sync = doc.openSync(name, this.#handlers());
    this.presence = new Presence((state) => {
      this.#showPresence(state);
    }, options.presenceIntervalMs ?? 50);
    this.presence.on("change", (change) => {
      this.#events.emit("presence", change);
    });
    this.#ends.push(
      doc.on("version", ({ origin }) => {
        if (origin !== this.#sync) {
          this.#noteChange();
        }
      }),
    );
    this.#watchPage();
    this.#sync.changed(); // what the document holds already is unsaved
    if (options.presence) {
      this.presence.set(options.presence);
    }
    if (options.connect ?? true) {
      this.connect();
    }
  }

  get status(): ConnectionStatus {
    return this.#status;
  }

  get saved(): SaveState {
    return this.#saved;
  }

  /** Whether everything that the server had when we joined is in the document. */
  get synced(): boolean {
    return this.#synced;
  }

  /** Whether this session may edit; false until the server has said so. */
  get mayWrite(): boolean {
    return this.#mayWrite;
  }

  /** This session's id on the server, by which others see its presence. */
  get session(): string | undefined {
    return this.#sync.session;
  }

  on<Type extends keyof WebSocketProviderEvents>(
    type: Type,
    listener: (event: WebSocketProviderEvents[Type]) => void,
  ): () => void {
    return this.#events.on(type, listener);
  }

  /** Connects, now and whenever the connection is lost. */
  connect(): void {
    if (this.#destroyed || this.#status === "stopped") {
      return;
    }
    this.#wanted = true;
    if (!this.#connection) {
      this.#open();
    }
  }

  /** Disconnects, until `connect()`. */
  disconnect(): void {
    this.#wanted = false;
    clearTimeout(this.#retry);
    this.#drop();
  }

  /** Disconnects for ever and releases everything; the document stays. */
  destroy(): void {
    if (this.#destroyed) {
      return;
    }
    // What the microtask would have sent.
    this.#flush();
    this.#destroyed = true;
    this.disconnect();
    for (const end of this.#ends.splice(0)) {
      end();
    }
    this.presence.end();
    this.#events.clear();
    this.#sync.free();
  }

  #open(): void {
    clearTimeout(this.#retry);
    if (!this.#sync.live) {
      this.destroy(); // the document was freed
      return;
    }
    this.#setStatus("connecting");
    const connection = new Connection(this.#WebSocket, this.url, {
      opened: () => {
        this.#ticker = setInterval(() => {
          this.#sync.tick(performance.now());
        }, TICK_MS);
        this.#sync.tick(performance.now());
        this.#sync.connected();
      },
      received: (message) => {
        this.#sync.receive(message);
      },
      closed: (code) => {
        if (this.#connection === connection) {
          this.#lost(code, undefined);
        }
      },
    });
    this.#connection = connection;
  }

  /** The connection is gone, and not because the caller wanted it. */
  #lost(code: number | undefined, retryAfterMs: number | undefined): void {
    this.#drop(code);
    if (this.#wanted && this.#status !== "stopped") {
      this.#retry = setTimeout(() => {
        this.#open();
      }, this.#backoff.next(retryAfterMs));
    }
  }

  #drop(code?: number): void {
    clearInterval(this.#ticker);
    const connection = this.#connection;
    this.#connection = undefined;
    connection?.close();
    this.#synced = false;
    this.#mayWrite = false;
    this.#sync.disconnected(code);
    this.#setStatus("offline");
  }

  #handlers(): SyncHandlers {
    return {
      send: (message) => {
        this.#connection?.send(message);
      },
      close: (code, retryAfterMs) => {
        const connection = this.#connection;
        this.#connection = undefined;
        connection?.close(code);
        this.#lost(undefined, retryAfterMs);
      },
      status: (status) => {
        this.#syncStatus(status);
      },
      synced: () => {
        this.#synced = true;
        this.#events.emit("synced", undefined);
      },
      presence: (changes) => {
        this.presence.received(changes);
      },
      permission: (mayWrite) => {
        this.#mayWrite = mayWrite;
        this.#events.emit("permission", { mayWrite });
      },
      refused: (code) => {
        // The others are between the machines: the batch is cut anew, or sent again later.
        if (code === "permission" || code === "document-full") {
          this.#events.emit("error", { code, message: `the server did not accept edits: ${code}` });
        }
      },
    };
  }

  #syncStatus(status: SyncStatus): void {
    switch (status.type) {
      case "saved":
      case "saving":
        this.#backoff.reset();
        this.#setSaved({ state: status.type, unsaved: status.type === "saving" });
        this.#setStatus("connected");
        break;
      case "offline":
        this.#setSaved({ state: "offline", unsaved: status.unsaved });
        break;
      case "stopped":
        this.#wanted = false;
        clearTimeout(this.#retry);
        this.#setSaved({ ...this.#saved, state: "offline" });
        this.#setStatus("stopped");
        if (status.code === "reset") {
          this.#events.emit("reset", undefined);
        }
        this.#events.emit("error", { code: status.code, message: status.message });
        break;
    }
  }

  #setStatus(status: ConnectionStatus): void {
    if (this.#status !== status && this.#status !== "stopped") {
      this.#status = status;
      this.#events.emit("status", status);
    }
  }

  #setSaved(saved: SaveState): void {
    if (this.#saved.state !== saved.state || this.#saved.unsaved !== saved.unsaved) {
      this.#saved = saved;
      this.#events.emit("saved", saved);
    }
  }

  #showPresence(state: Uint8Array | undefined): void {
    try {
      this.#sync.setPresence(state);
    } catch (error) {
      // The server's limit may be lower than the one that `presence.set` checks.
      this.#events.emit("error", { code: "invalid-presence", message: String(error) });
    }
  }

  /** Edits of one task leave as one message. */
  #noteChange(): void {
    if (this.#status === "stopped") {
      this.#setSaved({ state: "offline", unsaved: true });
      return;
    }
    if (!this.#changed) {
      this.#changed = true;
      queueMicrotask(() => {
        this.#flush();
      });
    }
  }

  #flush(): void {
    if (this.#changed) {
      this.#changed = false;
      this.#sync.changed();
    }
  }

  /** Comes back at once when the network or the person does, instead of at the end of a long delay. */
  #watchPage(): void {
    const now = (): void => {
      if (this.#wanted && !this.#connection) {
        this.#backoff.reset();
        this.#open();
      }
    };
    const gone = (): void => {
      if (this.#connection) {
        this.#lost(undefined, undefined);
      }
    };
    const { document } = globalThis as { document?: Document };
    const shown = (): void => {
      if (document?.visibilityState === "visible") {
        now();
      }
    };
    const listen = (target: Partial<EventTarget> | undefined, type: string, listener: () => void): void => {
      target?.addEventListener?.(type, listener);
      this.#ends.push(() => {
        target?.removeEventListener?.(type, listener);
      });
    };
    listen(globalThis, "online", now);
    listen(globalThis, "offline", gone);
    listen(document, "visibilitychange", shown);
  }
}

function webSocketUrl(url: string | URL): string {
  const base = (globalThis as { location?: { readonly href: string } }).location?.href;
  const resolved = new URL(url, base);
  resolved.protocol = resolved.protocol.replace(/^http/, "ws");
  return resolved.href;
}
