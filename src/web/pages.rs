//! The pages inside the binary: one app for every page route, its assets, its service worker.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "$OUT_DIR/web"]
struct Pages;

/// Pages that the app knows; anything else is answered by its own not-found page with status 404.
const ROUTES: [&str; 7] = ["hq", "patrol", "drill", "login", "setup", "duty", "public"];

/// A file that pages need to look right: scripts, styles, icons, the service worker; never a page itself.
pub(super) fn is_asset(path: &str) -> bool {
    let name = path.trim_start_matches('/');
    name != "index.html" && Pages::get(name).is_some()
}

/// A file of the build, or the app itself for a page route.
pub async fn page(uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    if path.is_empty() {
        return axum::response::Redirect::temporary("/hq").into_response();
    }
    if let Some(response) = file(path, &headers) {
        return response;
    }
    let first = path.split('/').next().unwrap_or_default();
    let status = if ROUTES.contains(&first) { StatusCode::OK } else { StatusCode::NOT_FOUND };
    let Some(mut response) = file("index.html", &headers) else {
        return (StatusCode::NOT_FOUND, "页面不在程序中 (the pages are not in this binary)").into_response();
    };
    *response.status_mut() = status;
    response
}

fn file(path: &str, headers: &HeaderMap) -> Option<Response> {
    let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let packed = [("br", "br"), ("gzip", "gz")].into_iter().find_map(|(coding, ending)| {
        let wanted = accepted.split(',').any(|part| part.split(';').next().map(str::trim) == Some(coding));
        let found = wanted.then(|| Pages::get(&format!("{path}.{ending}"))).flatten()?;
        Some((coding, found))
    });
    let (coding, found) = match packed {
        Some((coding, found)) => (Some(coding), found),
        None => (None, Pages::get(path)?),
    };
    let mut response = Response::new(Body::from(found.data));
    let out = response.headers_mut();
    out.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type(path)));
    out.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    let hashed = path.starts_with("assets/");
    let cache = if hashed { "public, max-age=31536000, immutable" } else { "no-cache" };
    out.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    if let Some(coding) = coding {
        out.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
    }
    if path == "sw.js" {
        out.insert("service-worker-allowed", HeaderValue::from_static("/"));
    }
    Some(response)
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "woff2" => "font/woff2",
        "wasm" => "application/wasm",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_build_but_the_page_is_an_asset() {
        let files: Vec<_> = Pages::iter().filter(|name| !name.starts_with("index.html")).collect();
        assert!(files.iter().all(|name| is_asset(&format!("/{name}"))), "{files:?}");
        for page in ["/", "/index.html", "/hq", "/favicon.svg", "/icons/a.png", "/assets/", "/../Cargo.toml"] {
            assert!(!is_asset(page), "{page}");
        }
    }
}
