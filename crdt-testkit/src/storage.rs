//! A disk in memory that fails on cue: any call can stop in its middle, and what was not synced can be lost in any way.

use crate::random::Random;
use crdt_core::log::Storage;
use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

/// A disk; clones are the same one, as programs that come after each other see it.
#[derive(Clone, Debug)]
pub struct Disk(Rc<RefCell<State>>);

#[derive(Debug)]
struct State {
    log: Option<File>,
    beside: Option<File>,
    /// Calls so far.
    calls: usize,
    /// The call that fails, and how.
    cue: Option<(usize, Fault)>,
    /// Nothing works any more until the machine is started again.
    is_down: bool,
    random: Random,
}

/// What a call does that fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It does a part of its work at most and reports an error; the program goes on.
    Error,
    /// The power fails in the middle of it.
    Crash,
    /// The power fails when it was done, and before anybody was told.
    CrashBehind,
}

/// A file: what the program sees, and what is safe of it.
#[derive(Clone, Debug, Default)]
struct File {
    bytes: Vec<u8>,
    /// Cut to these many bytes since the last sync, the rest of `safe` can still come back.
    safe: Vec<u8>,
}

/// That a call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiskError;

impl fmt::Display for DiskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the disk failed on cue")
    }
}

impl std::error::Error for DiskError {}

impl Disk {
    /// An empty disk. `seed` says what is lost of what was not synced.
    pub fn new(seed: u64) -> Self {
        Self(Rc::new(RefCell::new(State {
            log: None,
            beside: None,
            calls: 0,
            cue: None,
            is_down: false,
            random: Random::new(seed),
        })))
    }

    /// The call with this number, counted from 0 and from when the disk was new, fails.
    pub fn fail_at(&self, call: usize, fault: Fault) {
        self.0.borrow_mut().cue = Some((call, fault));
    }

    /// How many calls there were.
    pub fn calls(&self) -> usize {
        self.0.borrow().calls
    }

    /// Whether the power failed.
    pub fn is_down(&self) -> bool {
        self.0.borrow().is_down
    }

    /// Starts the machine again: what was not safe is there, lost, torn or mixed with something else.
    pub fn restart(&self) {
        let state = &mut *self.0.borrow_mut();
        (state.is_down, state.cue) = (false, None);
        for file in [&mut state.log, &mut state.beside].into_iter().flatten() {
            file.lose(&mut state.random);
        }
    }

    /// The log as it is.
    pub fn log(&self) -> Option<Vec<u8>> {
        self.0.borrow().log.as_ref().map(|file| file.bytes.clone())
    }

    /// Replaces the log, safely.
    pub fn set_log(&self, bytes: Vec<u8>) {
        self.0.borrow_mut().log = Some(File { safe: bytes.clone(), bytes });
    }

    fn call<T>(&self, work: impl FnOnce(&mut State, bool) -> T) -> Result<T, DiskError> {
        let state = &mut *self.0.borrow_mut();
        if state.is_down {
            return Err(DiskError);
        }
        let number = state.calls;
        state.calls += 1;
        match state.cue.filter(|(call, _)| *call == number) {
            None => Ok(work(state, true)),
            Some((_, fault)) => {
                work(state, fault == Fault::CrashBehind);
                state.is_down = fault != Fault::Error;
                Err(DiskError)
            }
        }
    }
}

impl File {
    fn lose(&mut self, random: &mut Random) {
        if self.bytes == self.safe {
            return;
        }
        // The file starts with what was never cut and is safe.
        let same = self.bytes.iter().zip(&self.safe).take_while(|(one, other)| one == other).count();
        let mut bytes = if random.chance(50) { self.safe.clone() } else { self.safe[..same].to_vec() };
        if bytes.len() == same && self.bytes.len() > same {
            let new = &self.bytes[same..];
            let kept = random.below(new.len() + 1);
            match random.below(5) {
                0 => {}
                1 => bytes.extend_from_slice(new),
                2 => bytes.extend_from_slice(&new[..kept]),
                // Its length was written and its content was not, or not all of it.
                3 => {
                    bytes.extend_from_slice(&new[..kept]);
                    bytes.resize(same + new.len(), 0);
                }
                _ => {
                    bytes.extend_from_slice(&new[..kept]);
                    bytes.extend((kept..new.len()).map(|_| random.bits().to_le_bytes()[0]));
                }
            }
        }
        self.safe.clone_from(&bytes);
        self.bytes = bytes;
    }
}

/// A part of it, if it is not done whole.
fn part<'a>(bytes: &'a [u8], whole: bool, random: &mut Random) -> &'a [u8] {
    if whole { bytes } else { &bytes[..random.below(bytes.len() + 1)] }
}

impl Storage for Disk {
    type Error = DiskError;

    fn read(&mut self) -> Result<Option<Vec<u8>>, DiskError> {
        self.call(|state, _| state.log.as_ref().map(|file| file.bytes.clone()))
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), DiskError> {
        self.call(|state, whole| {
            let bytes = part(bytes, whole, &mut state.random);
            state.log.as_mut().expect("a log is begun first").bytes.extend_from_slice(bytes);
        })
    }

    fn cut(&mut self, len: u64) -> Result<(), DiskError> {
        self.call(|state, whole| {
            let file = state.log.as_mut().expect("a log is begun first");
            if whole || state.random.chance(50) {
                file.bytes.truncate(usize::try_from(len).expect("short logs"));
            }
        })
    }

    fn sync(&mut self) -> Result<(), DiskError> {
        self.call(|state, whole| {
            if let (Some(file), true) = (&mut state.log, whole) {
                file.safe.clone_from(&file.bytes);
            }
        })
    }

    fn write_beside(&mut self, bytes: &[u8]) -> Result<(), DiskError> {
        self.call(|state, whole| {
            let safe = if whole { bytes.to_vec() } else { Vec::new() };
            let bytes = part(bytes, whole, &mut state.random).to_vec();
            state.beside = Some(File { bytes, safe });
        })
    }

    fn read_beside(&mut self) -> Result<Option<Vec<u8>>, DiskError> {
        self.call(|state, _| state.beside.as_ref().map(|file| file.bytes.clone()))
    }

    fn swap(&mut self) -> Result<(), DiskError> {
        self.call(|state, whole| {
            // It happens or does not, whatever is said.
            if whole || state.random.chance(50) {
                state.log = state.beside.take();
            }
        })
    }

    fn remove_beside(&mut self) -> Result<(), DiskError> {
        self.call(|state, whole| {
            if whole || state.random.chance(50) {
                state.beside = None;
            }
        })
    }
}
