use super::cursor::Gait;
use super::item::Item;
use super::{Sequence, seq};
use crate::anchor::Side;
use crate::op_log::{LocalId, OpLog, Placement};
use crate::tree::{Item as _, Slot, Summary as _};
use crate::units::Size;

impl Sequence {
    /// Stops at once if an invariant does not hold. O(*n* log *n*); for tests.
    pub(crate) fn assert_invariants(&self, log: &OpLog) {
        self.items.assert_invariants();
        let mut elements = 0;
        let mut slot = self.items.first_slot();
        let mut left: Option<Item> = None;
        let placements = log.placements();
        while let Some(here) = slot {
            let item = self.items.get(here);
            let replica = log.of(item.replica());
            elements += if item.is_textless() { 0 } else { item.len() };
            for at in 0..item.len() {
                let id = item.id().plus(seq(at));
                assert!(replica.is_element(id.seq), "every item is in the log");
                assert_eq!(self.find(id), Some((here, at)), "the id index names the leaf");
                assert_eq!(placements.of(id), replica.placement(id.replica, id.seq), "both ways to an entry");
                let continues = replica.continues_at(id.replica, id.seq);
                assert_eq!(continues, at > 0 || !item.is_head(), "heads are where the log starts runs");
            }
            let left_id = left.map_or(LocalId::START, |left| left.id().plus(seq(left.len() - 1)));
            let anchored = |log: &OpLog| {
                log.replicas().iter().zip(0..).any(|(other, index)| {
                    other
                        .heads(index)
                        .any(|(_, placement)| placement == Placement { element: left_id, side: Side::After })
                })
            };
            let continued =
                left.is_some() && log.of(left_id.replica).continues_at(left_id.replica, left_id.seq + 1);
            assert_eq!(item.left_taken(), continued || anchored(log), "left taken tells the truth");
            if let Some(left) = left
                && here.index > 0
                && replica.text().bytes().is_ascii()
            {
                assert!(left.joined(item).is_none(), "items that could be one are one");
            }
            left = Some(item);
            slot = self.items.next(here);
        }
        let inserted: usize = log
            .replicas()
            .iter()
            .map(|replica| Size::of(replica.text().slice(0..replica.text().len())).chars)
            .sum();
        assert_eq!(elements, inserted, "every element with text is in exactly one item");
        self.assert_cursor();
        self.assert_writer(log);
    }

    /// What the cursor knows of the text around it is so.
    fn assert_cursor(&self) {
        let total = self.visible();
        let Some(end) = self.cursor.end(total) else { return };
        let slot = self.cursor.slot;
        let mut expected = self.items.sum_before(slot);
        expected.add(self.items.get(slot).summary());
        assert_eq!(end.chars(), expected.chars(), "the cursor knows where its item ends");
        let (front, back) = self.cursor.around(total);
        if front.chars() < back.chars() {
            let leaf = self.items.items(slot.leaf).iter().map(|item| item.summary().chars()).sum::<usize>();
            let start = self.items.sum_before(Slot { leaf: slot.leaf, index: 0 }).chars();
            assert!(start <= front.chars() && back.chars() <= start + leaf, "and what its leaf holds");
        }
    }

    /// What goes on from the last edit here goes on in the log.
    fn assert_writer(&self, log: &OpLog) {
        let Some((writer, gait)) = self.cursor.writer() else { return };
        let item = self.items.get(self.cursor.slot);
        let expected = |down| log.deletes_on(writer, down);
        match gait {
            Gait::Typing => {
                assert!(item.is_ascii() && !item.is_deleted(), "text is typed on");
                assert_eq!(item.id().plus(item.count()), log.next_id(writer), "by who typed last");
                assert!(log.of(writer).ends_in_ascii(), "in an entry of ASCII");
            }
            Gait::Backspacing => {
                assert!(item.is_deleted(), "backspacing goes on from what it deleted");
                assert_eq!(expected(true).map(|next| next.plus(1)), Some(item.id()), "down from there");
            }
            Gait::Deleting => {
                assert!(item.is_deleted(), "deleting goes on from what it deleted");
                assert_eq!(expected(false), Some(item.id().plus(item.count())), "up from there");
            }
        }
    }
}
