import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { Doc, WebSocketProvider, type WebSocketProviderOptions } from "crdt-js";
import { FakeRelay, settle } from "../fake_relay.js";

interface Setting {
  readonly relay: FakeRelay;
  readonly doc: Doc;
  readonly provider: WebSocketProvider;
  /** Status and save events, in order. */
  readonly log: string[];
}

/** A document with a provider; time stands still but for `context.mock.timers.tick`. */
function start(context: TestContext, options: WebSocketProviderOptions = {}, text = ""): Setting {
  context.mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  const relay = new FakeRelay();
  const doc = new Doc();
  doc.insert(0, text);
  const provider = new WebSocketProvider(doc, "ws://relay.test/v1/sync", "notes", {
    WebSocket: relay.WebSocket,
    ...options,
  });
  const log: string[] = [];
  provider.on("status", (status) => log.push(status));
  provider.on("saved", ({ state, unsaved }) => log.push(`${state}${unsaved ? " unsaved" : ""}`));
  provider.on("error", ({ code }) => log.push(`error ${code}`));
  context.after(() => {
    provider.destroy();
  });
  return { relay, doc, provider, log };
}

test("both sides get what they lack", async (context) => {
  const { relay, doc, provider } = start(context, {}, "from here");
  relay.doc.insert(0, "from there, ");
  await settle();
  assert.equal(doc.toString(), relay.doc.toString());
  assert.ok(doc.toString().includes("from here") && doc.toString().includes("from there"));
  assert.equal(provider.status, "connected");
  assert.deepEqual(provider.saved, { state: "saved", unsaved: false });
  assert.ok(provider.synced);
  assert.ok(provider.mayWrite);
});

test("the edits of one task are one message", async (context) => {
  const { relay, doc } = start(context);
  await settle();
  relay.received.length = 0;
  for (const letter of "typed") {
    doc.insert(doc.length, letter);
  }
  await settle();
  assert.deepEqual(relay.received, ["15"]);
  assert.equal(relay.doc.toString(), "typed");
});

test("an edit is unsaved until the server has acknowledged it", async (context) => {
  const { relay, doc, provider, log } = start(context);
  await settle();
  relay.acknowledges = false;
  log.length = 0;
  doc.insert(0, "x");
  await settle();
  assert.deepEqual(provider.saved, { state: "saving", unsaved: true });
  relay.acknowledges = true;
  relay.open[0]?.drop(1006);
  assert.deepEqual(provider.saved, { state: "offline", unsaved: true });
  context.mock.timers.tick(15_000);
  await settle();
  assert.equal(relay.doc.toString(), "x");
  assert.deepEqual(provider.saved, { state: "saved", unsaved: false });
  assert.deepEqual(log, ["saving unsaved", "offline unsaved", "offline", "connecting", "saving unsaved", "connected", "saved"]);
});

test("others' edits arrive as change events from the provider", async (context) => {
  const { relay, doc } = start(context, {}, "ab");
  await settle();
  const events: unknown[] = [];
  doc.on("change", ({ edits, local }) => events.push([edits, local]));
  doc.on("delta", () => assert.fail("a remote edit is no delta of ours"));
  relay.edit((theirs) => {
    theirs.insert(1, "x");
  });
  await settle();
  assert.equal(doc.toString(), "axb");
  assert.deepEqual(events, [[[{ type: "insert", position: 1, text: "x" }], false]]);
});

test("edits made offline arrive once when the relay is back", async (context) => {
  const { relay, doc, provider } = start(context);
  await settle();
  relay.reachable = false;
  relay.open[0]?.drop(1001);
  doc.insert(0, "offline");
  relay.doc.insert(0, "meanwhile ");
  await settle();
  assert.deepEqual(provider.saved, { state: "offline", unsaved: true });
  for (let attempt = 0; attempt < 3; attempt++) {
    context.mock.timers.tick(15_000);
    await settle();
  }
  assert.equal(provider.status, "offline");
  assert.ok(relay.sockets.length >= 4);
  relay.reachable = true;
  context.mock.timers.tick(15_000);
  await settle();
  assert.equal(doc.toString(), relay.doc.toString());
  assert.equal(doc.toString().match(/offline/g)?.length, 1);
});

test("a server that goes away is given the time it asked for", async (context) => {
  const { relay, provider } = start(context, { backoff: { minMs: 100, maxMs: 1000 } });
  await settle();
  relay.broadcast([0x07, 0, 0xd0, 0x0f]); // GoAway after 2,000 ms
  await settle();
  assert.equal(provider.status, "offline");
  context.mock.timers.tick(2_000);
  await settle();
  assert.equal(relay.sockets.length, 1);
  context.mock.timers.tick(1_100);
  await settle();
  assert.equal(provider.status, "connected");
});

test("44xx stops for ever, 45xx comes back", async (context) => {
  const { relay, doc, provider, log } = start(context);
  await settle();
  relay.open[0]?.drop(4503);
  context.mock.timers.tick(15_000);
  await settle();
  assert.equal(provider.status, "connected");
  log.length = 0;
  relay.open[0]?.drop(4422);
  assert.equal(provider.status, "stopped");
  assert.ok(log.includes("error closed"), log.join());
  context.mock.timers.tick(600_000);
  provider.connect();
  await settle();
  assert.equal(relay.sockets.length, 2);
  doc.insert(0, "x");
  assert.deepEqual(provider.saved, { state: "offline", unsaved: true });
});

test("a document that was replaced on the server is not merged", async (context) => {
  const { relay, doc, provider } = start(context, { connect: false }, "mine");
  relay.joinMode = 1;
  let resets = 0;
  provider.on("reset", () => resets++);
  provider.connect();
  await settle();
  assert.equal(provider.status, "stopped");
  assert.equal(resets, 1);
  assert.equal(doc.toString(), "mine");
  assert.equal(relay.doc.toString(), "");
});

test("a server that says nonsense changes nothing and is left", async (context) => {
  const { relay, doc, provider } = start(context, {}, "text");
  await settle();
  relay.broadcast([0x15, 7, 9, 9, 9]);
  await settle();
  assert.equal(provider.status, "stopped");
  assert.equal(doc.toString(), "text");
  assert.equal(relay.sockets[0]?.closedWith, 4400);
});

test("a server that falls silent is left and tried again", async (context) => {
  const { relay, provider } = start(context);
  await settle();
  relay.take = () => undefined;
  const now = context.mock.method(performance, "now", () => 0);
  for (let second = 1; second <= 60 && provider.status === "connected"; second++) {
    now.mock.mockImplementation(() => second * 1000);
    context.mock.timers.tick(1000);
    await settle();
  }
  assert.equal(provider.status, "offline");
  assert.equal(relay.sockets[0]?.closedWith, 4508);
});

test("the page's offline and online events are followed at once", async (context) => {
  const page = new EventTarget();
  for (const method of ["addEventListener", "removeEventListener"] as const) {
    Object.defineProperty(globalThis, method, { value: page[method].bind(page), configurable: true });
    context.after(() => Reflect.deleteProperty(globalThis, method));
  }
  const { relay, doc, provider } = start(context);
  await settle();
  page.dispatchEvent(new Event("offline"));
  doc.insert(0, "x");
  await settle();
  assert.equal(provider.status, "offline");
  assert.deepEqual(provider.saved, { state: "offline", unsaved: true });
  page.dispatchEvent(new Event("online"));
  await settle();
  assert.equal(provider.status, "connected");
  assert.equal(relay.doc.toString(), "x");
  provider.disconnect();
  page.dispatchEvent(new Event("online"));
  await settle();
  assert.equal(relay.sockets.length, 2);
});

test("disconnect stays disconnected until connect", async (context) => {
  const { relay, doc, provider } = start(context);
  await settle();
  provider.disconnect();
  doc.insert(0, "x");
  context.mock.timers.tick(600_000);
  await settle();
  assert.equal(relay.sockets.length, 1);
  provider.connect();
  await settle();
  assert.equal(relay.doc.toString(), "x");
});

test("destroyed, a provider closes its socket, has no timers and leaves the document alone", async (context) => {
  const { relay, doc, provider } = start(context);
  await settle();
  doc.insert(0, "last words");
  provider.destroy();
  await settle();
  assert.equal(relay.doc.toString(), "last words");
  assert.equal(relay.sockets[0]?.closedWith, 1000);
  context.mock.timers.tick(600_000);
  doc.insert(0, "x");
  await settle();
  assert.equal(relay.sockets.length, 1);
});

test("a freed document ends its provider", async (context) => {
  const { relay, doc, provider } = start(context);
  await settle();
  doc.free();
  relay.open[0]?.drop(1006);
  context.mock.timers.tick(600_000);
  await settle();
  assert.equal(relay.sockets.length, 1);
  assert.equal(provider.status, "offline");
});

test("presence: what others show, without those who left", async (context) => {
  const { relay, provider } = start(context);
  await settle();
  const changes: (readonly string[])[] = [];
  provider.presence.on("change", ({ sessions }) => changes.push(sessions));
  relay.show(9, '{"name":"Ada"}');
  await settle();
  assert.deepEqual([...provider.presence.states], [["0000000000000009", { name: "Ada" }]]);
  relay.show(9, "no JSON");
  relay.show(10, "[1]");
  await settle();
  relay.show(9, '{"name":"Ada L."}');
  await settle();
  assert.deepEqual(provider.presence.states.get("0000000000000009"), { name: "Ada L." });
  relay.show(9, undefined);
  await settle();
  assert.ok(!provider.presence.states.has("0000000000000009"));
  relay.show(11, "{}");
  await settle();
  relay.open[0]?.drop(1006);
  assert.equal(provider.presence.states.size, 0);
  assert.ok(changes.length > 3);
});

test("presence: what is shown in quick succession is sent as one, and again after a reconnect", async (context) => {
  const { relay, provider } = start(context, { presence: { name: "Bo" } });
  await settle();
  context.mock.timers.tick(50);
  relay.presence.length = 0;
  for (let caret = 0; caret < 10; caret++) {
    provider.presence.update({ caret });
  }
  await settle();
  assert.deepEqual(relay.presence, ['{"name":"Bo","caret":0}']);
  context.mock.timers.tick(50);
  await settle();
  assert.deepEqual(relay.presence, ['{"name":"Bo","caret":0}', '{"name":"Bo","caret":9}']);
  relay.open[0]?.drop(1006);
  context.mock.timers.tick(15_000);
  await settle();
  assert.equal(relay.presence.at(-1), '{"name":"Bo","caret":9}');
  provider.presence.set(null);
  context.mock.timers.tick(50);
  await settle();
  assert.equal(relay.presence.at(-1), undefined);
  assert.throws(() => { provider.presence.set({ name: "x".repeat(5000) }); }, { code: "invalid-presence" });
});

test("a listener that edits while others' edits arrive breaks nothing", async (context) => {
  const { relay, doc } = start(context);
  await settle();
  doc.on("change", ({ local }) => {
    if (!local) {
      doc.insert(doc.length, "!");
    }
  });
  relay.edit((theirs) => {
    theirs.insert(0, "one");
  });
  relay.edit((theirs) => {
    theirs.insert(0, "two ");
  });
  await settle();
  assert.equal(doc.toString(), relay.doc.toString());
  assert.equal(doc.toString().match(/!/g)?.length, 2);
});

test("addresses of pages become addresses of sockets", (context) => {
  const { relay } = start(context, { connect: false });
  for (const [given, used] of [
    ["https://example.org/v1/sync", "wss://example.org/v1/sync"],
    ["http://127.0.0.1:8787/v1/sync?a=b", "ws://127.0.0.1:8787/v1/sync?a=b"],
    ["wss://example.org/v1/sync", "wss://example.org/v1/sync"],
  ] as const) {
    const provider = new WebSocketProvider(new Doc(), given, "x", { WebSocket: relay.WebSocket, connect: false });
    assert.equal(provider.url, used);
    provider.destroy();
  }
});

test("a server that has trimmed what this copy lacks stops it, with a code that says reload", async (context) => {
  const { relay, doc, provider, log } = start(context, { connect: false }, "mine");
  relay.doc.insert(0, "forgotten");
  relay.doc.delete(1, 8);
  relay.doc.trim(relay.doc.version());
  const messages: string[] = [];
  provider.on("error", ({ message }) => messages.push(message));
  provider.connect();
  await settle();
  assert.equal(provider.status, "stopped");
  assert.deepEqual(provider.saved, { state: "offline", unsaved: true });
  assert.deepEqual(log.filter((line) => line.startsWith("error")), ["error trimmed"]);
  assert.match(messages.join(), /reload/);
  assert.equal(doc.toString(), "mine");
  assert.equal(relay.sockets[0]?.closedWith, 4411);
  context.mock.timers.tick(600_000);
  await settle();
  assert.equal(relay.sockets.length, 1, "it does not come back");
  // What the error asks for: the document anew, from a snapshot. What had been sent by then is in it.
  const reloaded = Doc.fromSnapshot(relay.doc.snapshot());
  const again = new WebSocketProvider(reloaded, "ws://relay.test/v1/sync", "notes", { WebSocket: relay.WebSocket });
  reloaded.insert(0, "again: ");
  await settle();
  assert.deepEqual(again.saved, { state: "saved", unsaved: false });
  assert.match(relay.doc.toString(), /^again: (?:minef|fmine)$/);
  again.destroy();
});

test("a copy that trimmed what the server lacks stops instead of sending half of it", async (context) => {
  const { relay, doc, provider, log } = start(context, { connect: false }, "mine, and more");
  doc.delete(4, 10);
  doc.trim(doc.version());
  provider.connect();
  await settle();
  assert.equal(provider.status, "stopped");
  assert.deepEqual(log.filter((line) => line.startsWith("error")), ["error trimmed"]);
  assert.ok(!relay.received.includes("15"));
  assert.equal(relay.doc.toString(), "");
  doc.insert(4, "!");
  await settle();
  assert.deepEqual(provider.saved, { state: "offline", unsaved: true });
  assert.equal(doc.toString(), "mine!");
});

test("a copy that trimmed what the server has goes on", async (context) => {
  const { relay, doc, provider } = start(context, {}, "mine, and more");
  await settle();
  doc.delete(4, 10);
  await settle();
  doc.trim(doc.version());
  doc.insert(4, "!");
  await settle();
  assert.equal(relay.doc.toString(), "mine!");
  assert.deepEqual(provider.saved, { state: "saved", unsaved: false });
});

test("the server says that edits build on what it has trimmed", async (context) => {
  const { relay, provider, log } = start(context, {}, "mine");
  await settle();
  relay.open[0]?.drop(4411);
  await settle();
  assert.equal(provider.status, "stopped");
  assert.deepEqual(log.filter((line) => line.startsWith("error")), ["error trimmed"]);
});
