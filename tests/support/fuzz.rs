//! Fuzzing for every decoder: no input may make it panic or take memory out of proportion.
//!
//! A target is a name, a folder `fuzz/corpus/<name>/` of inputs that are kept, and a closure over bytes. Each run replays the
//! whole folder, then tries inputs grown from it (bits turned, parts cut, doubled, joined, numbers made huge) and pure noise,
//! by proptest, so that a failing input is shrunk; the small one is written into the folder and stays there for good.
//! `ANLAN_FUZZ_CASES` (default 400) and `ANLAN_FUZZ_SEED` (default 0) make it run longer and elsewhere: docs/fuzzing.md.
#![allow(unsafe_code, dead_code)]

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::path::PathBuf;

/// Bytes that any decoder may hold at its highest, beside `PER_BYTE` for each byte of its input.
const FREE: i64 = 1 << 20;
const PER_BYTE: i64 = 512;
/// Longest input that is made.
const INPUT_MAX: usize = 64 << 10;

/// Counts what the running thread holds.
struct Counting;

thread_local! {
    static HELD: Cell<i64> = const { Cell::new(0) };
    static PEAK: Cell<i64> = const { Cell::new(0) };
}

fn count(change: i64) {
    let _ = HELD.try_with(|held| {
        held.set(held.get() + change);
        let _ = PEAK.try_with(|peak| peak.set(peak.get().max(held.get())));
    });
}

// SAFETY: every call goes to the system's allocator unchanged; only numbers are kept beside it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as i64);
        // SAFETY: as the caller of this function has promised.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, held: *mut u8, layout: Layout) {
        count(-(layout.size() as i64));
        // SAFETY: as the caller of this function has promised.
        unsafe { System.dealloc(held, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// Highest number of bytes that `work` held beyond what was held before.
fn peak_of(work: impl FnOnce()) -> i64 {
    let before = HELD.with(Cell::get);
    PEAK.with(|peak| peak.set(before));
    work();
    PEAK.with(Cell::get) - before
}

/// One change of an input that is known to be good.
#[derive(Debug, Clone)]
enum Change {
    Turn(Index, u8),
    Set(Index, u8),
    Insert(Index, Vec<u8>),
    Cut(Index, usize),
    End(Index),
    Double(Index, usize, usize),
    Join(Index),
    Number(Index, &'static str),
}

/// What numbers in text become.
const NUMBERS: [&str; 8] = ["0", "-1", "65536", "4294967296", "99999999999999999999999", "1e308", "-1e-308", "nan"];

fn change() -> impl Strategy<Value = Change> {
    let at = any::<Index>;
    prop_oneof![
        (at(), 0..8u8).prop_map(|(at, bit)| Change::Turn(at, bit)),
        (at(), prop_oneof![Just(0), Just(0xff), Just(0x7f), Just(0x80), any::<u8>()])
            .prop_map(|(at, byte)| Change::Set(at, byte)),
        (at(), prop::collection::vec(any::<u8>(), 1..9)).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        (at(), 1..40usize).prop_map(|(at, length)| Change::Cut(at, length)),
        at().prop_map(Change::End),
        (at(), 1..200usize, 1..300usize).prop_map(|(at, length, times)| Change::Double(at, length, times)),
        at().prop_map(Change::Join),
        (at(), prop::sample::select(&NUMBERS[..])).prop_map(|(at, number)| Change::Number(at, number)),
    ]
}

impl Change {
    fn apply(&self, input: &mut Vec<u8>, corpus: &[Vec<u8>]) {
        let place = |at: &Index, length: usize| at.index(length + 1);
        match self {
            Self::Turn(at, bit) if !input.is_empty() => {
                let at = at.index(input.len());
                input[at] ^= 1 << bit;
            }
            Self::Set(at, byte) if !input.is_empty() => {
                let at = at.index(input.len());
                input[at] = *byte;
            }
            Self::Turn(..) | Self::Set(..) => {}
            Self::Insert(at, bytes) => {
                let at = place(at, input.len());
                input.splice(at..at, bytes.iter().copied());
            }
            Self::Cut(at, length) => {
                let from = place(at, input.len());
                input.drain(from..(from + length).min(input.len()));
            }
            Self::End(at) => input.truncate(place(at, input.len())),
            Self::Double(at, length, times) => {
                let from = place(at, input.len());
                let part = input[from..(from + length).min(input.len())].to_vec();
                input.splice(from..from, part.repeat(*times));
            }
            Self::Join(other) => input.extend(&corpus[other.index(corpus.len())]),
            Self::Number(at, number) => {
                let from = place(at, input.len());
                let Some(digit) = input[from..].iter().position(u8::is_ascii_digit).map(|next| from + next) else {
                    return;
                };
                let length = input[digit..].iter().take_while(|byte| byte.is_ascii_digit()).count();
                input.splice(digit..digit + length, number.bytes());
            }
        }
        input.truncate(INPUT_MAX);
    }
}

/// Inputs that are kept, in the order of their names.
fn corpus(name: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|cause| panic!("{}: {cause}", folder.display()));
    let mut found: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    found.sort();
    assert!(!found.is_empty(), "{} holds no input: put in at least one that is right", folder.display());
    found.into_iter().map(|path| (path.clone(), std::fs::read(&path).unwrap())).collect()
}

fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}

/// Replays the corpus of a decoder, then tries inputs grown from it and noise.
pub fn target(name: &str, decode: impl Fn(&[u8])) {
    let tried = |input: &[u8]| {
        let peak = peak_of(|| decode(input));
        let limit = FREE + PER_BYTE * input.len() as i64;
        assert!(peak <= limit, "{name} held {peak} bytes for an input of {}: at most {limit}", input.len());
    };
    let kept = corpus(name);
    for (path, input) in &kept {
        println!("{}", path.display()); // Shown should this one fail.
        tried(input);
    }
    let kept: Vec<Vec<u8>> = kept.into_iter().map(|(_, input)| input).collect();
    let grown = (any::<Index>(), prop::collection::vec(change(), 1..6));
    let noise = prop::collection::vec(any::<u8>(), 0..600);
    let input = prop_oneof![
        9 => grown.prop_map({
            let kept = kept.clone();
            move |(base, changes)| {
                let mut input = kept[base.index(kept.len())].clone();
                changes.iter().for_each(|change| change.apply(&mut input, &kept));
                input
            }
        }),
        1 => noise,
    ];
    let cases = u32::try_from(setting("ANLAN_FUZZ_CASES", 400)).unwrap_or(u32::MAX);
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&setting("ANLAN_FUZZ_SEED", 0).to_le_bytes());
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 4_000, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &seed));
    let outcome = runner.run(&input, |input| {
        tried(&input);
        Ok::<(), TestCaseError>(())
    });
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(reason, input)) => panic!("{name}: {reason}; kept as {}", keep(name, &input)),
        Err(TestError::Abort(reason)) => panic!("{name}: {reason}"),
    }
}

/// Writes a failing input into the corpus, named by its content.
fn keep(name: &str, input: &[u8]) -> String {
    let hash = input
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3));
    let path =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name).join(format!("found-{hash:016x}"));
    std::fs::write(&path, input).unwrap();
    path.display().to_string()
}

/// The harness itself: a panic and a greedy decoder are seen.
pub fn check_the_harness() {
    let seen = |decode: fn(&[u8])| {
        let mut runner = TestRunner::new(Config { cases: 64, failure_persistence: None, ..Config::default() });
        runner.run(&prop::collection::vec(any::<u8>(), 1..9), |input| {
            let peak = peak_of(|| decode(&input));
            prop_assert!(peak <= FREE + PER_BYTE * input.len() as i64);
            Ok(())
        })
    };
    assert!(seen(|_| {}).is_ok());
    assert!(seen(|input| assert!(input[0] < 128)).is_err(), "a panic is a fault");
    assert!(seen(|input| drop(vec![0u8; usize::from(input[0]) << 14])).is_err(), "greed is a fault");
}
