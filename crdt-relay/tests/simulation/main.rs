//! Clients, a room and a store on a simulated network, from one seed each: virtual time, messages
//! lost when a connection drops, a store that commits late, fails or crashes.
//!
//! A failing seed is printed and can be given again: `CRDT_SIMULATION_SEED=17 cargo test -p crdt-relay
//! --test simulation`.

mod random;
mod store;
mod world;

use crdt_core::sync::{CloseCode, Status, StopReason};
use random::Random;
use world::{Settings, World};

/// How many histories each property is tried on.
const HISTORIES: u64 = 100;

/// Runs `history` on many seeds, or on the one asked for, and says which one failed.
fn for_each_seed(history: impl Fn(u64)) {
    struct SayOnPanic(u64);
    impl Drop for SayOnPanic {
        fn drop(&mut self) {
            if std::thread::panicking() {
                eprintln!("failed with CRDT_SIMULATION_SEED={}", self.0);
            }
        }
    }
    let seeds = match std::env::var("CRDT_SIMULATION_SEED") {
        Ok(seed) => {
            let seed = seed.parse().expect("CRDT_SIMULATION_SEED is a number");
            seed..=seed
        }
        Err(_) => 0..=HISTORIES - 1,
    };
    for seed in seeds {
        let say = SayOnPanic(seed);
        history(seed);
        drop(say);
    }
}

fn any_edit_or_delivery(world: &mut World, random: &mut Random) {
    match random.below(10) {
        0..=2 => world.edit(random),
        3..=6 => world.deliver_one(random),
        7 => world.commit_some(random),
        8 => world.pass_time(random.below(200)),
        _ => world.show_something(random),
    }
}

#[test]
fn clients_converge_and_every_character_is_there_once() {
    for_each_seed(|seed| {
        let mut random = Random::new(seed);
        let mut world = World::new(2 + random.index(3), Settings::default());
        for _ in 0..400 {
            any_edit_or_delivery(&mut world, &mut random);
        }
        world.settle();
        world.assert_everything_arrived();
    });
}

#[test]
fn dropped_connections_lose_and_double_nothing() {
    for_each_seed(|seed| {
        let mut random = Random::new(seed);
        let mut world = World::new(2 + random.index(3), Settings::default());
        for _ in 0..500 {
            match random.below(20) {
                0 => world.drop_a_connection(&mut random),
                _ => any_edit_or_delivery(&mut world, &mut random),
            }
        }
        world.settle();
        world.assert_everything_arrived();
    });
}

#[test]
fn a_crashed_server_has_lost_nothing_that_it_acknowledged() {
    for_each_seed(|seed| {
        let mut random = Random::new(seed);
        let mut world = World::new(2 + random.index(3), Settings::default());
        for _ in 0..500 {
            match random.below(40) {
                0 => world.crash_server(&mut random),
                1 => world.drop_a_connection(&mut random),
                2 => world.fail_store(&mut random),
                _ => any_edit_or_delivery(&mut world, &mut random),
            }
        }
        world.settle();
        world.assert_everything_arrived();
    });
}

#[test]
fn a_reloaded_client_loses_only_what_was_shown_as_unsaved() {
    for_each_seed(|seed| {
        let mut random = Random::new(seed);
        let mut world = World::new(3, Settings::default());
        for _ in 0..500 {
            match random.below(40) {
                0 => world.crash_server(&mut random),
                1 => world.drop_a_connection(&mut random),
                2 => world.reload_a_client(&mut random),
                _ => any_edit_or_delivery(&mut world, &mut random),
            }
        }
        world.settle();
        world.assert_saved_survived();
    });
}

#[test]
fn updates_that_are_left_out_are_asked_for() {
    for_each_seed(|seed| {
        let mut random = Random::new(seed);
        let mut world = World::new(3, Settings::default());
        world.leave_updates_out(seed);
        for _ in 0..300 {
            any_edit_or_delivery(&mut world, &mut random);
        }
        world.settle();
        world.assert_everything_arrived();
    });
}

#[test]
fn small_limits_slow_down_and_lose_nothing() {
    for_each_seed(|seed| {
        let mut random = Random::new(seed);
        let settings =
            Settings { frame_bytes: 1_024, delta_bytes: 200, in_flight: 3, batches_per_second: 5, burst: 4 };
        let mut world = World::new(3, settings);
        for _ in 0..300 {
            match random.below(40) {
                0 => world.drop_a_connection(&mut random),
                1 => world.type_much(&mut random),
                _ => any_edit_or_delivery(&mut world, &mut random),
            }
        }
        world.settle();
        world.assert_everything_arrived();
    });
}

#[test]
fn a_store_that_lost_its_tail_is_healed_by_whoever_has_it() {
    for_each_seed(|seed| {
        let mut random = Random::new(seed);
        let mut world = World::new(3, Settings::default());
        for _ in 0..300 {
            any_edit_or_delivery(&mut world, &mut random);
        }
        world.settle();
        // One client goes away for good: what it typed is now in the others' hands.
        world.remove_client(0);
        world.lose_tail_of_store(&mut random);
        for _ in 0..100 {
            any_edit_or_delivery(&mut world, &mut random);
        }
        world.settle();
        world.assert_everything_arrived();
    });
}

#[test]
fn a_client_whose_messages_are_damaged_harms_nobody_else() {
    for_each_seed(|seed| {
        let mut random = Random::new(seed);
        let mut world = World::new(3, Settings::default());
        world.turn_hostile(0);
        for _ in 0..500 {
            match random.below(20) {
                0..=4 => world.damage_a_message(&mut random),
                5 if matches!(world.status(0), Status::Stopped(_)) => world.reload_client(0),
                _ => any_edit_or_delivery(&mut world, &mut random),
            }
            let [_, others @ ..] = &world.status_of_all()[..] else { unreachable!() };
            assert!(!others.iter().any(|status| matches!(status, Status::Stopped(_))), "{others:?}");
        }
        world.remove_client(0);
        world.settle();
        world.assert_converged();
    });
}

#[test]
fn a_document_with_another_epoch_stops_the_client_and_leaves_its_text() {
    let mut random = Random::new(1);
    let mut world = World::new(2, Settings::default());
    for _ in 0..100 {
        any_edit_or_delivery(&mut world, &mut random);
    }
    world.settle();
    let before = world.text(0);
    assert!(!before.is_empty());
    world.replace_document();
    world.connect_all();
    world.deliver_all();
    for client in 0..2 {
        assert_eq!(world.status(client), &Status::Stopped(StopReason::Reset));
        assert_eq!(world.text(client), before);
    }
    assert_eq!(world.stored_text(), "", "and nothing of it got into the new one");
}

#[test]
fn a_client_that_was_never_joined_brings_its_text_into_the_document() {
    let mut world = World::new(2, Settings::default());
    world.take_offline(1);
    world.type_text(0, "from the one. ");
    world.type_text(1, "from the other. ");
    assert_eq!(world.status(1), &Status::Offline { unsaved: true });
    world.settle();
    world.assert_everything_arrived();
    assert_eq!(world.status(1), &Status::Saved);
}

#[test]
fn nothing_is_called_saved_while_the_store_has_not_committed() {
    let mut world = World::new(2, Settings::default());
    world.connect_all();
    world.deliver_all();
    world.type_text(0, "abc");
    world.deliver_all();
    assert_eq!(world.status(0), &Status::Saving);
    assert_eq!(world.text(1), "", "and nobody else has it");
    world.commit_all();
    world.deliver_all();
    assert_eq!(world.status(0), &Status::Saved);
    assert_eq!(world.text(1), "abc");
}

#[test]
fn a_newcomer_gets_nothing_that_is_not_stored() {
    let mut world = World::new(2, Settings::default());
    world.connect_all();
    world.deliver_all();
    world.type_text(0, "stored ");
    world.deliver_all();
    world.commit_all();
    world.deliver_all();
    world.take_offline(1);
    world.type_text(0, "on its way");
    world.deliver_all();
    world.connect_all();
    world.deliver_all();
    assert_eq!(world.text(1), "stored ");
    world.commit_all();
    world.deliver_all();
    assert_eq!(world.text(1), "stored on its way");
}

#[test]
fn a_failed_store_closes_the_sessions_and_acknowledges_nothing() {
    let mut world = World::new(2, Settings::default());
    world.connect_all();
    world.deliver_all();
    world.type_text(0, "abc");
    world.deliver_all();
    world.fail_store_losing_everything();
    world.deliver_all();
    assert_eq!(world.status(0), &Status::Offline { unsaved: true });
    assert_eq!(world.last_close(0), Some(CloseCode::STORE_FAILED));
    world.settle();
    world.assert_everything_arrived();
}
