//! The world: clients with documents, one server with one room, and what is on the wire.

mod checks;

use crate::random::Random;
use crate::store::FakeStore;
use bytes::Bytes;
use crdt_core::sync::{Client, CloseCode, Frame, Handle, Output, Permission, Reassembly, Status};
use crdt_core::{Doc, ReplicaId, TextEdit};
use crdt_relay::room::{Opened, RoomLimits, RoomOutput, RoomState, Session, SessionLimits, SessionOutput};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

const HANDLE: Handle = 7;
const CHARACTERS_FROM: u32 = 0x1_0000;

/// The limits that matter here.
#[derive(Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) frame_bytes: u32,
    pub(crate) delta_bytes: u32,
    pub(crate) in_flight: u32,
    pub(crate) batches_per_second: u32,
    pub(crate) burst: u32,
}

impl Default for Settings {
    fn default() -> Self {
        let frames = crdt_core::sync::Limits::default();
        Self {
            frame_bytes: frames.frame_bytes,
            delta_bytes: frames.delta_bytes,
            in_flight: frames.in_flight,
            batches_per_second: 200,
            burst: 400,
        }
    }
}

struct Node {
    doc: Doc,
    client: Client,
    connection: Option<u64>,
    reconnect_at_ms: u64,
    /// The text as the reported edits make it.
    mirror: String,
    last_close: Option<CloseCode>,
    presence: Option<Vec<u8>>,
    /// Sends damaged messages.
    hostile: bool,
    /// Typed here since the last `Saved`, by this document instance.
    unsaved: BTreeSet<char>,
}

enum Down {
    Message(Bytes),
    Close(CloseCode),
}

struct Connection {
    node: usize,
    session: Session,
    up: VecDeque<Vec<u8>>,
    down: VecDeque<Down>,
    /// Puts pieces together to look into what the server sends.
    spy: Reassembly,
}

pub(crate) struct World {
    now_ms: u64,
    settings: Settings,
    store: FakeStore,
    room: RoomState,
    connections: BTreeMap<u64, Connection>,
    last_session: u64,
    last_replica: u64,
    nodes: Vec<Node>,
    /// Decides which updates a slow reader does not get.
    leaves_out: Option<Random>,
    typed: BTreeSet<char>,
    deleted: BTreeSet<char>,
    saved: BTreeSet<char>,
}

impl World {
    pub(crate) fn new(clients: usize, settings: Settings) -> Self {
        let store = FakeStore::new();
        let room = open_room(&store, settings);
        let mut world = Self {
            now_ms: 1_000_000,
            settings,
            store,
            room,
            connections: BTreeMap::new(),
            last_session: 0,
            last_replica: 0,
            nodes: Vec::new(),
            leaves_out: None,
            typed: BTreeSet::new(),
            deleted: BTreeSet::new(),
            saved: BTreeSet::new(),
        };
        for _ in 0..clients {
            let node = world.new_node();
            world.nodes.push(node);
        }
        world.connect_all();
        world
    }

    fn new_node(&mut self) -> Node {
        self.last_replica += 1;
        // Spread, so that neither the first nor the last to come always wins.
        let replica = ReplicaId::new(Random::new(self.last_replica).next());
        Node {
            doc: Doc::new(replica),
            client: Client::new("doc"),
            connection: None,
            reconnect_at_ms: 0,
            mirror: String::new(),
            last_close: None,
            presence: None,
            hostile: false,
            unsaved: BTreeSet::new(),
        }
    }

    // What people do.

    pub(crate) fn edit(&mut self, random: &mut Random) {
        let index = random.index(self.nodes.len());
        let doc = &self.nodes[index].doc;
        let len = doc.len();
        let position = random.index(len + 1);
        if random.below(4) == 0 && position < len {
            let end = (position + 1 + random.index(4)).min(len);
            self.delete(index, position, end);
        } else {
            let count = 1 + random.index(5);
            self.insert_new(index, position, count);
        }
    }

    pub(crate) fn type_much(&mut self, random: &mut Random) {
        let index = random.index(self.nodes.len());
        let position = random.index(self.nodes[index].doc.len() + 1);
        self.insert_new(index, position, 700);
    }

    /// Inserts characters that nobody has typed before, so that a doubled one shows.
    fn insert_new(&mut self, index: usize, position: usize, count: usize) {
        let first = CHARACTERS_FROM + u32::try_from(self.typed.len()).unwrap();
        let text: String = (first..).filter_map(char::from_u32).take(count).collect();
        self.insert(index, position, &text);
    }

    pub(crate) fn type_text(&mut self, index: usize, text: &str) {
        let position = self.nodes[index].doc.len();
        self.insert(index, position, text);
    }

    fn insert(&mut self, index: usize, position: usize, text: &str) {
        self.typed.extend(text.chars());
        let node = &mut self.nodes[index];
        node.unsaved.extend(text.chars());
        node.doc.insert(position, text).unwrap();
        node.mirror = node.doc.text();
        let outputs = node.client.local_change(&node.doc);
        self.run_client(index, outputs);
    }

    fn delete(&mut self, index: usize, start: usize, end: usize) {
        let node = &mut self.nodes[index];
        self.deleted.extend(node.doc.slice(start..end).unwrap().chars());
        node.doc.delete(start..end).unwrap();
        node.mirror = node.doc.text();
        let outputs = node.client.local_change(&node.doc);
        self.run_client(index, outputs);
    }

    pub(crate) fn show_something(&mut self, random: &mut Random) {
        let index = random.index(self.nodes.len());
        let state = (random.below(4) > 0).then(|| random.next().to_le_bytes().to_vec());
        let node = &mut self.nodes[index];
        node.presence.clone_from(&state);
        let outputs = node.client.set_presence(state.as_deref()).unwrap();
        self.run_client(index, outputs);
    }

    /// From now on, much of what the client sends is damaged on its way.
    pub(crate) fn turn_hostile(&mut self, index: usize) {
        self.nodes[index].hostile = true;
    }

    pub(crate) fn damage_a_message(&mut self, random: &mut Random) {
        for connection in self.connections.values_mut() {
            if let Some(message) = connection
                .up
                .back_mut()
                .filter(|message| self.nodes[connection.node].hostile && !message.is_empty())
            {
                let at = random.index(message.len());
                match random.below(3) {
                    0 => message[at] ^= 1 << random.below(8),
                    1 => message.truncate(at),
                    _ => message.insert(at, random.next().to_le_bytes()[0]),
                }
            }
        }
    }

    /// The page is loaded again: what was not saved is gone, and the document is another replica.
    pub(crate) fn reload_a_client(&mut self, random: &mut Random) {
        self.reload_client(random.index(self.nodes.len()));
    }

    pub(crate) fn reload_client(&mut self, index: usize) {
        self.take_offline(index);
        self.nodes[index] = Node { hostile: self.nodes[index].hostile, ..self.new_node() };
    }

    pub(crate) fn remove_client(&mut self, index: usize) {
        self.take_offline(index);
        self.nodes.remove(index);
        for connection in self.connections.values_mut() {
            if connection.node > index {
                connection.node -= 1;
            }
        }
    }

    // What the network does.

    pub(crate) fn connect_all(&mut self) {
        for index in 0..self.nodes.len() {
            let node = &self.nodes[index];
            let stopped = matches!(node.client.status(), Status::Stopped(_));
            if node.connection.is_none() && node.reconnect_at_ms <= self.now_ms && !stopped {
                self.connect(index);
            }
        }
    }

    fn connect(&mut self, index: usize) {
        self.last_session += 1;
        let id = self.last_session;
        let limits = SessionLimits { frames: frame_limits(self.settings), ..SessionLimits::default() };
        let connection = Connection {
            node: index,
            session: Session::new(id, limits, self.now_ms),
            up: VecDeque::new(),
            down: VecDeque::new(),
            spy: Reassembly::new(),
        };
        self.connections.insert(id, connection);
        let node = &mut self.nodes[index];
        node.connection = Some(id);
        let outputs = node.client.connected(&node.doc);
        self.run_client(index, outputs);
    }

    pub(crate) fn deliver_one(&mut self, random: &mut Random) {
        let ids: Vec<u64> = self.connections.keys().copied().collect();
        if ids.is_empty() {
            return;
        }
        let id = ids[random.index(ids.len())];
        if random.below(2) == 0 {
            self.deliver_up(id)
        } else {
            self.deliver_down(id)
        };
    }

    /// Until nothing is on the wire.
    pub(crate) fn deliver_all(&mut self) {
        loop {
            let mut delivered = false;
            for id in self.connections.keys().copied().collect::<Vec<_>>() {
                while self.deliver_up(id) || self.deliver_down(id) {
                    delivered = true;
                }
            }
            if !delivered {
                return;
            }
        }
    }

    fn deliver_up(&mut self, id: u64) -> bool {
        let Some(connection) = self.connections.get_mut(&id) else { return false };
        let Some(message) = connection.up.pop_front() else { return false };
        let outputs = connection.session.receive(self.now_ms, &message.into());
        self.run_session(id, outputs);
        true
    }

    fn deliver_down(&mut self, id: u64) -> bool {
        let Some(connection) = self.connections.get_mut(&id) else { return false };
        let index = connection.node;
        match connection.down.pop_front() {
            None => return false,
            Some(Down::Message(message)) => {
                let node = &mut self.nodes[index];
                let outputs = node.client.receive(&mut node.doc, &message);
                self.run_client(index, outputs);
            }
            Some(Down::Close(code)) => {
                self.connections.remove(&id);
                let node = &mut self.nodes[index];
                node.connection = None;
                node.last_close = Some(code);
                let outputs = node.client.disconnected(&node.doc, Some(code));
                self.run_client(index, outputs);
            }
        }
        true
    }

    /// Some of what is on the wire still arrives, the rest is lost.
    pub(crate) fn drop_a_connection(&mut self, random: &mut Random) {
        let ids: Vec<u64> = self.connections.keys().copied().collect();
        if ids.is_empty() {
            return;
        }
        let id = ids[random.index(ids.len())];
        for _ in 0..random.below(6) {
            self.deliver_up(id);
        }
        for _ in 0..random.below(6) {
            self.deliver_down(id);
        }
        let Some(connection) = self.connections.get(&id) else { return };
        let index = connection.node;
        self.nodes[index].reconnect_at_ms = self.now_ms + random.below(300);
        self.take_offline(index);
    }

    pub(crate) fn take_offline(&mut self, index: usize) {
        let node = &mut self.nodes[index];
        let Some(id) = node.connection.take() else { return };
        let outputs = node.client.disconnected(&node.doc, None);
        self.connections.remove(&id);
        self.room.leave(id);
        self.run_client(index, outputs);
    }

    // What the server does.

    pub(crate) fn pass_time(&mut self, ms: u64) {
        self.now_ms += ms;
        for index in 0..self.nodes.len() {
            let node = &mut self.nodes[index];
            let outputs = node.client.tick(&node.doc, self.now_ms);
            self.run_client(index, outputs);
        }
        for id in self.connections.keys().copied().collect::<Vec<_>>() {
            let outputs = self.connections.get_mut(&id).unwrap().session.tick(self.now_ms);
            self.run_session(id, outputs);
        }
        let outputs = self.room.tick(self.now_ms);
        self.run_room(outputs);
        self.connect_all();
    }

    /// From now on, the server leaves out half of the updates, as for readers that are too slow.
    pub(crate) fn leave_updates_out(&mut self, seed: u64) {
        self.leaves_out = Some(Random::new(seed));
    }

    pub(crate) fn commit_some(&mut self, random: &mut Random) {
        let count = random.index(self.store.writing() + 1);
        self.commit(count);
    }

    pub(crate) fn commit_all(&mut self) {
        self.commit(self.store.writing());
    }

    fn commit(&mut self, count: usize) {
        let head = self.store.commit(count);
        let outputs = self.room.stored(head);
        self.run_room(outputs);
    }

    /// The process dies, maybe after a commit that it could not tell of any more.
    pub(crate) fn crash_server(&mut self, random: &mut Random) {
        self.store.commit(random.index(self.store.writing() + 1));
        self.restart();
    }

    fn restart(&mut self) {
        for id in self.connections.keys().copied().collect::<Vec<_>>() {
            // What had left the server may still arrive.
            while self.deliver_down(id) {}
            if let Some(connection) = self.connections.get(&id) {
                self.take_offline(connection.node);
            }
        }
        self.store.crash();
        self.room = open_room(&self.store, self.settings);
    }

    pub(crate) fn fail_store(&mut self, random: &mut Random) {
        // A failed commit may have reached the disk all the same.
        self.store.commit(random.index(self.store.writing() + 1));
        self.fail_store_losing_everything();
    }

    pub(crate) fn fail_store_losing_everything(&mut self) {
        let outputs = self.room.store_failed();
        self.run_room(outputs);
        self.store.crash();
        self.room = open_room(&self.store, self.settings);
    }

    /// A failover to a copy of the store that lags behind.
    pub(crate) fn lose_tail_of_store(&mut self, random: &mut Random) {
        self.restart();
        let keep = random.index(self.store.committed.len() + 1);
        self.store.committed.truncate(keep);
        // What was called saved is in the hands of the clients until they have healed the store.
        for node in &mut self.nodes {
            node.unsaved = node.doc.text().chars().collect();
        }
        self.restart();
    }

    pub(crate) fn replace_document(&mut self) {
        self.restart();
        self.store.committed.clear();
        self.store.epoch += 1;
        self.restart();
    }

    // Runs what the state machines ask for.

    fn run_client(&mut self, index: usize, outputs: Vec<Output>) {
        for output in outputs {
            let node = &mut self.nodes[index];
            match output {
                Output::Send(message) => {
                    assert!(message.len() <= usize::try_from(self.settings.frame_bytes).unwrap());
                    let id = node.connection.expect("messages are sent on a connection");
                    self.connections.get_mut(&id).expect("it is there").up.push_back(message);
                }
                Output::Edits(edits) => edits.iter().for_each(|edit| apply_edit(&mut node.mirror, edit)),
                Output::Status(Status::Saved) => {
                    // What a hostile client has sent is not what its document holds.
                    let stored = self.store.version();
                    assert!(node.hostile || stored.covers(node.doc.version()), "saved means stored");
                    self.saved.extend(std::mem::take(&mut node.unsaved));
                }
                Output::Close { code, retry_after_ms } => {
                    node.last_close = Some(code);
                    node.reconnect_at_ms = self.now_ms + u64::from(retry_after_ms.unwrap_or(100));
                    self.take_offline(index);
                }
                _ => {}
            }
        }
        let node = &self.nodes[index];
        assert_eq!(node.mirror, node.doc.text(), "the edits tell what has changed");
        if matches!(node.client.status(), Status::Saving | Status::Saved) {
            assert!(self.store.version().covers(node.client.acknowledged()), "acknowledged means stored");
        }
    }

    fn run_session(&mut self, id: u64, outputs: Vec<SessionOutput>) {
        for output in outputs {
            match output {
                SessionOutput::Send(message) => self.send_down(id, Down::Message(message)),
                SessionOutput::Open { join, .. } => {
                    if let Some(connection) = self.connections.get_mut(&id) {
                        connection.session.opened(HANDLE);
                    }
                    let outputs = self.room.join(id, &join, Permission::Write);
                    self.run_room(outputs);
                }
                SessionOutput::Frame { frame, .. } => {
                    let outputs = self.room.receive(self.now_ms, id, &frame);
                    self.run_room(outputs);
                }
                SessionOutput::Leave { .. } => self.room.leave(id),
                SessionOutput::Close { code, .. } => self.send_down(id, Down::Close(code)),
            }
        }
    }

    fn run_room(&mut self, outputs: Vec<RoomOutput>) {
        for output in outputs {
            match output {
                RoomOutput::Send { session, message } => {
                    self.spy(session, &message);
                    let is_update = matches!(Frame::decode(&message), Ok((_, Frame::Update { .. })));
                    if is_update && self.leaves_out.as_mut().is_some_and(|random| random.below(2) == 0) {
                        continue;
                    }
                    self.send_down(session, Down::Message(message));
                }
                RoomOutput::Store(batch) => self.store.write(batch),
                RoomOutput::Close { session, code, .. } => self.send_down(session, Down::Close(code)),
            }
        }
    }

    fn send_down(&mut self, id: u64, down: Down) {
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.down.push_back(down);
        }
    }

    // What tests look at.

    pub(crate) fn status_of_all(&self) -> Vec<&Status> {
        self.nodes.iter().map(|node| node.client.status()).collect()
    }

    pub(crate) fn text(&self, index: usize) -> String {
        self.nodes[index].doc.text()
    }

    pub(crate) fn stored_text(&self) -> String {
        self.store.load().text()
    }

    pub(crate) fn status(&self, index: usize) -> &Status {
        self.nodes[index].client.status()
    }

    pub(crate) fn last_close(&self, index: usize) -> Option<CloseCode> {
        self.nodes[index].last_close
    }
}

fn frame_limits(settings: Settings) -> crdt_core::sync::Limits {
    let Settings { frame_bytes, delta_bytes, in_flight, .. } = settings;
    crdt_core::sync::Limits { frame_bytes, delta_bytes, in_flight, ..Default::default() }
}

fn open_room(store: &FakeStore, settings: Settings) -> RoomState {
    let limits = RoomLimits {
        frames: frame_limits(settings),
        batches_per_second: settings.batches_per_second,
        batch_burst: settings.burst,
        ..RoomLimits::default()
    };
    let bytes = store.committed.iter().map(|batch| batch.delta.len() as u64).sum();
    let opened = Opened { doc: store.load(), epoch: store.epoch, head: store.head(), bytes };
    RoomState::new(HANDLE, opened, limits)
}

fn apply_edit(text: &mut String, edit: &TextEdit) {
    let byte = |text: &str, position| text.char_indices().nth(position).map_or(text.len(), |(byte, _)| byte);
    match edit {
        TextEdit::Insert { position, text: inserted, .. } => {
            let at = byte(text, *position);
            text.insert_str(at, inserted);
        }
        TextEdit::Delete { position, len, .. } => {
            let (start, end) = (byte(text, *position), byte(text, position + len));
            text.replace_range(start..end, "");
        }
        _ => unreachable!("people here type and delete"),
    }
}
