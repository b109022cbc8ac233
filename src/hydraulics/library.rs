//! The scenario library of a reach (情景库): floodings computed beforehand, and the answer for any discharge between them.
//!
//! In: bytes as [`Library::encode`] made them, or computed floodings. Out: a flooding at any discharge, with what it rests
//! on. It refuses bytes of another terrain: a library that does not belong to the ground tells nothing about it.
//!
//! Layout 1: `ANLAN-TWIN1`, SHA-256 of the ground (32 bytes), length of the head (u32, little endian), head (JSON), then for
//! each flooding its frames, each as difference to the one before (the first to the base water), arrival, highest depth,
//! speed, hazard: columns of 16-bit numbers compressed with pcodec, each after its length (u32).

use super::flooding::{Assumed, Flooding};
use super::site::{SiteGround, TwinSite};
use crate::model::PlaceId;
use pco::ChunkConfig;
use pco::standalone::{simple_compress, simple_decompress};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

const MAGIC: &[u8; 11] = b"ANLAN-TWIN1";
/// Most cells and members that a file may claim: far above what a reach has.
const CELLS_MAX: usize = 50_000_000;
const MEMBERS_MAX: usize = 10_000;

/// What is wrong with a library.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LibraryFault {
    /// Not a library, or a damaged one.
    #[error("情景库文件损坏 (the scenario library is damaged): {0}")]
    Damaged(&'static str),
    /// Computed on another terrain.
    #[error("情景库与地形不符，请重新计算 (the library belongs to another terrain: run anlan twin library again)")]
    OtherGround,
}

/// The head of a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Head {
    cells: usize,
    hours: Vec<f64>,
    base_m3s: f64,
    members: Vec<MemberHead>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct MemberHead {
    discharge_m3s: f64,
    breach: Option<PlaceId>,
    highest_froude: f64,
    volume_error: f64,
}

/// A library.
#[derive(Debug, Clone, PartialEq)]
pub struct Library {
    /// Hours of the frames after the rise begins.
    pub hours: Vec<f64>,
    /// Discharge that all rise from, m³/s.
    pub base_m3s: f64,
    /// Water of the base discharge, cm.
    pub base_cm: Vec<u16>,
    /// By breach, then by discharge, rising.
    pub members: Vec<Flooding>,
}

/// The twin of a reach as it was read: its ground, and the scenarios on it.
#[derive(Debug)]
pub struct TwinModel {
    /// The ground and what is on it.
    pub site: TwinSite,
    /// The ground at the library's cell size.
    pub ground: SiteGround,
    /// Scenarios; absent until they are computed.
    pub library: Option<Library>,
}

/// What an answer rests on.
#[derive(Debug, Clone, PartialEq)]
pub enum Rests {
    /// On one scenario of exactly this discharge.
    Exact,
    /// Between two scenarios, m³/s.
    Between(f64, f64),
    /// The discharge lies below all scenarios: the lowest is shown, and overstates.
    Below(f64),
    /// The discharge lies above all scenarios: the highest is shown, and understates.
    Above(f64),
}

impl Library {
    /// The flooding at a discharge, with or without a breach; `None` where the library has no scenario of that kind.
    ///
    /// A breach takes no water away where the river brings it anyhow: its scenarios lie far apart, and what it relieves
    /// elsewhere is nothing to count on.
    pub fn at(&self, discharge_m3s: f64, breach: Option<&PlaceId>) -> Option<(Flooding, Rests)> {
        let (flooding, rests) = self.between(discharge_m3s, breach)?;
        Some(match breach.and_then(|_| self.between(discharge_m3s, None)) {
            Some((sound, _)) => (flooding.with(&sound), rests),
            None => (flooding, rests),
        })
    }

    fn between(&self, discharge_m3s: f64, breach: Option<&PlaceId>) -> Option<(Flooding, Rests)> {
        let mut of_kind = self.members.iter().filter(|member| member.breach.as_ref() == breach).peekable();
        let mut below: Option<&Flooding> = None;
        while let Some(member) = of_kind.next_if(|member| member.discharge_m3s <= discharge_m3s) {
            below = Some(member);
        }
        Some(match (below, of_kind.next()) {
            (Some(at), _) if at.discharge_m3s == discharge_m3s => (at.clone(), Rests::Exact),
            (Some(low), Some(high)) => {
                let share = (discharge_m3s - low.discharge_m3s) / (high.discharge_m3s - low.discharge_m3s);
                let rests = Rests::Between(low.discharge_m3s, high.discharge_m3s);
                (low.towards(high, share, discharge_m3s).no_later_than_frames(&self.hours), rests)
            }
            (Some(low), None) => (low.clone(), Rests::Above(low.discharge_m3s)),
            (None, Some(high)) => (high.clone(), Rests::Below(high.discharge_m3s)),
            (None, None) => return None,
        })
    }

    /// What the plan of a site asks the library to hold: by breach, then by discharge.
    pub fn wanted(site: &TwinSite) -> Vec<Assumed> {
        let plain = site.plan.discharges_m3s.iter().map(|q| Assumed { discharge_m3s: *q, breach: None });
        let broken = site.breaches.iter().flat_map(|breach| {
            let at = |q: &f64| Assumed { discharge_m3s: *q, breach: Some(breach.clone()) };
            site.plan.breach_discharges_m3s.iter().map(at)
        });
        plain.chain(broken).collect()
    }

    /// As bytes.
    ///
    /// # Errors
    /// When the members do not have one size.
    pub fn encode(&self, ground: &SiteGround) -> Result<Vec<u8>, LibraryFault> {
        let head = Head {
            cells: ground.grid.cells(),
            hours: self.hours.clone(),
            base_m3s: self.base_m3s,
            members: self
                .members
                .iter()
                .map(|member| MemberHead {
                    discharge_m3s: member.discharge_m3s,
                    breach: member.breach.clone(),
                    highest_froude: member.highest_froude,
                    volume_error: member.volume_error,
                })
                .collect(),
        };
        let head = serde_json::to_vec(&head).map_err(|_| LibraryFault::Damaged("the head cannot be written"))?;
        let mut bytes = MAGIC.to_vec();
        bytes.extend(fingerprint(ground));
        put_length(&mut bytes, head.len())?;
        bytes.extend(head);
        put_column(&mut bytes, &self.base_cm)?;
        for member in &self.members {
            let mut before = &self.base_cm;
            for frame in &member.depth_cm {
                let change: Vec<u16> = frame.iter().zip(before).map(|(now, then)| now.wrapping_sub(*then)).collect();
                put_column(&mut bytes, &zigzag(&change))?;
                before = frame;
            }
            for column in [&member.arrival_min, &member.highest_cm, &member.speed_cms, &member.hazard] {
                put_column(&mut bytes, column)?;
            }
        }
        Ok(bytes)
    }

    /// From bytes.
    ///
    /// # Errors
    /// Damage, or another terrain.
    pub fn decode(bytes: &[u8], ground: &SiteGround) -> Result<Self, LibraryFault> {
        let mut rest = bytes.strip_prefix(MAGIC.as_slice()).ok_or(LibraryFault::Damaged("it is no library"))?;
        let print = take(&mut rest, 32)?;
        if print != fingerprint(ground) {
            return Err(LibraryFault::OtherGround);
        }
        let length = take_length(&mut rest)?;
        let head: Head =
            serde_json::from_slice(take(&mut rest, length)?).map_err(|_| LibraryFault::Damaged("the head"))?;
        if head.cells != ground.grid.cells() || head.cells > CELLS_MAX || head.members.len() > MEMBERS_MAX {
            return Err(LibraryFault::Damaged("its size does not fit the ground"));
        }
        let base_cm = take_column(&mut rest, head.cells)?;
        let mut members = Vec::with_capacity(head.members.len());
        for own in head.members {
            let mut depth_cm: Vec<Vec<u16>> = Vec::with_capacity(head.hours.len());
            for _ in &head.hours {
                let change = unzigzag(&take_column(&mut rest, head.cells)?);
                let before = depth_cm.last().unwrap_or(&base_cm);
                depth_cm.push(change.iter().zip(before).map(|(change, then)| then.wrapping_add(*change)).collect());
            }
            members.push(Flooding {
                discharge_m3s: own.discharge_m3s,
                breach: own.breach,
                depth_cm,
                arrival_min: take_column(&mut rest, head.cells)?,
                highest_cm: take_column(&mut rest, head.cells)?,
                speed_cms: take_column(&mut rest, head.cells)?,
                hazard: take_column(&mut rest, head.cells)?,
                highest_froude: own.highest_froude,
                volume_error: own.volume_error,
            });
        }
        if !rest.is_empty() {
            return Err(LibraryFault::Damaged("bytes are left over"));
        }
        Ok(Self { hours: head.hours, base_m3s: head.base_m3s, base_cm, members })
    }
}

/// SHA-256 over grid, heights and roughness.
pub fn fingerprint(ground: &SiteGround) -> [u8; 32] {
    let mut hash = Sha256::new();
    let grid = &ground.grid;
    hash.update((grid.columns as u64).to_le_bytes());
    hash.update((grid.rows as u64).to_le_bytes());
    for number in [grid.cell_m, grid.west_m, grid.south_m] {
        hash.update(number.to_le_bytes());
    }
    for (bed, n) in ground.bed_m.iter().zip(&ground.manning) {
        // Every hole is the same hole: which bits a missing number has is the machine's affair.
        let bed = if bed.is_nan() { f32::NAN.to_bits() } else { bed.to_bits() };
        hash.update(bed.to_le_bytes());
        hash.update(n.to_le_bytes());
    }
    hash.finalize().into()
}

/// Small changes up and down as small numbers.
fn zigzag(changes: &[u16]) -> Vec<u16> {
    changes.iter().map(|change| (change << 1) ^ (((*change as i16) >> 15) as u16)).collect()
}

fn unzigzag(codes: &[u16]) -> Vec<u16> {
    codes.iter().map(|code| (code >> 1) ^ 0_u16.wrapping_sub(code & 1)).collect()
}

fn put_length(bytes: &mut Vec<u8>, length: usize) -> Result<(), LibraryFault> {
    let length = u32::try_from(length).map_err(|_| LibraryFault::Damaged("a part is too long"))?;
    bytes.extend(length.to_le_bytes());
    Ok(())
}

pub(super) fn put_column(bytes: &mut Vec<u8>, column: &[u16]) -> Result<(), LibraryFault> {
    let packed = simple_compress(column, &ChunkConfig::default()).map_err(|_| LibraryFault::Damaged("a column"))?;
    put_length(bytes, packed.len())?;
    bytes.extend(packed);
    Ok(())
}

pub(super) fn take<'a>(rest: &mut &'a [u8], count: usize) -> Result<&'a [u8], LibraryFault> {
    let (taken, left) = rest.split_at_checked(count).ok_or(LibraryFault::Damaged("it ends too early"))?;
    *rest = left;
    Ok(taken)
}

pub(super) fn take_length(rest: &mut &[u8]) -> Result<usize, LibraryFault> {
    let mut word = [0; 4];
    word.copy_from_slice(take(rest, 4)?);
    Ok(u32::from_le_bytes(word) as usize)
}

pub(super) fn take_column(rest: &mut &[u8], cells: usize) -> Result<Vec<u16>, LibraryFault> {
    let length = take_length(rest)?;
    let column = simple_decompress(take(rest, length)?).map_err(|_| LibraryFault::Damaged("a column"))?;
    if column.len() == cells { Ok(column) } else { Err(LibraryFault::Damaged("a column has another length")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hydraulics::Grid;

    fn ground(z: f32) -> SiteGround {
        let grid = Grid { columns: 2, rows: 2, cell_m: 100.0, west_m: 0.0, south_m: 0.0 };
        SiteGround { grid, bed_m: vec![z, 1.0, f32::NAN, 2.0], manning: vec![0.03; 4], river_side: vec![true; 4] }
    }

    fn member(q: f64, depth: u16, arrival: u16) -> Flooding {
        Flooding {
            discharge_m3s: q,
            breach: None,
            depth_cm: vec![vec![300, 0, 0, 0], vec![300, depth, 0, 65_000]],
            arrival_min: vec![0, arrival, u16::MAX, 60],
            highest_cm: vec![300, depth, 0, 65_000],
            speed_cms: vec![120, 7, 0, 1],
            hazard: vec![360, 3, 0, 9],
            highest_froude: 0.4,
            volume_error: 1e-9,
        }
    }

    fn library() -> Library {
        let members = vec![member(3000.0, 0, u16::MAX), member(9000.0, 60, 300), member(12_000.0, 120, 200)];
        Library { hours: vec![0.0, 6.0], base_m3s: 3000.0, base_cm: vec![300, 0, 0, 0], members }
    }

    #[test]
    fn library_survives_its_bytes_and_refuses_others() {
        let bytes = library().encode(&ground(1.5)).unwrap();
        assert_eq!(Library::decode(&bytes, &ground(1.5)), Ok(library()));
        assert_eq!(Library::decode(&bytes, &ground(1.6)), Err(LibraryFault::OtherGround));
        for cut in [0, 5, 20, 60, bytes.len() - 1] {
            assert!(matches!(Library::decode(&bytes[..cut], &ground(1.5)), Err(LibraryFault::Damaged(_))), "{cut}");
        }
    }

    #[test]
    fn library_answers_between_its_members_and_says_what_it_rests_on() {
        let library = library();
        let (shown, rests) = library.at(10_500.0, None).unwrap();
        assert_eq!(rests, Rests::Between(9000.0, 12_000.0));
        assert_eq!((shown.highest_cm[1], shown.arrival_min[1]), (90, 250));
        // Only the greater one is wet: its arrival, not one that is later.
        let (shown, _) = library.at(6000.0, None).unwrap();
        assert_eq!((shown.highest_cm[1], shown.arrival_min[1], shown.arrival_min[2]), (30, 300, u16::MAX));
        assert_eq!(library.at(9000.0, None).unwrap().1, Rests::Exact);
        assert_eq!(library.at(100.0, None).unwrap().1, Rests::Below(3000.0));
        assert_eq!(library.at(40_000.0, None).unwrap().1, Rests::Above(12_000.0));
        assert!(library.at(9000.0, Some(&PlaceId::new("work-madu"))).is_none());
    }

    #[test]
    fn library_arrivals_between_scenarios_are_no_later_than_the_frames_that_show_the_water() {
        // At 9,000 it comes after the frame of 6 h, at 12,000 long before: half-way the frame shows 60 cm.
        let members = vec![member(9000.0, 0, 900), member(12_000.0, 120, 60)];
        let mut library = Library { members, ..library() };
        library.members[0].highest_cm[1] = 80;
        let (shown, _) = library.at(10_500.0, None).unwrap();
        assert_eq!((shown.depth_cm[1][1], shown.arrival_min[1]), (60, 360));
    }

    #[test]
    fn library_frames_run_straight_between_their_hours() {
        let member = member(9000.0, 60, 300);
        assert_eq!(member.at_hour(&[0.0, 4.0], 1.0), [300, 15, 0, 16_250]);
        assert_eq!(member.at_hour(&[0.0, 4.0], 9.0), member.depth_cm[1]);
        assert_eq!(member.at_hour(&[0.0, 4.0], -1.0), member.depth_cm[0]);
    }
}
