//! A simulated network: deterministic, seeded, and as unkind as it is told to be.
//!
//! Time is a plain number that moves to the next arrival when somebody asks for it.

use crate::random::Random;
use std::collections::BTreeMap;

/// How unkind the network is.
#[derive(Clone, Copy, Debug)]
pub struct Weather {
    /// The longest delay of a packet; whatever is sent within it may be overtaken.
    pub max_delay: usize,
    /// How many packets of 100 arrive twice.
    pub duplicate_percent: u8,
    /// How many packets of 100 never arrive.
    pub lose_percent: u8,
}

impl Weather {
    /// Everything arrives once and in order.
    pub const CALM: Self = Self { max_delay: 0, duplicate_percent: 0, lose_percent: 0 };
    /// Everything arrives, out of order, some of it twice.
    pub const ROUGH: Self = Self { max_delay: 40, duplicate_percent: 25, lose_percent: 0 };
    /// As rough, and some of it is lost.
    pub const STORM: Self = Self { max_delay: 40, duplicate_percent: 25, lose_percent: 15 };
}

/// Bytes on their way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Index of the sender.
    pub from: usize,
    /// Index of the receiver.
    pub to: usize,
    /// What is sent.
    pub bytes: Vec<u8>,
}

/// Packets on their way between numbered ends.
#[derive(Clone, Debug)]
pub struct Network {
    weather: Weather,
    random: Random,
    now: usize,
    sent: usize,
    on_the_way: BTreeMap<(usize, usize), Packet>,
    /// Group of each end while the network is partitioned; packets between groups are lost.
    groups: Option<Vec<usize>>,
}

impl Network {
    /// An idle network. The same seed and the same calls give the same arrivals.
    pub fn new(weather: Weather, seed: u64) -> Self {
        Self {
            weather,
            random: Random::new(seed),
            now: 0,
            sent: 0,
            on_the_way: BTreeMap::new(),
            groups: None,
        }
    }

    /// Sends a packet. It is lost if a partition lies between, now or when it would arrive.
    pub fn send(&mut self, packet: Packet) {
        if self.is_cut(packet.from, packet.to) || self.random.chance(self.weather.lose_percent) {
            return;
        }
        if self.random.chance(self.weather.duplicate_percent) {
            self.put_on_the_way(packet.clone());
        }
        self.put_on_the_way(packet);
    }

    fn put_on_the_way(&mut self, packet: Packet) {
        let arrival = self.now + self.random.below(self.weather.max_delay + 1);
        self.on_the_way.insert((arrival, self.sent), packet);
        self.sent += 1;
    }

    /// The next packet that arrives, if any is on its way.
    pub fn next_arrival(&mut self) -> Option<Packet> {
        while let Some(((arrival, _), packet)) = self.on_the_way.pop_first() {
            self.now = self.now.max(arrival);
            if !self.is_cut(packet.from, packet.to) {
                return Some(packet);
            }
        }
        None
    }

    /// Cuts the network: ends of different groups no longer reach each other.
    pub fn partition(&mut self, group_of_end: Vec<usize>) {
        self.groups = Some(group_of_end);
    }

    /// Ends the partition. What was lost stays lost.
    pub fn heal(&mut self) {
        self.groups = None;
    }

    /// Whether a partition lies between two ends.
    pub fn is_cut(&self, from: usize, to: usize) -> bool {
        self.groups.as_ref().is_some_and(|groups| groups[from] != groups[to])
    }

    /// Ends loss, delay and duplication, for the last exchange of a test.
    pub fn calm_down(&mut self) {
        self.weather = Weather::CALM;
        self.heal();
    }
}
