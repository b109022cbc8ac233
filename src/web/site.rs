//! The site: its posts, its users, and the routes.

use super::door::ScrapeToken;
use super::extract::BodyLimit;
use super::routes::{
    activations, alarms, amendments, cameras, demo, drills, drones, forecasts, hooks, imports, ingest, journal, map,
    people, preview, public, readings, reports, series, session, situation, sl323, tasks, twin,
};
use super::{Cameras, Hooks, Limits, Post, Problem, PublicReports, door, openapi, pages, stream};
use crate::command::Actor;
use crate::ingest::mqtt::Mqtt;
use crate::ingest::sensors::SeriesEntry;
use crate::ingest::sl323::Sl323Site;
use crate::ingest::sl651::Sl651;
use crate::model::Timestamp;
use crate::store::arrivals::Arrivals;
use crate::store::users::Users;
use crate::store::{Flights, OnceKey, Photos};
use axum::extract::{DefaultBodyLimit, OriginalUri};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::routing::{get, post};
use axum::{Extension, Router};
use serde_json::Value;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_http::set_header::SetResponseHeaderLayer;

/// Workers of open streams, so that a stop waits for them.
pub type Workers = TaskTracker;

/// What a director asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct DrillAsk {
    /// A flood of the library.
    pub flood: String,
    /// Where its clock begins; `None`: where the flood first approaches level IV.
    pub start: Option<Timestamp>,
    /// Seconds of the drill in a wall second.
    pub speed: f64,
    /// Seed of the virtual members.
    pub seed: u64,
}

/// What a director breaks, as it was sent.
#[derive(Debug, Clone, PartialEq)]
pub struct InjectAsk {
    /// The director.
    pub by: Actor,
    /// A target of the script grammar.
    pub target: String,
    /// A word of [`crate::model::FaultKind`].
    pub kind: String,
    /// Its size, in the unit of the kind.
    pub value: Option<f64>,
    /// Seconds after the start of the drill; `None`: now.
    pub at_s: Option<f64>,
    /// So many seconds; `None` to the end.
    pub for_s: Option<f64>,
}

/// Forms of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportFormat {
    /// A page.
    Html,
    /// A4 for the file.
    Pdf,
    /// One row a task.
    Csv,
    /// For a text file.
    Markdown,
}

impl ReportFormat {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Html, Self::Pdf, Self::Csv, Self::Markdown];
    /// The word of `?format=`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Pdf => "pdf",
            Self::Csv => "csv",
            Self::Markdown => "md",
        }
    }
    /// The form of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == word)
    }
    /// Its name in the drill's folder.
    pub fn file(self) -> &'static str {
        match self {
            Self::Html => "report.html",
            Self::Pdf => "report.pdf",
            Self::Csv => "report.csv",
            Self::Markdown => "report.md",
        }
    }
    /// Its media type.
    pub fn media(self) -> &'static str {
        match self {
            Self::Html => "text/html; charset=utf-8",
            Self::Pdf => "application/pdf",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Markdown => "text/markdown; charset=utf-8",
        }
    }
}

/// A written report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrillReport {
    /// Its form.
    pub format: ReportFormat,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// Drills as the API needs them; the drill room runs them.
#[async_trait::async_trait]
pub trait Drills: Send + Sync {
    /// The post of a drill.
    fn post(&self, id: &str) -> Option<Arc<Post>>;
    /// Floods that can be drilled: id, title, peak in m³/s, source note.
    fn floods(&self) -> Value;
    /// All drills, the newest first, those of earlier runs of the server included.
    fn list(&self) -> Value;
    /// One drill.
    fn get(&self, id: &str) -> Option<Value>;
    /// Starts one; gives its id.
    async fn start(&self, ask: DrillAsk) -> Result<String, Problem>;
    /// Pauses or goes on.
    fn pause(&self, id: &str, paused: bool) -> Result<(), Problem>;
    /// Changes the speed.
    fn speed(&self, id: &str, speed: f64) -> Result<(), Problem>;
    /// Ends it.
    fn stop(&self, id: &str) -> Result<(), Problem>;
    /// Breaks something in one that runs; the answer is kept under `once`.
    async fn inject(&self, id: &str, ask: InjectAsk, once: Option<OnceKey>) -> Result<(u16, String), Problem>;
    /// What was broken in one, with what followed.
    fn injects(&self, id: &str) -> Option<Value>;
    /// What can be broken in one.
    fn targets(&self, id: &str) -> Option<Value>;
    /// The report so far.
    fn report(&self, id: &str, format: ReportFormat) -> Result<DrillReport, Problem>;
}

/// Everything that handlers share.
pub struct Site {
    /// The live post.
    pub live: Arc<Post>,
    /// Drills.
    pub drills: Arc<dyn Drills>,
    /// Users and sessions.
    pub users: Users,
    /// Devices that push, and what was answered to them.
    pub arrivals: Arrivals,
    /// Stations with their codes, for tables in and out.
    pub stations: Sl323Site,
    /// What each series is and where it comes from.
    pub book: Vec<SeriesEntry>,
    /// Stations and brokers that speak by themselves.
    pub callers: Callers,
    /// The wall clock, for sessions only.
    pub wall: Box<dyn Fn() -> Timestamp + Send + Sync>,
    /// Photos of reports.
    pub photos: Photos,
    /// Tracks and missions of drones.
    pub flights: Flights,
    /// Cameras, and what they were asked.
    pub cameras: Arc<Cameras>,
    /// Webhooks of other systems, and when each was last heard.
    pub hooks: Arc<Hooks>,
    /// Reports of the public; absent: nobody from outside reports.
    pub public: Option<PublicReports>,
    /// What one caller may cost.
    pub limits: Limits,
    /// A demo: its accounts log in by link, and the second officer's link is offered on the screen.
    pub demo: bool,
    /// Text of the metrics.
    pub metrics: Box<dyn Fn() -> String + Send + Sync>,
    /// What a scraper on another machine shows; absent: only this machine, operators and auditors read the metrics.
    pub scrape_token: Option<ScrapeToken>,
    /// Cancelled when the server goes down.
    pub stop: CancellationToken,
    /// Open streams.
    pub workers: Workers,
}

/// What devices speak through by themselves; absent where the configuration has none.
#[derive(Clone, Default)]
pub struct Callers {
    /// Stations that report by SL 651.
    pub sl651: Option<Arc<Sl651>>,
    /// Brokers.
    pub mqtt: Option<Arc<Mqtt>>,
}

/// All routes, limits and headers.
pub fn router(site: Arc<Site>) -> Router {
    let limits = site.limits;
    let api = Router::new()
        .route("/session", get(session::me).post(session::login).delete(session::logout))
        .route("/setup", post(session::set_up))
        .route("/situation", get(situation::situation))
        .route("/stations", get(situation::stations))
        .route("/series", get(series::book))
        .route("/series/{id}/observations", get(situation::observations))
        .route("/series/{id}/amendments", post(amendments::amend))
        .route("/readings", post(readings::push))
        .route("/imports", get(imports::list).post(imports::send).layer(DefaultBodyLimit::max(imports::FORM_MAX)))
        .route("/imports/{id}", get(imports::get))
        .route("/imports/{id}/confirm", post(imports::confirm))
        .route(
            "/forecasts",
            get(forecasts::list).post(forecasts::send).layer(DefaultBodyLimit::max(forecasts::FORM_MAX)),
        )
        .route("/forecasts/{id}", get(forecasts::get))
        .route("/forecasts/{id}/withdraw", post(forecasts::withdraw))
        .route("/sl323/{table}", get(sl323::table))
        .route("/ingest", get(ingest::links))
        .route("/ingest/sl651/{address}/ask", post(ingest::ask))
        .route("/preview", post(preview::preview_discharge))
        .route("/preview/release", post(preview::preview_release))
        .route("/twin/now", get(twin::now))
        .route("/twin/runs", get(twin::list).post(twin::start))
        .route("/twin/runs/{id}", get(twin::get).delete(twin::cancel))
        .route("/activations", get(activations::list).post(activations::ask))
        .route("/activations/{id}", get(activations::get))
        .route("/activations/{id}/confirm", post(activations::confirm))
        .route("/activations/{id}/refuse", post(activations::refuse))
        .route("/activations/{id}/break-glass", post(activations::break_glass))
        .route("/releases", post(activations::sign))
        .route("/tasks", get(tasks::list))
        .route("/tasks/{id}/acknowledge", post(tasks::acknowledge))
        .route("/tasks/{id}/decline", post(tasks::decline))
        .route("/tasks/{id}/arrive", post(tasks::arrive))
        .route("/tasks/{id}/done", post(tasks::done))
        .route("/tasks/{id}/verify", post(tasks::verify))
        .route("/tasks/{id}/withdraw", post(tasks::withdraw))
        .route("/tasks/{id}/assign", post(tasks::assign))
        .route("/tasks/{id}/why", get(tasks::explain))
        .route("/tasks/{id}/deliveries", get(tasks::deliveries))
        .route("/why-not", get(tasks::why_not))
        .route("/reports", get(reports::list).post(reports::create).layer(DefaultBodyLimit::max(limits.report_bytes)))
        .route("/reports/{id}/photos", post(reports::add_photos).layer(DefaultBodyLimit::max(limits.report_bytes)))
        .route("/reports/{id}/seen", post(reports::seen))
        .route("/reports/{id}/settle", post(reports::settle))
        .route("/reports/{id}/adopt", post(reports::adopt))
        .route("/reports/{id}/reveal", post(reports::reveal))
        .route("/hooks/{source}", post(hooks::receive))
        .route(
            "/public/reports",
            get(public::about).post(public::report).layer(DefaultBodyLimit::max(public::FORM_MAX)),
        )
        .route("/photos/{id}", get(reports::photo))
        .route("/sos", post(reports::sos))
        .route("/orders", get(people::orders).post(people::order))
        .route("/notices", post(people::notice))
        .route("/mode", post(people::mode))
        .route("/members", get(people::members))
        .route("/members/{id}/reveal", post(people::reveal))
        .route("/grids", get(people::grids))
        .route("/depots", get(people::depots))
        .route("/duty", get(people::duty))
        .route("/evacuation", get(people::evacuation))
        .route("/alarms", get(alarms::list))
        .route("/alarms/{id}/acknowledge", post(alarms::acknowledge))
        .route("/alarms/{id}/shelve", post(alarms::shelve))
        .route("/cameras", get(cameras::list))
        .route("/cameras/shots", get(cameras::shots))
        .route("/cameras/{id}/snapshot", post(cameras::snapshot))
        .route("/map/{layer}", get(map::layer))
        .route("/drones", get(drones::list))
        .route("/drones/files", post(drones::upload).layer(DefaultBodyLimit::max(drones::UPLOAD_MAX)))
        .route("/drones/missions", post(drones::generate))
        .route("/drones/{id}", get(drones::download).delete(drones::remove))
        .route("/journal", get(journal::after))
        .route("/floods", get(drills::floods))
        .route("/drills", get(drills::list).post(drills::start))
        .route("/drills/{id}", get(drills::get))
        .route("/drills/{id}/report", get(drills::report))
        .route("/drills/{id}/inject", post(drills::inject))
        .route("/drills/{id}/injects", get(drills::injects))
        .route("/drills/{id}/targets", get(drills::targets))
        .route("/drills/{id}/pause", post(drills::pause))
        .route("/drills/{id}/speed", post(drills::speed))
        .route("/drills/{id}/stop", post(drills::stop))
        .route("/demo/links", get(demo::links))
        .route("/stream", get(stream::stream))
        .route("/openapi.json", get(openapi::document))
        .fallback(unknown)
        .method_not_allowed_fallback(other_method)
        .layer(DefaultBodyLimit::max(limits.body_bytes))
        .layer(Extension(BodyLimit(limits.body_bytes)));
    Router::new()
        .nest("/api/v1", api)
        .route("/healthz", get(door::healthz))
        .route("/readyz", get(door::readyz))
        .route("/metrics", get(door::metrics))
        .fallback(pages::page)
        .method_not_allowed_fallback(other_method)
        .layer(axum::middleware::from_fn_with_state(Arc::clone(&site), door::guard))
        .layer(fixed(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(fixed(header::REFERRER_POLICY, "no-referrer"))
        .layer(fixed(header::X_FRAME_OPTIONS, "DENY"))
        .layer(fixed(header::CONTENT_SECURITY_POLICY, POLICY))
        .layer(fixed(
            HeaderName::from_static("permissions-policy"),
            "geolocation=(self), camera=(self), microphone=(self)",
        ))
        .with_state(site)
}

/// Nothing from outside, and nothing inline: scripts, workers and styles are files of this server.
const POLICY: &str = "default-src 'self'; script-src 'self'; worker-src 'self'; style-src 'self'; \
                      img-src 'self' data: blob:; connect-src 'self'; object-src 'none'; base-uri 'none'; \
                      frame-ancestors 'none'; form-action 'self'";

fn fixed(name: HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
}

async fn other_method(method: axum::http::Method, OriginalUri(uri): OriginalUri) -> Problem {
    let words = format!("接口 {} 不接受 {method} ({method} is not taken here)", uri.path());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method", words)
}

async fn unknown(OriginalUri(uri): OriginalUri) -> Problem {
    Problem::not_found(format!("接口 {}", uri.path()))
}
