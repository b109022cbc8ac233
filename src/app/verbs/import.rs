//! `anlan import FILE`: a table of readings into a data directory whose server does not run; the page does it while it runs.

use super::place::SitePlace;
use super::{Outcome, wait_for};
use crate::app::assemble::{SiteFiles, stations};
use crate::app::clock::wall_now;
use crate::ingest::forecasts::{self, ForecastAsk, ForecastFile};
use crate::ingest::offer::{Target, Targets};
use crate::ingest::sheet::{Ask, Book, Place, Places, Preview, preview};
use crate::ingest::sl323;
use crate::ingest::units::datum_of;
use crate::model::Observation;
use crate::store::arrivals::{ARRIVALS_SCHEMA, Arrivals, NewForecast};
use crate::store::series::{EmbeddedSeries, SeriesLimits, SeriesStore};
use crate::store::users::USERS_SCHEMA;
use crate::store::{Database, JOURNAL_SCHEMA, StoreDirectory, series_file, state_file};
use chrono::{DateTime, FixedOffset};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Points of one append.
const APPEND_MAX: usize = 50_000;
/// Most faults that are printed.
const PRINTED_MAX: usize = 50;

/// Imports a table of readings, or a file of forecasts (导入水情表、外来预报).
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The file.
    file: PathBuf,
    /// Only show what it would bring.
    #[arg(long)]
    preview: bool,
    /// Station of a table that names none.
    #[arg(long)]
    station: Option<String>,
    /// Datum of stages that name none: dagu, national85.
    #[arg(long)]
    datum: Option<String>,
    /// Sheet of a workbook; absent: the first that is shown.
    #[arg(long)]
    sheet: Option<String>,
    /// ST_STBPRP_B, for tables of SL 323: the datum of each station.
    #[arg(long)]
    stations: Option<PathBuf>,
    /// The file holds forecasts or planned releases, CSV, XLSX or JSON (外来预报、调度计划).
    #[arg(long)]
    forecast: bool,
    /// Who issued forecasts that name none.
    #[arg(long, requires = "forecast")]
    source: Option<String>,
    /// When they were issued: 2026-07-15T07:00:00+08:00.
    #[arg(long, requires = "forecast")]
    issued: Option<DateTime<FixedOffset>>,
    /// What they are of: discharge, stage, rain, wind, release.
    #[arg(long, requires = "forecast")]
    variable: Option<String>,
    /// Their station or area.
    #[arg(long, requires = "forecast")]
    area: Option<String>,
    /// How many rows are left out; must be the number that the preview shows.
    #[arg(long, default_value_t = 0)]
    leave_out: usize,
    #[command(flatten)]
    place: SitePlace,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: Args) -> Outcome {
    wait_for(import(args))
}

async fn import(args: Args) -> Outcome {
    let (files, data) = args.place.read()?;
    let places = places(&files);
    if args.forecast {
        return import_forecasts(&args, &places, &data).await;
    }
    let mut ask = Ask { datum: args.datum, sheet: args.sheet, ..Ask::default() };
    if let Some(station) = &args.station {
        let known = places.of(station).ok_or_else(|| format!("no station {station} (没有该测站)"))?;
        ask.station = Some(known.to_owned());
    }
    let read = |path: &PathBuf| {
        std::fs::read(path).map_err(|cause| format!("无法读取 (cannot read) {}: {cause}", path.display()))
    };
    let mut notes = Vec::new();
    if let Some(path) = &args.stations {
        let table = sl323::stations(&Book::read(&read(path)?, None)?, &places)?;
        (ask.datums, notes) = (table.datums, table.notes);
    }
    let book = Book::read(&read(&args.file)?, ask.sheet.as_deref())?;
    // A running server has its own memory of the river: tables go in by its page then.
    let _directory = StoreDirectory::claim_existing(&data)?;
    let store = EmbeddedSeries::open(&series_file(&data), SeriesLimits::default()).await?;
    let mut found = preview(&book, &places, &ask, &store, wall_now()).await?;
    found.notes.extend(notes);
    let mut judge = files.sensors.judge();
    let judged: Vec<_> = found.readings.iter().flat_map(|reading| judge.judge(reading)).collect();
    found.notes.extend(doubted(&judged));
    show(&found, args.json);
    let outcome = if args.preview { Ok(()) } else { keep(&found, &judged, &store, args.leave_out).await };
    store.close().await;
    outcome
}

/// What the checks say of values that decisions may not rest on: the first of them by name, and how many there are.
fn doubted(judged: &[Observation]) -> Vec<String> {
    const SHOWN: usize = 5;
    let mut doubtful = judged.iter().filter(|seen| !seen.quality.is_usable()).peekable();
    if doubtful.peek().is_none() {
        return Vec::new();
    }
    let line = |seen: &Observation| {
        format!("  {} {} {} {}", seen.series, seen.at.to_rfc3339(), seen.value, seen.quality.causes.words().join("|"))
    };
    let all = doubtful.clone().count();
    let head = format!("质控：{all} 个值存入但不用于决策 (kept with a flag, no decision rests on them)");
    std::iter::once(head).chain(doubtful.take(SHOWN).map(line)).collect()
}

async fn keep(found: &Preview, judged: &[Observation], store: &EmbeddedSeries, leave_out: usize) -> Outcome {
    if found.rows_bad != leave_out {
        let words = "rows would be left out, nothing was imported; mend the file, or say";
        return Err(format!("{} {words} --leave-out {} (未导入)", found.rows_bad, found.rows_bad).into());
    }
    for part in judged.chunks(APPEND_MAX) {
        let _ = store.append(part).await?;
    }
    eprintln!("{} readings imported (已导入)", found.readings.len());
    Ok(())
}

async fn import_forecasts(args: &Args, places: &Places, data: &Path) -> Outcome {
    let word = |given: &Option<String>, known: bool, what: &str| match given {
        Some(word) if !known => Err(format!("unknown {what} {word} (不认识)")),
        _ => Ok(()),
    };
    let variable = args.variable.as_deref().and_then(forecasts::variable_of);
    let datum = args.datum.as_deref().and_then(datum_of);
    word(&args.variable, variable.is_some(), "variable")?;
    word(&args.datum, datum.is_some(), "datum")?;
    let ask = ForecastAsk {
        source: args.source.clone(),
        issued_at: args.issued.map(|at| at.to_utc()),
        variable,
        area: args.area.clone(),
        datum,
        sheet: args.sheet.clone(),
    };
    let bytes = std::fs::read(&args.file)
        .map_err(|cause| format!("无法读取 (cannot read) {}: {cause}", args.file.display()))?;
    let now = wall_now();
    let found = forecasts::read(&bytes, &ask, places, now)?;
    show_forecasts(&found, args.json);
    if !found.faults.is_empty() {
        return Err(format!("{} faults, nothing was imported (有误，未导入)", found.faults.len()).into());
    }
    if args.preview {
        return Ok(());
    }
    let _directory = StoreDirectory::claim_existing(data)?;
    let schema = [USERS_SCHEMA, JOURNAL_SCHEMA, ARRIVALS_SCHEMA];
    let database = Database::open(&state_file(data), &schema).await?;
    let name = args.file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let new = NewForecast { who: "command-line".into(), name, forecasts: found.forecasts };
    let kept = Arrivals::new(database.clone()).add_forecasts(&new, now).await;
    database.close().await;
    let fresh = kept?.iter().filter(|(_, is_new)| *is_new).count();
    eprintln!("{fresh} forecasts imported (已导入), {} known (已有)", new.forecasts.len() - fresh);
    Ok(())
}

fn show_forecasts(found: &ForecastFile, as_json: bool) {
    if as_json {
        let faults: Vec<_> = found
            .faults
            .iter()
            .map(|one| json!({ "place": one.place(), "field": one.field, "reason": one.reason }))
            .collect();
        println!(
            "{}",
            json!({ "kind": found.kind, "forecasts": found.forecasts, "faults": faults, "notes": found.notes })
        );
        return;
    }
    println!("{}: {} forecasts, {} faults (份、处有误)", found.kind, found.forecasts.len(), found.faults.len());
    for one in &found.forecasts {
        let (variable, unit, members) = (one.variable.as_str(), one.variable.unit(), one.members.len());
        println!("  {} {variable} {unit}, {}, issued {}, {members} members", one.area, one.source, one.issued_at);
    }
    found.notes.iter().for_each(|note| println!("  {note}"));
    for fault in &found.faults {
        println!("  {} {}: {}", fault.place(), fault.field, fault.reason);
    }
}

fn places(files: &SiteFiles) -> Places {
    let sensors = &files.sensors;
    let place = |station: &sl323::Sl323Station| Place {
        id: station.id.clone(),
        name_zh: station.name.clone(),
        name_en: station.name_en.clone(),
        code: station.code.clone(),
    };
    let targets: Targets = sensors
        .stations
        .iter()
        .flat_map(|station| sensors.series_of(&station.id))
        .filter_map(|id| sensors.series.get(id).map(|facts| (id, facts)))
        .map(|(id, facts)| (id.clone(), Target { unit: facts.unit.clone(), datum: facts.datum }))
        .collect();
    Places { stations: stations(sensors).stations.iter().map(place).collect(), targets }
}

fn show(found: &Preview, as_json: bool) {
    if as_json {
        println!("{}", crate::web::preview_shape(found));
        return;
    }
    println!(
        "{}: {} rows, {} taken, {} not, {} without a value; {} readings, {} known (行、可用、有误、无值、条数、已有)",
        found.kind,
        found.rows - found.rows_header,
        found.rows_ok,
        found.rows_bad,
        found.rows_without_value,
        found.readings.len(),
        found.known
    );
    for note in &found.notes {
        println!("  {note}");
    }
    for fault in found.faults.iter().take(PRINTED_MAX) {
        println!("  第 {} 行 {} 列 {}: {}", fault.row, fault.column, fault.header, fault.reason);
    }
    if found.faults.len() > PRINTED_MAX {
        println!("  … {} more (还有 {} 行)", found.faults.len() - PRINTED_MAX, found.faults.len() - PRINTED_MAX);
    }
}
