//! The OpenAPI document: every route with its verb, what it is for, and who may use it.
//!
//! The table below is the one list; a test holds it against the router, another keeps its snapshot.

use axum::Json;
use serde_json::{Map, Value, json};

/// Path, verb, summary.
pub(super) const ROUTES: &[(&str, &str, &str)] = &[
    ("/session", "get", "我是谁 / who am I"),
    ("/session", "post", "登录：口令或一次性链接 / log in with a password or a one-time link"),
    ("/session", "delete", "退出 / log out"),
    ("/setup", "post", "设置首个管理员 / make the first administrator"),
    ("/situation", "get", "总体态势 / level, mode, clock, gauges, counts"),
    ("/stations", "get", "测站与序列 / stations and their series"),
    (
        "/series",
        "get",
        "序列清单（station、format=csv） / every series: station, unit, datum, interval, sources, points, oldest, newest",
    ),
    ("/series/{id}/observations", "get", "观测过程 / observations, from, to, every"),
    (
        "/series/{id}/amendments",
        "post",
        "人工订正 {time, value?, verdict?: manual|suspect|bad, reason}，原值留存 / set or mark a value by hand",
    ),
    ("/readings", "post", "人工、程序、设备报数（Idempotency-Key；Prefer: handling=lenient） / push readings"),
    ("/imports", "get", "表格导入记录 / imports of tables"),
    (
        "/imports",
        "post",
        "导入预览：CSV 或 XLSX，表单 file、stations、station、datum、sheet / preview a table, as a form",
    ),
    ("/imports/{id}", "get", "一次导入 / one import"),
    ("/imports/{id}/confirm", "post", "确认导入 {leave_out} / store what was previewed, once"),
    ("/forecasts", "get", "外来预报与调度计划 / forecasts and releases from elsewhere, with age and use"),
    (
        "/forecasts",
        "post",
        "导入外来预报（CSV、XLSX、JSON；preview、expect、source、issued_at、variable、area、datum） / take a file in, whole or not at all",
    ),
    ("/forecasts/{id}", "get", "一份外来预报及其成员 / one forecast with its members"),
    ("/forecasts/{id}/withdraw", "post", "停用外来预报 {reason} / take a forecast out of use"),
    ("/sl323/{table}", "get", "SL 323 表（CSV，from、to） / ST_STBPRP_B, ST_RIVER_R, ST_PPTN_R, ST_RSVR_R as CSV"),
    ("/ingest", "get", "自报设备接入 / stations and brokers that speak by themselves: links, counts, dead letters"),
    (
        "/ingest/sl651/{address}/ask",
        "post",
        "招测与校时 / ask a station (37, 38, 39, 3A, 46, 51) or set its clock (4A)",
    ),
    ("/preview", "post", "预演，不发送任何消息 / what-if; sends nothing"),
    (
        "/preview/release",
        "post",
        "确认后将下发与收回的数目 / what a confirmation would send and take back; sends nothing",
    ),
    (
        "/twin/now",
        "get",
        "实时孪生：何处已进水、何时进水，依据与新旧 / the live twin: where water is or comes, its age and basis",
    ),
    ("/twin/runs", "get", "加密演算与集合，新的在前 / finer runs and spreads, the newest first"),
    (
        "/twin/runs",
        "post",
        "加密演算或集合（members），后台进行，重启后续算 / a finer run or a spread of the twin, in the background, taken up again after a restart",
    ),
    ("/twin/runs/{id}", "get", "加密演算的进度与结果 / progress and result of a finer run"),
    ("/twin/runs/{id}", "delete", "取消未结束的加密演算 / takes a run back that has not ended"),
    ("/activations", "get", "启动申请 / requests to put a level in force"),
    ("/activations", "post", "申请启动 / ask for a level"),
    ("/activations/{id}", "get", "一份申请 / one request"),
    ("/activations/{id}/confirm", "post", "第二人确认 / the second person agrees"),
    ("/activations/{id}/refuse", "post", "退回 / refuse"),
    ("/activations/{id}/break-glass", "post", "破窗启动 / go alone, flagged"),
    ("/releases", "post", "签发待下发指令 / sign drafts"),
    ("/tasks", "get", "任务清单 / tasks"),
    ("/tasks/{id}/acknowledge", "post", "收到 / acknowledge"),
    ("/tasks/{id}/decline", "post", "去不了 / cannot go"),
    ("/tasks/{id}/arrive", "post", "到达 / on site"),
    ("/tasks/{id}/done", "post", "完成 / done"),
    ("/tasks/{id}/verify", "post", "核查 / verify"),
    ("/tasks/{id}/withdraw", "post", "撤销 / take back"),
    ("/tasks/{id}/assign", "post", "改派他人 / name another person; {member, reason}"),
    ("/tasks/{id}/why", "get", "依据链 / chain of evidence"),
    ("/tasks/{id}/deliveries", "get", "送达记录 / attempts to reach people"),
    ("/why-not", "get", "为何未下发 / why a row has not fired"),
    ("/reports", "get", "现场回传 / reports from the field"),
    ("/reports", "post", "上报 / send a report, with photos as a form"),
    ("/reports/{id}/photos", "post", "报告补传照片 / photos of a report, as a form"),
    ("/reports/{id}/seen", "post", "指挥部已看 / headquarters has looked"),
    ("/reports/{id}/settle", "post", "险情结束 / settle a hazard"),
    ("/reports/{id}/reveal", "post", "查看报告中的号码，留痕 / a report with the numbers in its words, put down"),
    ("/reports/{id}/adopt", "post", "采信线索为险情 {type, grade, place} / a tip is a hazard"),
    ("/hooks/{source}", "post", "视频与 AI 事件（签名） / events of other systems, signed (Standard Webhooks)"),
    ("/public/reports", "get", "公众上报是否开启 / whether reports of the public are taken; 404 where not"),
    ("/public/reports", "post", "公众上报，须在配置中开启 / a report of the public, as a form; off unless configured"),
    ("/photos/{id}", "get", "照片 / a photo"),
    ("/sos", "post", "求救 / call for help"),
    ("/orders", "get", "生效命令 / orders in force"),
    ("/orders", "post", "下达或撤销命令 / give or lift an order"),
    ("/notices", "post", "一键推送 / message to members"),
    ("/mode", "post", "平急转换 / switch the working mode"),
    ("/members", "get", "网格员 / members, masked"),
    ("/members/{id}/reveal", "post", "查看姓名电话，留痕 / reveal, put down"),
    ("/grids", "get", "网格 / cells"),
    ("/depots", "get", "料场仓库 / depots"),
    ("/duty", "get", "值班表 / duty table"),
    ("/evacuation", "get", "迁安台账 / people to evacuate"),
    ("/alarms", "get", "告警 / alarms"),
    ("/alarms/{id}/acknowledge", "post", "确认告警 / take note"),
    ("/alarms/{id}/shelve", "post", "暂挂告警 / put aside"),
    ("/cameras", "get", "摄像机 / cameras, with the last try of each"),
    ("/cameras/shots", "get", "抓拍画面（alarm、camera） / pictures and failed tries"),
    ("/cameras/{id}/snapshot", "post", "抓拍一张 {reason} / one picture now"),
    ("/map/{layer}", "get", "图层 / a map layer as GeoJSON"),
    ("/drones", "get", "无人机航迹与航线 / tracks and missions of drones"),
    (
        "/drones/files",
        "post",
        "上传航迹或航线（name=文件名，正文为文件：geojson gpx plan kmz） / take a file in, as the body",
    ),
    (
        "/drones/missions",
        "post",
        "沿堤生成航线 {name, levee?, flight?}，答覆盖米数 / make a mission along the levee, with its coverage",
    ),
    ("/drones/{id}", "get", "下载（format=geojson|plan|kmz，sortie=n） / download, for maps or for the aircraft"),
    ("/drones/{id}", "delete", "删除 / remove"),
    ("/journal", "get", "日志 / facts with their hashes"),
    ("/floods", "get", "洪水库 / library of floods"),
    ("/drills", "get", "演练 / drills"),
    ("/drills", "post", "开始演练 / start a drill"),
    ("/drills/{id}", "get", "一次演练 / one drill"),
    ("/drills/{id}/report", "get", "演练报告（format=html|pdf|csv|md） / its report"),
    ("/drills/{id}/inject", "post", "导调注入 / break something in the drill"),
    ("/drills/{id}/injects", "get", "已注入及反应 / what was broken and what followed"),
    ("/drills/{id}/targets", "get", "可注入的对象 / what can be broken"),
    ("/drills/{id}/pause", "post", "暂停或继续 / pause or go on"),
    ("/drills/{id}/speed", "post", "倍速 / speed"),
    ("/drills/{id}/stop", "post", "结束演练 / stop"),
    ("/demo/links", "get", "演示账号链接，仅演示 / links into the other demo accounts; demo only, on its own machine"),
    ("/stream", "get", "事件流 / Server-Sent Events, Last-Event-ID replays"),
    ("/openapi.json", "get", "本文档 / this document"),
];

/// The document.
pub async fn document() -> Json<Value> {
    Json(openapi())
}

/// Made from the table: parameters from the braces of the path, problem documents for every error.
pub fn openapi() -> Value {
    let mut paths = Map::new();
    for (path, verb, summary) in ROUTES {
        let parameters: Vec<_> = path
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
            .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
            .collect();
        let mut operation = json!({
            "summary": summary, "parameters": parameters,
            "responses": {
                "2XX": { "description": "成功 (success)" },
                "default": { "description": "RFC 9457", "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } } },
            },
        });
        if *verb == "post" {
            operation["requestBody"] = json!({ "content": { "application/json": { "schema": { "type": "object" } } } });
        }
        let entry = paths.entry(format!("/api/v1{path}")).or_insert_with(|| json!({}));
        entry[*verb] = operation;
    }
    json!({
        "openapi": "3.1.0",
        "info": { "title": "Anlan 安澜", "version": env!("CARGO_PKG_VERSION"), "license": { "name": "Apache-2.0" } },
        "paths": paths,
        "components": {
            "securitySchemes": {
                "cookie": { "type": "apiKey", "in": "cookie", "name": "anlan_session" },
                "bearer": { "type": "http", "scheme": "bearer" },
            },
            "schemas": { "Problem": {
                "type": "object", "required": ["type", "title", "status", "detail", "id"],
                "properties": {
                    "type": { "type": "string" }, "title": { "type": "string" }, "status": { "type": "integer" },
                    "detail": { "type": "string" }, "field": { "type": ["string", "null"] }, "id": { "type": "string" },
                },
            } },
        },
        "security": [{ "cookie": [] }, { "bearer": [] }],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The router's own text is the other list.
    #[test]
    fn every_route_is_described_and_every_description_is_a_route() {
        let site = include_str!("site.rs");
        let routed: std::collections::BTreeSet<_> = site
            .split(".route(")
            .filter_map(|text| text.trim_start().strip_prefix("\"/"))
            .filter_map(|text| text.split('"').next())
            .map(|path| format!("/{path}"))
            .collect();
        let outside = ["/healthz", "/readyz", "/metrics"];
        let described: std::collections::BTreeSet<_> = ROUTES.iter().map(|(path, ..)| (*path).to_owned()).collect();
        let undescribed: Vec<_> =
            routed.iter().filter(|path| !described.contains(*path) && !outside.contains(&path.as_str())).collect();
        assert!(undescribed.is_empty(), "describe {undescribed:?}");
        let unrouted: Vec<_> = described.iter().filter(|path| !routed.contains(*path)).collect();
        assert!(unrouted.is_empty(), "no route for {unrouted:?}");
    }
}
