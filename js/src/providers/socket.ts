/** What this library needs of a WebSocket; the one of browsers, of Node and of `ws` have it. */
export interface WebSocketLike {
  binaryType: string;
  readonly readyState: number;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  send(data: Uint8Array<ArrayBuffer>): void;
  close(code?: number, reason?: string): void;
}

export type WebSocketConstructor = new (url: string) => WebSocketLike;

export interface ConnectionHandlers {
  opened(): void;
  received(message: Uint8Array): void;
  /** The socket closed, or could not be opened; not called after `close`. */
  closed(code: number): void;
}

/** How long a socket may take to open. */
const OPEN_MS = 15_000;
const OPEN = 1;
/** As WebSocket says it when there was no close frame. */
const ABNORMAL = 1006;

/** One socket, from its opening to its close; after which it says nothing more. */
export class Connection {
  readonly #socket: WebSocketLike;
  readonly #timer: ReturnType<typeof setTimeout>;

  constructor(WebSocket: WebSocketConstructor, url: string, handlers: ConnectionHandlers) {
    const socket = (this.#socket = new WebSocket(url));
    socket.binaryType = "arraybuffer";
    this.#timer = setTimeout(() => {
      this.close();
      handlers.closed(ABNORMAL);
    }, OPEN_MS);
    socket.onopen = () => {
      clearTimeout(this.#timer);
      handlers.opened();
    };
    socket.onmessage = (event: { readonly data: unknown }) => {
      if (event.data instanceof ArrayBuffer) {
        handlers.received(new Uint8Array(event.data));
      } else if (event.data instanceof Uint8Array) {
        handlers.received(event.data);
      }
      // The protocol has no text messages; what a proxy may say is not for us.
    };
    socket.onclose = (event: { readonly code: number }) => {
      this.#detach();
      handlers.closed(event.code);
    };
    // A close event follows.
    socket.onerror = () => undefined;
  }

  send(message: Uint8Array<ArrayBuffer>): void {
    if (this.#socket.readyState === OPEN) {
      this.#socket.send(message);
    }
  }

  close(code = 1000): void {
    this.#detach();
    try {
      this.#socket.close(code);
    } catch {
      this.#socket.close(); // a code that this WebSocket does not let through
    }
  }

  #detach(): void {
    clearTimeout(this.#timer);
    this.#socket.onopen = this.#socket.onmessage = this.#socket.onclose = null;
    this.#socket.onerror = () => undefined;
  }
}
