//! The report of `anlan twin verify` as one JSON object.

use super::{NOTE_EN, Played, ROLE_EN, Report, count, gained_h, of, totals};
use crate::forecast::verify::events::{Alert, AlertEvents, Crossing, EventCount};
use crate::forecast::verify::standard::{GRADES, Judged, LEAST_H, LEAST_SHARE, SHARE_OF_CHANGE, SHARE_OF_TIME};
use crate::forecast::verify::{CrestSkill, LEADS_H, LeadSkill, THRESHOLDS_M3S, Verification, WARN_FROM, Warnings};
use crate::model::Timestamp;
use serde_json::{Value, json};

pub(super) fn of_report(report: &Report) -> Value {
    let ids = |floods: &[Played]| floods.iter().map(|one| one.id.clone()).collect::<Vec<_>>();
    let alerts = report.alerts.iter().enumerate().map(|(at, alert)| total(report, at, alert));
    json!({
        "band": report.settings.ensemble.as_ref().map(|ensemble| ensemble.band),
        "note": NOTE_EN,
        "role_note": ROLE_EN,
        "validity": report.settings.validity,
        "reconstructed": true,
        "with_upstream": ids(&report.forecast),
        "without_upstream": ids(&report.unforecast),
        "standard": {
            "source": "GB/T 22482-2008, section 6.5, by secondary sources",
            "share_of_change": SHARE_OF_CHANGE, "least_share": LEAST_SHARE,
            "share_of_time": SHARE_OF_TIME, "least_h": LEAST_H, "grades": GRADES,
        },
        "members_from": WARN_FROM,
        "playbook_asks_members": report.asks_members,
        "alerts": alerts.collect::<Vec<_>>(),
        "total": totals(&report.forecast).iter().zip(LEADS_H).map(|((plain, still), hours)| total_of(hours, plain, still)).collect::<Vec<_>>(),
        "floods": report.forecast.iter().map(|one| forecast(report, one)).collect::<Vec<_>>(),
        "floods_without_upstream": report.unforecast.iter().map(|one| unforecast(report, one)).collect::<Vec<_>>(),
    })
}

/// A threshold over all floods that were forecast.
fn total(report: &Report, at: usize, alert: &Alert) -> Value {
    let [plain, members] = count(&report.forecast, at);
    let source = |count: EventCount, source: usize| {
        json!({
            "hits": count.hits, "misses": count.misses, "false_warnings": count.false_warnings,
            "pod": of(count.pod()), "far": of(count.far()), "csi": of(count.csi()),
            "gained_h": gained_h(&report.forecast, at, source).map(|(least, most)| [least, most]),
        })
    };
    json!({
        "alert": alert.name_en, "alert_zh": alert.name_zh, "at_least_m3s": alert.at_least_m3s,
        "foreseen_from_m3s": alert.foreseen_from_m3s, "within_h": alert.within_h, "tolerance_h": alert.tolerance_h(),
        "clear_m3s": alert.clear_m3s, "plain": source(plain, 0), "members": source(members, 1),
    })
}

fn forecast(report: &Report, one: &Played) -> Value {
    let Verification { leads, warnings, crest, .. } = &one.told;
    let leads: Vec<Value> = LEADS_H.iter().zip(leads).map(|(hours, lead)| lead_of(*hours, lead)).collect();
    let cells = THRESHOLDS_M3S.iter().zip(warnings).flat_map(|(threshold, row)| {
        LEADS_H.iter().zip(row).map(move |(hours, [plain, members])| {
            json!({ "threshold_m3s": threshold, "lead_h": hours, "plain": hourly(plain), "members": hourly(members) })
        })
    });
    json!({
        "flood": one.id, "role": one.role.1, "leads": leads, "warnings": cells.collect::<Vec<_>>(),
        "events": events_of(report, one), "crest": crest.iter().map(crest_of).collect::<Vec<_>>(),
    })
}

/// All floods at one lead. DC is one flood's: over several it would judge their heights.
fn total_of(hours: usize, plain: &Judged, still: &Judged) -> Value {
    let of = |one: &Judged| {
        json!({
            "count": one.count, "qualified": one.qualified, "mean_error_m3s": one.error_m3s(), "rate": one.rate(),
            "rate_grade": one.rate_grade(),
        })
    };
    json!({ "lead_h": hours, "plain": of(plain), "still": of(still) })
}

fn unforecast(report: &Report, one: &Played) -> Value {
    let leads = LEADS_H.iter().zip(&one.told.leads);
    let leads: Vec<Value> =
        leads.map(|(hours, lead)| json!({ "lead_h": hours, "still": judged(&lead.still) })).collect();
    json!({ "flood": one.id, "role": one.role.1, "leads": leads, "events": events_of(report, one) })
}

fn lead_of(hours: usize, lead: &LeadSkill) -> Value {
    json!({
        "lead_h": hours,
        "count": lead.plain.count,
        "bias_m3s": lead.plain.bias_m3s(),
        "mean_error_m3s": lead.plain.error_m3s(),
        "standing_still_m3s": lead.still.error_m3s(),
        "crps_m3s": lead.crps_m3s(),
        "coverage": lead.band.coverage(),
        "plain": judged(&lead.plain),
        "still": judged(&lead.still),
    })
}

fn judged(one: &Judged) -> Value {
    json!({
        "count": one.count, "qualified": one.qualified, "mean_error_m3s": one.error_m3s(), "rate": one.rate(),
        "rate_grade": one.rate_grade(), "dc": one.dc(), "dc_grade": one.dc_grade(),
    })
}

fn hourly(one: &Warnings) -> Value {
    json!({ "hits": one.hits, "misses": one.misses, "false_alarms": one.false_alarms, "quiet": one.quiet })
}

fn crest_of(crest: &CrestSkill) -> Value {
    json!({
        "before_h": crest.before_h, "error": crest.error, "late_h": crest.late_h, "inside": crest.inside,
        "height_qualified": crest.height_qualified, "hour_qualified": crest.hour_qualified,
    })
}

fn events_of(report: &Report, one: &Played) -> Vec<Value> {
    let by_alert = report.alerts.iter().zip(&one.told.events);
    by_alert.map(|(alert, events)| of_alert(alert, events)).collect()
}

fn of_alert(alert: &Alert, events: &AlertEvents) -> Value {
    let times = |list: &[Timestamp]| list.iter().map(|at| at.to_rfc3339()).collect::<Vec<_>>();
    let [false_plain, false_members] = &events.false_warnings;
    let [open_plain, open_members] = &events.open;
    json!({
        "alert": alert.name_en, "at_least_m3s": alert.at_least_m3s,
        "crossings": events.crossings.iter().map(crossing).collect::<Vec<_>>(),
        "false_warnings": { "plain": times(false_plain), "members": times(false_members) },
        "open_warnings": { "plain": times(open_plain), "members": times(open_members) },
    })
}

fn crossing(one: &Crossing) -> Value {
    let [plain, members] = one.gained.map(|gained| {
        gained.map(
            |gained| json!({ "first_h": gained.first_h, "unbroken_h": gained.unbroken_h, "at_least": gained.at_least }),
        )
    });
    json!({ "at": one.at.to_rfc3339(), "forecasts": one.forecasts, "gained": { "plain": plain, "members": members } })
}
