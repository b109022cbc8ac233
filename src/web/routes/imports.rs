//! Tables from the duty office: sent, looked at, confirmed.
//!
//! In: a form with a CSV or XLSX file. Out: a preview under an id; nothing is stored. Confirmed by that id, exactly what was
//! previewed is stored, once, however often the confirmation is sent. Only the real river takes tables, a drill does not.

use super::readings::targets;
use crate::ingest::sheet::{Ask, Book, CellFault, FILE_MAX, Place, Places, Preview, Role, SheetError, preview};
use crate::ingest::sl323;
use crate::store::arrivals::{Import, NewImport};
use crate::web::{Body, Problem, Session, Site};
use axum::Json;
use axum::extract::{FromRequest, Multipart, Path, Request, State};
use axum::http::StatusCode;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Largest form: the file, the table of stations, and a little.
pub const FORM_MAX: usize = 2 * FILE_MAX + (64 << 10);
/// Most faults that an answer names; the counts are always whole.
const NAMED_MAX: usize = 500;
/// Most readings that an answer shows.
const SHOWN_MAX: usize = 20;
/// Longest name of a file that is kept, in characters.
const NAME_MAX: usize = 120;

/// The stations and series of the real river.
pub(super) fn places(site: &Site) -> Places {
    let station = |station: &sl323::Sl323Station| Place {
        id: station.id.clone(),
        name_zh: station.name.clone(),
        name_en: station.name_en.clone(),
        code: station.code.clone(),
    };
    Places { stations: site.stations.stations.iter().map(station).collect(), targets: targets(&site.live) }
}

#[derive(Default)]
struct Form {
    name: String,
    file: Option<Bytes>,
    stations: Option<Bytes>,
    ask: Ask,
}

async fn form_of(request: Request) -> Result<Form, Problem> {
    let mut parts =
        Multipart::from_request(request, &()).await.map_err(|fault| Problem::bad_field("body", fault.body_text()))?;
    let mut form = Form::default();
    while let Some(part) = parts.next_field().await? {
        let name = part.name().unwrap_or_default().to_owned();
        match name.as_str() {
            "file" => {
                form.name =
                    part.file_name().unwrap_or_default().chars().filter(|c| !c.is_control()).take(NAME_MAX).collect();
                form.file = Some(part.bytes().await?);
            }
            "stations" => form.stations = Some(part.bytes().await?),
            "station" => form.ask.station = Some(part.text().await?).filter(|text| !text.is_empty()),
            "datum" => form.ask.datum = Some(part.text().await?).filter(|text| !text.is_empty()),
            "sheet" => form.ask.sheet = Some(part.text().await?).filter(|text| !text.is_empty()),
            other => return Err(Problem::bad_field("body", format!("未知部分 {other:?} (unknown part)"))),
        }
    }
    Ok(form)
}

/// Reads a table and answers what it would bring; nothing is stored.
///
/// # Errors
/// Without the right, what is no table or too large, an unknown station.
pub async fn send(
    State(site): State<Arc<Site>>,
    session: Session,
    request: Request,
) -> Result<(StatusCode, Json<Value>), Problem> {
    session.may("import")?;
    let mut form = form_of(request).await?;
    let file =
        form.file.take().ok_or_else(|| Problem::bad_field("file", "缺少 file 部分 (the part `file` is missing)"))?;
    let post = &site.live;
    let places = places(&site);
    if let Some(station) = &form.ask.station {
        let id = places.of(station).map(str::to_owned);
        form.ask.station =
            Some(id.ok_or_else(|| Problem::bad_field("station", format!("未知测站 {station} (unknown)")))?);
    }
    let mut notes = Vec::new();
    if let Some(stations) = form.stations.take() {
        let book = read(stations, None).await?;
        let table = sl323::stations(&book, &places).map_err(|fault| Problem::bad_field("stations", fault))?;
        notes = table.notes;
        form.ask.datums = table.datums;
    }
    let hash = hex::encode(Sha256::digest(&file));
    let book = read(file, form.ask.sheet.clone()).await?;
    let now = post.engine.now();
    let mut found = preview(&book, &places, &form.ask, post.series.as_ref(), now).await?;
    found.notes.extend(notes);
    let before = site.arrivals.imported_before(&hash).await.map_err(|fault| Problem::internal(&fault))?;
    if let Some(before) = before {
        found.notes.push(format!("此文件已导入过：{before} (this very file was imported before)"));
    }
    let mut shape = shape(&found);
    shape["name"] = json!(form.name);
    let new = NewImport {
        who: session.actor.user.to_string(),
        name: form.name,
        file_hash: hash,
        summary: shape,
        left_out: found.rows_bad,
        readings: found.readings,
    };
    let id = site.arrivals.add_import(&new, now).await.map_err(|fault| Problem::internal(&fault))?;
    let kept = site.arrivals.import(&id).await.map_err(|fault| Problem::internal(&fault))?;
    let kept = kept.ok_or_else(|| Problem::not_found(format!("导入 {id}")))?;
    Ok((StatusCode::CREATED, Json(import_shape(&kept))))
}

/// Cutting a workbook into cells takes a while: not on the thread that answers others.
async fn read(bytes: Bytes, sheet: Option<String>) -> Result<Book, Problem> {
    let read = tokio::task::spawn_blocking(move || Book::read(&bytes, sheet.as_deref())).await;
    Ok(read.map_err(|fault| Problem::internal(&fault))??)
}

/// Imports, newest first.
///
/// # Errors
/// Without a login at headquarters.
pub async fn list(State(site): State<Arc<Site>>, session: Session) -> Result<Json<Value>, Problem> {
    session.at_headquarters()?;
    let imports = site.arrivals.imports().await.map_err(|fault| Problem::internal(&fault))?;
    let items: Vec<_> = imports.iter().map(import_shape).collect();
    Ok(Json(json!({ "items": items, "next": null })))
}

/// One import.
///
/// # Errors
/// When there is none of that id.
pub async fn get(
    State(site): State<Arc<Site>>,
    session: Session,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    session.at_headquarters()?;
    Ok(Json(import_shape(&known(&site, &id).await?)))
}

async fn known(site: &Site, id: &str) -> Result<Import, Problem> {
    let known = site.arrivals.import(id).await.map_err(|fault| Problem::internal(&fault))?;
    known.ok_or_else(|| Problem::not_found(format!("导入 {}", id.chars().take(40).collect::<String>())))
}

/// What the person has seen.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfirmBody {
    /// How many rows are left out; must be the number that the preview showed.
    #[serde(default)]
    leave_out: usize,
}

/// Stores what was previewed; once, however often it is sent.
///
/// # Errors
/// Without the right, when there is none of that id, when rows would be left out that nobody spoke of, or a store that fails.
pub async fn confirm(
    State(site): State<Arc<Site>>,
    session: Session,
    Path(id): Path<String>,
    Body(body): Body<ConfirmBody>,
) -> Result<Json<Value>, Problem> {
    session.may("import")?;
    let import = known(&site, &id).await?;
    if import.confirmed.is_none() {
        if body.leave_out != import.left_out {
            let words = format!(
                "有 {} 行不会导入；确认请写 leave_out: {} ({} rows are left out: say so)",
                import.left_out, import.left_out, import.left_out
            );
            return Err(Problem::bad_field("leave_out", words));
        }
        let readings = site.arrivals.import_readings(&id).await.map_err(|fault| Problem::internal(&fault))?;
        if !readings.is_empty() {
            let kept = site.live.intake.at("import").bring(readings).await?;
            if !kept.set_aside.is_empty() {
                tracing::warn!(
                    import = id,
                    values = kept.set_aside.len(),
                    "预览之后另有测值写入，导入的值另存备查 (values came in since the preview: those imported are set aside)"
                );
            }
        }
        let (who, now) = (session.actor.user.to_string(), site.live.engine.now());
        site.arrivals.confirm_import(&id, &who, now).await.map_err(|fault| Problem::internal(&fault))?;
        tracing::info!(import = id, user = who, left_out = import.left_out, "表格已导入 (a table was imported)");
    }
    Ok(Json(import_shape(&known(&site, &id).await?)))
}

/// A preview as screens and programs read it.
pub fn shape(found: &Preview) -> Value {
    let column = |column: &crate::ingest::sheet::Column| {
        let (role, series) = match &column.role {
            Role::Time => ("time", None),
            Role::Station => ("station", None),
            Role::Quantity => ("quantity", None),
            Role::Value => ("value", None),
            Role::Unit => ("unit", None),
            Role::Datum => ("datum", None),
            Role::Series(series) => ("series", Some(series)),
            Role::Remark => ("remark", None),
            Role::Unknown => ("unknown", None),
        };
        json!({
            "column": column.letter, "header": column.header, "role": role,
            "station": series.and_then(|series| series.station.as_ref()), "quantity": series.map(|series| &series.quantity),
            "unit": series.and_then(|series| series.unit.as_ref()), "datum": series.and_then(|series| series.datum.as_ref()),
        })
    };
    let fault = |fault: &CellFault| json!({ "row": fault.row, "column": fault.column, "header": fault.header, "reason": fault.reason });
    let mut by_series: BTreeMap<&str, (usize, _, _)> = BTreeMap::new();
    for reading in &found.readings {
        let at = reading.observed_at;
        let span = by_series.entry(reading.series.as_str()).or_insert((0, at, at));
        *span = (span.0 + 1, span.1.min(at), span.2.max(at));
    }
    let series = by_series.into_iter();
    let series: Vec<_> =
        series.map(|(id, (count, from, to))| json!({ "series": id, "count": count, "from": from, "to": to })).collect();
    let first = found.readings.iter().take(SHOWN_MAX);
    let first: Vec<_> =
        first.map(|one| json!({ "series": one.series, "time": one.observed_at, "value": one.value })).collect();
    json!({
        "kind": found.kind, "header_row": found.header_row, "zone": "Asia/Shanghai",
        "columns": found.columns.iter().map(column).collect::<Vec<_>>(),
        "rows": found.rows, "rows_header": found.rows_header, "rows_ok": found.rows_ok, "rows_bad": found.rows_bad,
        "rows_without_value": found.rows_without_value, "cells_without_value": found.cells_without_value,
        "readings": found.readings.len(), "known": found.known, "series": series, "first": first,
        "faults": found.faults.iter().take(NAMED_MAX).map(fault).collect::<Vec<_>>(), "notes": found.notes,
    })
}

fn import_shape(import: &Import) -> Value {
    json!({
        "id": import.id, "name": import.name, "by": import.who, "at": import.at,
        "state": if import.confirmed.is_some() { "confirmed" } else { "previewed" },
        "confirmed_by": import.confirmed.as_ref().map(|(who, _)| who),
        "confirmed_at": import.confirmed.as_ref().map(|(_, at)| at),
        "preview": import.summary,
    })
}

impl From<SheetError> for Problem {
    fn from(fault: SheetError) -> Self {
        match fault {
            SheetError::TooLarge | SheetError::Unpacked => Self::too_large(fault.to_string()),
            SheetError::NoSheet(_) => Self::bad_field("sheet", fault.to_string()),
            _ => Self::bad_field("file", fault.to_string()),
        }
    }
}
