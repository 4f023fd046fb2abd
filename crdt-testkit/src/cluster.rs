//! Several twins that talk to each other, directly or over a simulated network.

use crate::edit::Edit;
use crate::failure::{Checked, Failure, same};
use crate::network::{Network, Packet, Weather};
use crate::twin::{Turn, Twin};
use crdt_core::{Expand, Marks, ReplicaId};

/// Twins and the network between them.
#[derive(Clone, Debug)]
pub struct Cluster {
    twins: Vec<Twin>,
    network: Network,
}

impl Cluster {
    /// Empty twins with these replica ids.
    pub fn new(replicas: &[ReplicaId], weather: Weather, seed: u64) -> Self {
        let twins = replicas.iter().map(|&replica| Twin::new(replica)).collect();
        Self { twins, network: Network::new(weather, seed) }
    }

    /// The twins.
    pub fn twins(&self) -> &[Twin] {
        &self.twins
    }

    /// The network.
    pub fn network(&mut self) -> &mut Network {
        &mut self.network
    }

    /// From now on a mark grows so when it is set, at one twin or at all.
    pub fn set_expand(&mut self, at: Option<usize>, name: &str, expand: Expand) {
        for (index, twin) in self.twins.iter_mut().enumerate() {
            if at.is_none_or(|at| at == index) {
                twin.set_expand(name, expand);
            }
        }
    }

    /// Edits at one twin, as one transaction; nothing is sent.
    ///
    /// # Errors
    /// When twin and model differ.
    pub fn edit(&mut self, at: usize, edits: &[Edit]) -> Checked<Vec<u8>> {
        self.twins[at].edit(edits)
    }

    /// Undoes or redoes a transaction of one twin; nothing is sent.
    ///
    /// # Errors
    /// When twin and model differ.
    pub fn turn(&mut self, at: usize, turn: Turn) -> Checked<Vec<u8>> {
        let delta = self.twins[at].turn(turn)?;
        self.twins[at].verify()?;
        Ok(delta)
    }

    /// Edits at one twin and sends the delta to all others.
    ///
    /// # Errors
    /// When twin and model differ.
    pub fn edit_and_send(&mut self, at: usize, edits: &[Edit]) -> Checked<Vec<u8>> {
        let delta = self.twins[at].edit(edits)?;
        self.broadcast(at, &delta);
        Ok(delta)
    }

    /// Sends bytes from one twin to all others.
    pub fn broadcast(&mut self, from: usize, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        for to in (0..self.twins.len()).filter(|&to| to != from) {
            self.network.send(Packet { from, to, bytes: bytes.to_vec() });
        }
    }

    /// Gives one twin a delta.
    ///
    /// # Errors
    /// When it is refused, or twin and model differ.
    pub fn receive(&mut self, at: usize, delta: &[u8]) -> Checked {
        self.twins[at].receive(delta)
    }

    /// Lets up to `count` packets arrive.
    ///
    /// # Errors
    /// When one is refused, or twin and model differ.
    pub fn deliver(&mut self, count: usize) -> Checked {
        for _ in 0..count {
            let Some(packet) = self.network.next_arrival() else { break };
            self.twins[packet.to]
                .receive(&packet.bytes)
                .map_err(|failure| failure.at(format!("packet from {} to {}", packet.from, packet.to)))?;
        }
        Ok(())
    }

    /// Gives `to` what it lacks of what `from` has, unless a partition lies between.
    ///
    /// # Errors
    /// When it is refused, or twin and model differ.
    pub fn sync(&mut self, from: usize, to: usize) -> Checked {
        if from == to || self.network.is_cut(from, to) {
            return Ok(());
        }
        let delta = self.twins[from].delta_for(&self.twins[to])?;
        if delta.is_empty() {
            return Ok(());
        }
        self.twins[to].receive(&delta)
    }

    /// Ends all trouble, lets everything arrive and gives everybody everything.
    ///
    /// # Errors
    /// When the twins do not converge.
    pub fn settle(&mut self) -> Checked {
        self.network.calm_down();
        self.deliver(usize::MAX)?;
        self.sync_all()?;
        self.check_convergence()
    }

    /// Gives everybody everything, by way of the first twin.
    ///
    /// # Errors
    /// When a delta is refused, or twin and model differ.
    pub fn sync_all(&mut self) -> Checked {
        for from in 1..self.twins.len() {
            self.sync(from, 0)?;
        }
        for to in 1..self.twins.len() {
            self.sync(0, to)?;
        }
        Ok(())
    }

    /// Fails unless all twins have seen the same and hold the same, with nothing left waiting.
    ///
    /// # Errors
    /// When they do not.
    pub fn check_convergence(&self) -> Checked {
        let first = &self.twins[0];
        for twin in &self.twins {
            let place = |failure: Failure| failure.at(format!("replica {}", twin.doc().replica()));
            same("pending after everything arrived", &twin.doc().pending().operations, &0).map_err(place)?;
            same("converged version", twin.doc().version(), first.doc().version()).map_err(place)?;
            same("converged text", &twin.doc().text(), &first.doc().text()).map_err(place)?;
            same("converged runs", &twin.doc().runs(), &first.doc().runs()).map_err(place)?;
            let registers = |twin: &Twin| -> Marks {
                twin.doc().registers().map(|(name, value)| (name, value.clone())).collect()
            };
            same("converged registers", &registers(twin), &registers(first)).map_err(place)?;
            same("converged order", &twin.model().order(), &first.model().order()).map_err(place)?;
        }
        Ok(())
    }
}
