//! Buffers of a few sizes for open streams: no allocation a series, none moved when there are more.

/// Sizes of buffers: each twice the one before.
const SIZES: usize = 8;
const SMALLEST: usize = 32;
/// Bytes that one allocation holds; small, since each shard has its own of each size in use.
const SLAB_BYTES: usize = 16 << 10;
const INDEX_BITS: u32 = 28;

/// A buffer: its size, and its place among those of that size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Buffer(u32);

impl Buffer {
    /// No buffer.
    pub(super) const NONE: Self = Self(u32::MAX);

    fn size_class(self) -> usize {
        (self.0 >> INDEX_BITS) as usize
    }

    fn index(self) -> usize {
        (self.0 & ((1 << INDEX_BITS) - 1)) as usize
    }
}

#[derive(Debug, Default)]
struct Pool {
    /// None where no buffer of a slab is in use: streams that grow leave whole slabs behind, which
    /// serve the next size then.
    slabs: Vec<Option<Box<[u8]>>>,
    /// Buffers of each slab in use.
    in_use: Vec<u16>,
    /// Buffers given out at least once.
    used: usize,
    free: Vec<Buffer>,
}

/// All buffers of a shard.
#[derive(Debug, Default)]
pub(super) struct Arena {
    pools: [Pool; SIZES],
}

impl Arena {
    /// A buffer of the smallest size. None where all numbers are used up.
    pub(super) fn take(&mut self) -> Option<Buffer> {
        self.take_size(0)
    }

    /// A buffer twice as large with the same beginning; the old one is free. None where there is no
    /// larger one.
    pub(super) fn grow(&mut self, old: Buffer) -> Option<Buffer> {
        let class = old.size_class();
        let new = self.take_size(class + 1)?;
        let (smaller, larger) = self.pools.split_at_mut(class + 1);
        let from = smaller.last_mut().and_then(|pool| pool.get_mut(old, class))?;
        let to = larger.first_mut().and_then(|pool| pool.get_mut(new, class + 1))?;
        to.get_mut(..from.len())?.copy_from_slice(from);
        self.pools.get_mut(class)?.give_back(old, class);
        Some(new)
    }

    fn take_size(&mut self, class: usize) -> Option<Buffer> {
        let pool = self.pools.get_mut(class)?;
        let buffer = match pool.free.pop() {
            Some(buffer) => buffer,
            None => pool.next(class)?,
        };
        pool.use_slab(place(buffer, class).0)?;
        Some(buffer)
    }

    /// The bytes of a buffer.
    pub(super) fn get(&self, buffer: Buffer) -> &[u8] {
        let class = buffer.size_class();
        let place = place(buffer, class);
        let slab = self.pools.get(class).and_then(|pool| pool.slabs.get(place.0)?.as_deref());
        slab.and_then(|slab| slab.get(place.1..place.1 + size(class))).unwrap_or_default()
    }

    /// The same, to be written to.
    #[inline]
    pub(super) fn get_mut(&mut self, buffer: Buffer) -> &mut [u8] {
        let class = buffer.size_class();
        self.pools.get_mut(class).and_then(|pool| pool.get_mut(buffer, class)).unwrap_or_default()
    }

    /// Bytes held.
    pub(super) fn bytes(&self) -> usize {
        let of = |pool: &Pool| {
            pool.slabs.iter().flatten().count() * SLAB_BYTES + pool.free.capacity() * 4
        };
        self.pools.iter().map(of).sum()
    }
}

impl Pool {
    #[inline]
    fn get_mut(&mut self, buffer: Buffer, class: usize) -> Option<&mut [u8]> {
        let (slab, at) = place(buffer, class);
        self.slabs.get_mut(slab)?.as_deref_mut()?.get_mut(at..at + size(class))
    }

    /// A buffer that was never given out.
    fn next(&mut self, class: usize) -> Option<Buffer> {
        let index = u32::try_from(self.used).ok().filter(|index| *index < 1 << INDEX_BITS)?;
        if self.used == self.slabs.len() * per_slab(class) {
            self.slabs.push(None);
            self.in_use.push(0);
        }
        self.used += 1;
        Some(Buffer(u32::try_from(class).ok()? << INDEX_BITS | index))
    }

    fn use_slab(&mut self, slab: usize) -> Option<()> {
        self.slabs.get_mut(slab)?.get_or_insert_with(|| vec![0; SLAB_BYTES].into());
        *self.in_use.get_mut(slab)? += 1;
        Some(())
    }

    fn give_back(&mut self, buffer: Buffer, class: usize) {
        let slab = place(buffer, class).0;
        if let (Some(count), Some(slab)) = (self.in_use.get_mut(slab), self.slabs.get_mut(slab)) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                *slab = None;
            }
        }
        self.free.push(buffer);
    }
}

fn size(class: usize) -> usize {
    SMALLEST << class
}

fn per_slab(class: usize) -> usize {
    SLAB_BYTES / size(class)
}

fn place(buffer: Buffer, class: usize) -> (usize, usize) {
    let (index, per_slab) = (buffer.index(), per_slab(class));
    (index / per_slab, index % per_slab * size(class))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_grow_with_their_bytes_and_freed_ones_are_given_again() {
        let mut arena = Arena::default();
        let mut buffers: Vec<Buffer> = (0..2000).map(|_| arena.take().unwrap()).collect();
        for (i, buffer) in (0..=u8::MAX).cycle().zip(&buffers) {
            arena.get_mut(*buffer).fill(i);
        }
        for buffer in &mut buffers {
            while let Some(larger) = arena.grow(*buffer) {
                *buffer = larger;
            }
        }
        for (i, buffer) in (0..=u8::MAX).cycle().zip(&buffers) {
            assert_eq!(arena.get(*buffer).len(), 4096);
            assert!(arena.get(*buffer)[..32].iter().all(|byte| *byte == i));
        }
        let before = arena.bytes();
        assert!(before < 2000 * 4096 + 2000 * 4 * 16, "what was grown out of is given back");
        assert!((0..2000).all(|_| arena.take().is_some()));
        assert_eq!(arena.bytes(), before + 2000_usize.div_ceil(512) * SLAB_BYTES);
    }
}
