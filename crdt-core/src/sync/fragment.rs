//! Frames larger than one message: cut into pieces, and put together again.

use super::frame::{Frame, FrameError, Handle};
use alloc::vec;
use alloc::vec::Vec;

/// Bytes that the head of a fragment takes at most: type, handle, total, start.
const HEAD_BYTES: usize = 1 + 5 + 5 + 5;

/// Cuts an encoded frame into messages of at most `frame_bytes`; one that fits stays as it is.
///
/// O(bytes).
///
/// # Panics
/// If `frame_bytes` leaves no room for a piece, or the frame is 4 GiB or longer.
pub fn split(handle: Handle, frame: Vec<u8>, frame_bytes: usize) -> Vec<Vec<u8>> {
    if frame.len() <= frame_bytes {
        return vec![frame];
    }
    let total = u32::try_from(frame.len()).expect("frames are limited to far less than 4 GiB");
    let mut start = 0;
    frame
        .chunks(frame_bytes.checked_sub(HEAD_BYTES).expect("the frame limit has room for a head"))
        .map(|piece| {
            let message = Frame::Fragment { total, start, piece }.encode(handle);
            // No overflow: the sum of all pieces is `total`.
            start += u32::try_from(piece.len()).unwrap_or(u32::MAX);
            message
        })
        .collect()
}

/// Puts the pieces of one frame at a time together.
///
/// A connection keeps one for each document: pieces for one document follow each other, those for
/// others may come in between. Memory is taken as pieces arrive, never because of a size that was
/// only announced.
#[derive(Clone, Debug, Default)]
pub struct Reassembly {
    total: usize,
    bytes: Vec<u8>,
}

impl Reassembly {
    /// Starts without a piece.
    pub const fn new() -> Self {
        Self { total: 0, bytes: Vec::new() }
    }

    /// How many bytes wait for the rest of their frame.
    pub fn waiting_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Adds the piece of a fragment; gives the whole frame once it is complete.
    ///
    /// `limit` is the largest whole frame in bytes. The frame that comes out was not decoded yet; it
    /// may not be a fragment itself, which its [type](Frame::kind) tells after decoding.
    ///
    /// # Errors
    /// [`FrameError::TooLarge`], and [`FrameError::Fragment`] for a piece that does not follow the
    /// last one. What waited is dropped then.
    pub fn add(
        &mut self,
        total: u32,
        start: u32,
        piece: &[u8],
        limit: usize,
    ) -> Result<Option<Vec<u8>>, FrameError> {
        let result = self.check(total, start, piece, limit);
        let Ok(total) = result else {
            *self = Self::new();
            return result.map(|_| None);
        };
        self.total = total;
        self.bytes.extend_from_slice(piece);
        if self.bytes.len() < total {
            return Ok(None);
        }
        Ok(Some(core::mem::take(self).bytes))
    }

    fn check(&self, total: u32, start: u32, piece: &[u8], limit: usize) -> Result<usize, FrameError> {
        let [total, start] = [total, start].map(|size| usize::try_from(size).unwrap_or(usize::MAX));
        if total > limit {
            return Err(FrameError::TooLarge { limit });
        }
        if start != self.bytes.len() || (start > 0 && total != self.total) {
            return Err(FrameError::Fragment("a piece does not follow the last one"));
        }
        if piece.is_empty() || piece.len() > total - start {
            return Err(FrameError::Fragment("a piece is longer than what is missing"));
        }
        Ok(total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(frame: &[u8], frame_bytes: usize) -> Vec<Vec<u8>> {
        split(7, frame.to_vec(), frame_bytes)
    }

    fn put_together(messages: &[Vec<u8>], limit: usize) -> Result<Option<Vec<u8>>, FrameError> {
        let mut reassembly = Reassembly::new();
        let mut whole = None;
        for message in messages {
            let (handle, Frame::Fragment { total, start, piece }) = Frame::decode(message).unwrap() else {
                panic!("split gives fragments");
            };
            assert_eq!(handle, 7);
            assert_eq!(whole, None);
            whole = reassembly.add(total, start, piece, limit)?;
        }
        Ok(whole)
    }

    #[test]
    fn a_frame_that_fits_stays_whole() {
        assert_eq!(pieces(&[1; 64], 64), [[1; 64]]);
    }

    #[test]
    fn pieces_make_up_the_frame_and_keep_to_the_limit() {
        let frame: Vec<u8> = (0..1000u32).map(|n| n.to_le_bytes()[0]).collect();
        for frame_bytes in [17, 18, 64, 100, 999] {
            let messages = pieces(&frame, frame_bytes);
            assert!(messages.len() > 1);
            assert!(messages.iter().all(|message| message.len() <= frame_bytes));
            assert_eq!(put_together(&messages, 1000), Ok(Some(frame.clone())));
        }
    }

    #[test]
    fn a_frame_above_the_limit_is_refused_at_its_first_piece() {
        let messages = pieces(&[0; 1000], 100);
        assert_eq!(put_together(&messages[..1], 999), Err(FrameError::TooLarge { limit: 999 }));
    }

    #[test]
    fn lost_doubled_and_overlong_pieces_are_refused_and_forgotten() {
        let messages = pieces(&[0; 1000], 100);
        assert!(put_together(&messages[1..], 1000).is_err());
        assert!(put_together(&[messages[0].clone(), messages[0].clone()], 1000).is_err());
        assert!(put_together(&[messages[0].clone(), messages[2].clone()], 1000).is_err());
        let mut reassembly = Reassembly::new();
        assert!(reassembly.add(4, 0, &[0; 5], 10).is_err());
        assert_eq!(reassembly.add(4, 0, &[0; 3], 10), Ok(None));
        assert!(reassembly.add(5, 3, &[0; 2], 10).is_err());
        assert_eq!(reassembly.waiting_bytes(), 0);
    }
}
