//! Whether the points of a profile can be. In: the rows. Out: the registers that they take, or a fault by line and column.

use super::NumberType;
use super::load::Source;
use super::profile::Point;
use super::shape::ProfileRow;
use crate::ingest::FileFault;
use toml::Spanned;

/// Registers from the first to behind the last of any point.
pub(super) fn points(source: &Source, row: &ProfileRow, points: &[Spanned<Point>]) -> Result<u32, FileFault> {
    let most = *row.max_block.get_ref();
    if !(1..=row.function.block_max()).contains(&most) {
        let what = format!("max_block {most} is not within 1…{}", row.function.block_max());
        return Err(source.fault(row.max_block.span(), what, "the protocol reads no more at once"));
    }
    let mut end = 0;
    for spanned in points {
        let point = spanned.get_ref();
        let fault = |what: String, remedy: &str| Err(source.fault(spanned.span(), what, remedy));
        let last = u32::from(point.first()) + u32::from(point.number.width());
        if last > 65_536 {
            let what = format!("register {} with {:?} ends above 65535", point.first(), point.number);
            return Err(source.fault(point.register.span(), what, "registers are protocol addresses 0…65535"));
        }
        if !point.scale.is_finite() || point.scale == 0.0 || !point.offset.is_finite() {
            let what = format!("scale {} or offset {} of {} cannot be", point.scale, point.offset, point.quantity);
            return fault(what, "write a finite scale that is not 0");
        }
        if point.number.width() > most {
            let what = format!("{} takes {} registers, max_block is smaller", point.quantity, point.number.width());
            return fault(what, "raise max_block");
        }
        if points.iter().filter(|other| other.get_ref().quantity == point.quantity).count() > 1 {
            let what = format!("quantity {} appears twice in profile {}", point.quantity, row.id.get_ref());
            return fault(what, "give each point a name of its own");
        }
        if let Some((what, remedy)) = odd(point) {
            return fault(format!("{}: {what}", point.quantity), remedy);
        }
        end = end.max(last);
    }
    Ok(end)
}

/// What does not go together in one point.
fn odd(point: &Point) -> Option<(String, &'static str)> {
    let is_bit = point.number == NumberType::Bit;
    if point.table().is_bits() && (!is_bit || point.bit.is_some()) {
        return Some(("coils and discrete inputs are single bits".into(), "write type = \"bit\" without bit"));
    }
    if !point.table().is_bits() && is_bit != point.bit.is_some() {
        return Some(("type \"bit\" and bit = … go together".into(), "write type = \"bit\" and bit = 0…15"));
    }
    if let Some(bit) = point.bit.filter(|bit| *bit > 15) {
        return Some((format!("bit {bit} is not within 0…15"), "0 is the lowest"));
    }
    if let Some(status) = point.status.filter(|status| status.mask == 0 || status.good & !status.mask != 0) {
        let what = format!("status mask {:#06x} cannot give {:#06x}", status.mask, status.good);
        return Some((what, "good holds only bits of the mask, which is not 0"));
    }
    if point.wraps_at.is_some() && matches!(point.number, NumberType::F32 | NumberType::F64 | NumberType::Bit) {
        return Some(("wraps_at needs a whole number".into(), "drop it or change the type"));
    }
    if point.wraps_at == Some(0) {
        return Some(("wraps_at 0 cannot be".into(), "write the counts at which it starts anew"));
    }
    let code = point.unit_code.as_ref()?;
    if code.factors.is_empty() {
        return Some(("unit_code has no factors".into(), "write factors = { 10 = 0.102 } for example"));
    }
    let wrong =
        code.factors.iter().find(|(key, factor)| key.parse::<u16>().is_err() || !factor.is_finite() || **factor == 0.0);
    wrong.map(|(key, factor)| {
        (format!("unit code {key} = {factor} cannot be"), "a code 0…65535 and a factor that is not 0")
    })
}
