//! ST_STBPRP_B read: which datum the stages of each station count from.

use crate::ingest::sheet::{Book, Places};
use std::collections::BTreeMap;

/// What a table of stations says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StationTable {
    /// Station id → the datum in words, or why its stages cannot be taken.
    pub datums: BTreeMap<String, Result<String, String>>,
    /// What the person should know, in the two languages.
    pub notes: Vec<String>,
}

/// Reads the table; rows of stations that the reach does not have are counted.
///
/// # Errors
/// When the columns STCD and DTMNM are not there, in the two languages.
pub fn stations(book: &Book, places: &Places) -> Result<StationTable, String> {
    let mut rows = book.texts();
    let header = rows.next().map(|(_, cells)| cells).unwrap_or_default();
    let column = |name: &str| header.iter().position(|cell| cell.eq_ignore_ascii_case(name));
    let (Some(code), Some(datum)) = (column("STCD"), column("DTMNM")) else {
        return Err("第一行须有 STCD 与 DTMNM 列 (the first row must have the columns STCD and DTMNM)".into());
    };
    let above = column("DTMEL");
    let mut table = StationTable::default();
    let mut foreign = 0;
    for (row, cells) in rows {
        let cell = |at: usize| cells.get(at).map_or("", |text| text.trim());
        let Some(station) = places.of(cell(code)) else {
            foreign += 1;
            continue;
        };
        let zero = above.map_or("", cell);
        let stated = match zero.parse::<f64>() {
            Ok(metres) if metres != 0.0 => Err(format!(
                "第 {row} 行 DTMEL = {metres} m：水位不从基面 {} 的零点起算，请在测站配置中换算 (stages count from another zero)",
                cell(datum)
            )),
            Err(_) if !zero.is_empty() => Err(format!("第 {row} 行 DTMEL {zero:?} 不是数 (not a number)")),
            _ if cell(datum).is_empty() => Err(format!("第 {row} 行 DTMNM 为空，水位基面未知 (DTMNM is empty)")),
            _ => Ok(cell(datum).to_owned()),
        };
        if table.datums.get(station).is_some_and(|known| *known != stated) {
            let twice = format!("测站 {} 在 ST_STBPRP_B 中有两种基面 (two datums for one station)", cell(code));
            table.datums.insert(station.to_owned(), Err(twice));
        } else {
            table.datums.insert(station.to_owned(), stated);
        }
    }
    if foreign > 0 {
        table
            .notes
            .push(format!("ST_STBPRP_B 中有 {foreign} 个本河段没有的测站 (stations that this reach does not have)"));
    }
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::sheet::Place;

    #[test]
    fn the_datum_of_each_station_is_stated_or_its_stages_are_refused() {
        let place =
            |id: &str, code: &str| Place { id: id.into(), name_zh: id.into(), name_en: id.into(), code: code.into() };
        let places = Places {
            stations: ["a", "b", "c", "d", "e"].iter().map(|id| place(id, &format!("4010000{id}"))).collect(),
            ..Places::default()
        };
        let text = "STCD,STNM,DTMNM,DTMEL,DTPR\n4010000a  ,甲,大沽                ,0,\n4010000b,乙,冻结基面,3.2,\n4010000c,丙,,,\n\
                    99999999,外,大沽,,\n4010000d,丁,大沽,x,\n4010000e,戊,大沽,,\n4010000e,戊,1985国家高程基准,,\n";
        let table = stations(&Book::read(text.as_bytes(), None).unwrap(), &places).unwrap();
        assert_eq!(table.datums["a"], Ok("大沽".into()));
        for (station, word) in [("b", "3.2"), ("c", "为空"), ("d", "不是数"), ("e", "两种基面")] {
            let reason = table.datums[station].as_ref().unwrap_err();
            assert!(reason.contains(word), "{reason}");
        }
        assert!(table.notes[0].contains('1'), "{:?}", table.notes);
        assert!(stations(&Book::read(b"STCD,STNM\n1,2\n", None).unwrap(), &places).is_err());
    }
}
