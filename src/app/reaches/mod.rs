//! The data of a reach: places, people, duties and the map, read from a folder or from the binary and checked.
//!
//! In: texts by file name. Out: [`ReachData`]. It refuses the whole reach at the first fault and says where: file, line
//! or feature, and field. A place that is not there tonight is worse than a server that does not start.

mod assemble;
mod fault;
mod files;
mod layers;
mod register;
mod sites;
mod spots;
mod tables;
mod twin;

pub use assemble::load_reach;
pub use fault::ReachFault;
pub use files::{embedded_files, embedded_reach, embedded_twin, folder_files, reach_from};
pub use layers::LAYERS;
pub use sites::{DamSite, StoneSite};
pub use tables::{About, Attention, Category, Counts, Fact, Grower, Household, SectionPoint};
pub use twin::TwinFiles;

use crate::model::Reach;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Everything that is known of a reach before the first reading arrives.
#[derive(Debug, Clone)]
pub struct ReachData {
    /// Places, members and duty table, indexed.
    pub reach: Reach,
    /// Name, labels, datum, public facts, declared counts.
    pub about: About,
    /// Map layers: `grids`, `levee`, `stones`, … → GeoJSON text (WGS-84), checked.
    pub layers: BTreeMap<String, String>,
    /// Households that need attention in an evacuation, with their categories.
    pub attention: Attention,
    /// Households that grow on the floodplain, by class.
    pub farmers: Vec<Grower>,
    /// Smart stones, by id.
    pub stones: Vec<StoneSite>,
    /// Dams and spurs, work by work, from upstream to downstream.
    pub dams: Vec<DamSite>,
    /// Points of the cross sections, section by section from south to north.
    pub sections: Vec<SectionPoint>,
    /// What the twin stands on; a reach may do without.
    pub twin: Option<Arc<TwinFiles>>,
}

#[cfg(test)]
mod twin_tests;
