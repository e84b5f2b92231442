//! Random changes to inputs.

use proptest::{collection::vec, prelude::*, sample::Index};

use super::Input;

/// The maximum number of changes to an input. With more, most inputs would be rejected early.
const MAX_CHANGES: usize = 6;
/// The maximum number of bytes that a change inserts or removes.
const MAX_LENGTH: usize = 24;

/// One change, at a random position.
#[derive(Clone, Debug)]
pub(super) enum Change {
    /// Flips one bit.
    Flip(Index, u8),
    /// Inserts bytes.
    Insert(Index, Vec<u8>),
    /// Removes some bytes.
    Remove(Index, usize),
    /// Inserts a repetition of some of the bytes at another position.
    Repeat(Index, usize, Index, usize),
    /// Replaces the end with the end of another input of the corpus.
    Splice(Index, Index, Index),
}

/// Generates a change, which often inserts one of `words`.
pub(super) fn change(words: &'static [&'static str]) -> impl Strategy<Value = Change> {
    let word = prop::sample::select(words).prop_map(|it| it.as_bytes().to_vec());
    let inserted = prop_oneof![2 => word, 1 => vec(any::<u8>(), 1..MAX_LENGTH)];
    prop_oneof![
        2 => (any::<Index>(), 0..8_u8).prop_map(|(at, bit)| Change::Flip(at, bit)),
        3 => (any::<Index>(), inserted).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        2 => (any::<Index>(), 1..MAX_LENGTH).prop_map(|(at, length)| Change::Remove(at, length)),
        1 => (any::<Index>(), 1..MAX_LENGTH, any::<Index>(), prop_oneof![1..4_usize, 100..2000_usize])
            .prop_map(|(from, length, to, times)| Change::Repeat(from, length, to, times)),
        1 => (any::<Index>(), any::<Index>(), any::<Index>())
            .prop_map(|(seed, at, from)| Change::Splice(seed, at, from)),
    ]
}

/// Generates changed inputs of the corpus.
pub(super) fn mutations(
    seeds: Vec<Vec<u8>>,
    words: &'static [&'static str],
) -> BoxedStrategy<Input> {
    let changes = vec(change(words), 1..=MAX_CHANGES);
    let input = move |(seed, changes): (Index, Vec<Change>)| {
        Input(changes.iter().fold(seed.get(&seeds).clone(), |input, it| it.apply(input, &seeds)))
    };
    (any::<Index>(), changes).prop_map(input).boxed()
}

impl Change {
    /// Applies the change.
    pub(super) fn apply(&self, mut input: Vec<u8>, seeds: &[Vec<u8>]) -> Vec<u8> {
        let place = |at: &Index| at.index(input.len() + 1);
        let part = |from: usize, length: usize| from..(from + length).min(input.len());
        match self {
            Self::Flip(at, bit) => {
                let at = at.index(input.len().max(1));
                input.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << bit);
            }
            Self::Insert(at, bytes) => insert(place(at), bytes, &mut input),
            Self::Remove(at, length) => drop(input.drain(part(place(at), *length))),
            Self::Repeat(at, length, to, times) => {
                let repeated = input[part(place(at), *length)].repeat(*times);
                insert(place(to), &repeated, &mut input);
            }
            Self::Splice(seed, at, from) => {
                let other = seed.get(seeds);
                input.truncate(place(at));
                input.extend(&other[from.index(other.len() + 1)..]);
            }
        }
        input
    }
}

fn insert(at: usize, bytes: &[u8], input: &mut Vec<u8>) {
    input.splice(at..at, bytes.iter().copied());
}
