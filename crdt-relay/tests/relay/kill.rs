//! SIGKILL while two people type.

use crate::person::{PATIENCE, Person};
use crate::server::{RelayProcess, stored_text};
use crdt_core::ReplicaId;
use crdt_relay::document;
use crdt_relay::store::{DocumentName, SqliteStore, Store};
use std::net::SocketAddr;
use std::path::Path;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

const DOCUMENT: &str = "killed";
const KILLS: usize = 10;

/// Words that a typist has acknowledged before each kill; differs by round so that kills meet other moments.
const fn words_before_kill(round: usize) -> usize {
    3 + round * 7
}

/// Words that a typist may have unacknowledged.
const WORDS_AHEAD: usize = 12;

/// The relay that runs now, if one does, counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Now {
    Running { round: usize, address: SocketAddr },
    Finish { address: SocketAddr },
}

/// How far a typist is, for the one who kills.
#[derive(Clone, Debug, Default)]
struct Progress {
    acknowledged: Vec<String>,
    /// Rounds whose connection has ended and was read to its end.
    disconnections: usize,
}

/// Types words without end, across crashes; when told to finish, waits until all are saved.
async fn type_on(
    replica: u64,
    mut now: watch::Receiver<Now>,
    progress: watch::Sender<Progress>,
) -> (String, Vec<String>) {
    let mut person = Person::new(replica, DOCUMENT);
    let mut words: Vec<(String, u32)> = Vec::new();
    let mut acknowledged = 0;
    loop {
        let current = *now.borrow_and_update();
        let (Now::Running { address, .. } | Now::Finish { address }) = current;
        assert!(person.connect(address).await);
        while person.socket.is_some() {
            let finishing = matches!(current, Now::Finish { .. });
            if !finishing && words.len() - acknowledged < WORDS_AHEAD {
                let word = format!("<{replica}.{}>", words.len());
                // At the end, at the start, and in between: wherever a word begins.
                let text: Vec<char> = person.doc.text().chars().collect();
                let gaps: Vec<usize> =
                    (0..=text.len()).filter(|&at| text.get(at).is_none_or(|c| *c == '<')).collect();
                person.insert(gaps[words.len() * 7 % gaps.len()], &word).await;
                words.push((word, person.doc.version().get(ReplicaId::new(replica))));
            }
            person.step().await;
            let acked = person.client.acknowledged().get(ReplicaId::new(replica));
            while words.get(acknowledged).is_some_and(|(_, up_to)| *up_to <= acked) {
                progress.send_modify(|progress| progress.acknowledged.push(words[acknowledged].0.clone()));
                acknowledged += 1;
            }
            if finishing && acknowledged == words.len() {
                person.until_saved().await;
                return (person.doc.text(), words.into_iter().map(|(word, _)| word).collect());
            }
        }
        progress.send_modify(|progress| progress.disconnections += 1);
        now.changed().await.unwrap();
    }
}

/// What the disk holds, read without a relay.
async fn text_on_disk(folder: &Path) -> String {
    let store = SqliteStore::open(folder).unwrap();
    let name = DocumentName::from(DOCUMENT);
    let stored = store.find(&name).await.unwrap().expect("the document is there");
    document::load(&name, &stored).unwrap().doc.text()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_relay_loses_no_acknowledged_edit_and_doubles_none_ten_times() {
    let folder = TempDir::new().unwrap();
    // Small, so that kills also meet snapshots being written.
    let arguments = ["--snapshot-every", "200"];
    let mut relay = RelayProcess::start(folder.path(), &arguments).await;
    let (announce, now) = watch::channel(Now::Running { round: 0, address: relay.address });
    let (typists, mut progress): (Vec<JoinHandle<_>>, Vec<_>) = [0xa, 0xb]
        .into_iter()
        .map(|replica| {
            let (sender, receiver) = watch::channel(Progress::default());
            (tokio::spawn(type_on(replica, now.clone(), sender)), receiver)
        })
        .unzip();

    for round in 0..KILLS {
        let before: Vec<usize> = progress.iter().map(|typist| typist.borrow().acknowledged.len()).collect();
        for (typist, before) in progress.iter_mut().zip(before) {
            let wanted = before + words_before_kill(round);
            let reached = typist.wait_for(|progress| progress.acknowledged.len() >= wanted);
            timeout(PATIENCE, reached).await.expect("nothing is acknowledged").unwrap();
        }
        relay.child.kill().await.unwrap();
        for typist in &mut progress {
            let reached = typist.wait_for(|progress| progress.disconnections > round);
            timeout(PATIENCE, reached).await.expect("the connection does not end").unwrap();
        }

        let text = text_on_disk(folder.path()).await;
        for typist in &progress {
            for word in &typist.borrow().acknowledged {
                let count = text.matches(word.as_str()).count();
                assert_eq!(count, 1, "after kill {round}, acknowledged word {word} is there {count} times");
            }
        }
        relay = RelayProcess::start(folder.path(), &arguments).await;
        let address = relay.address;
        let last = round + 1 == KILLS;
        announce.send_replace(if last { Now::Finish { address } } else { Now::Running { round, address } });
    }

    let mut texts = Vec::new();
    let mut typed = Vec::new();
    for typist in typists {
        let (text, words) = timeout(PATIENCE, typist).await.expect("not everything is saved").unwrap();
        texts.push(text);
        typed.extend(words);
    }
    let newcomer = Person::join(relay.address, 0xc, DOCUMENT).await;
    let text = newcomer.doc.text();
    for word in &typed {
        assert_eq!(text.matches(word.as_str()).count(), 1, "{word} in {text}");
    }
    assert_eq!(text.chars().count(), typed.iter().map(|word| word.chars().count()).sum::<usize>());
    assert_eq!(stored_text(relay.address, DOCUMENT).await, text);
    // The one who finished first may lack what the other typed last, but has nothing else.
    assert!(texts.contains(&text), "{texts:#?}\n{text}");
    println!("{KILLS} kills, {} words", typed.len());
}
