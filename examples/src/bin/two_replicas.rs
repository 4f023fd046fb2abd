//! Two people edit one text at the same time, each on a copy of their own.

use crdt_core::{Doc, ReplicaId};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Draw replica ids at random: 64 bits, a new one for every opened document.
    let mut ada = Doc::new(ReplicaId::new(0x5eed_0000_0000_0001));
    let mut bob = Doc::new(ReplicaId::new(0x5eed_0000_0000_0002));

    ada.insert(0, "Hello world")?;
    bob.apply(&ada.delta_since(bob.version()))?;

    // Both type without knowing of each other ...
    ada.insert(5, ", dear")?;
    bob.delete(6..11)?;
    bob.insert(6, "everybody 😀")?;

    // ... and exchange what the other one lacks: in any order, as often as they like.
    let (from_ada, from_bob) = (ada.delta_since(bob.version()), bob.delta_since(ada.version()));
    println!("what changes for Bob: {:?}", bob.apply(&from_ada)?);
    println!("what changes for Ada: {:?}", ada.apply(&from_bob)?);

    assert_eq!(ada.text(), "Hello, dear everybody 😀");
    assert_eq!(ada.text(), bob.text());
    println!("both read: {}", ada.text());
    Ok(())
}
