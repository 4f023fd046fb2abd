//! What is reached over HTTP: the sync endpoint, health, stored texts, tables of authors, static files.

use crate::config::{Config, TextApi};
use crate::document;
use crate::server::Relay;
use crate::store::{DocumentName, StoreError};
use axum::Router;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HOST, ORIGIN, X_CONTENT_TYPE_OPTIONS};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::sync::Arc;
use tower_http::services::ServeDir;
use tower_http::set_header::SetResponseHeaderLayer;

/// Where clients connect.
pub const SYNC_PATH: &str = "/v1/sync";

/// The last batch that a stored text holds, or a table of authors covers, in its response.
pub const HEAD_HEADER: HeaderName = HeaderName::from_static("document-head");

/// All routes.
pub fn router(relay: &Arc<Relay>) -> Router {
    let router = Router::new()
        .route(SYNC_PATH, get(sync))
        .route("/healthz", get(health))
        .route("/v1/documents/{name}/text", get(text))
        .route("/v1/documents/{name}/authors", get(authors));
    let router = match &relay.config().site {
        Some(folder) => router.fallback_service(ServeDir::new(folder)),
        None => router.fallback(no_site),
    };
    router
        .layer(SetResponseHeaderLayer::if_not_present(CACHE_CONTROL, HeaderValue::from_static("no-cache")))
        .layer(SetResponseHeaderLayer::if_not_present(
            X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ))
        .with_state(relay.clone())
}

async fn no_site() -> Response {
    let text = format!("Clients connect to {SYNC_PATH}. There are no pages here: see --site.\n");
    (StatusCode::NOT_FOUND, text).into_response()
}

async fn health(State(relay): State<Arc<Relay>>) -> Response {
    if relay.is_stopping() {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping\n").into_response();
    }
    "ok\n".into_response()
}

async fn sync(State(relay): State<Arc<Relay>>, headers: HeaderMap, upgrade: WebSocketUpgrade) -> Response {
    if !origin_is_allowed(&headers, &relay.config().allow_origin) {
        tracing::info!(origin = ?headers.get(ORIGIN), "refused a connection from a page of another origin");
        return (StatusCode::FORBIDDEN, "this origin is not allowed to connect: see --allow-origin\n")
            .into_response();
    }
    relay.accept(upgrade)
}

async fn text(State(relay): State<Arc<Relay>>, headers: HeaderMap, Path(name): Path<String>) -> Response {
    if !serves_stored(relay.config(), &headers) {
        return (StatusCode::FORBIDDEN, "stored texts are not served here: see --text-api\n").into_response();
    }
    let name = DocumentName::from(name);
    let loaded = match relay.store().find(&name).await {
        Ok(None) => return no_such_document(),
        Ok(Some(stored)) => document::load_off_thread(name.clone(), stored).await,
        Err(error) => Err(error),
    };
    match loaded {
        Ok(loaded) => {
            let headers = stored_headers("text/plain; charset=utf-8", loaded.epoch, loaded.head);
            (headers, loaded.doc.text()).into_response()
        }
        Err(error) => {
            tracing::error!(%error, document = %name, "a stored text could not be read");
            (unreadable(&error), "the document cannot be read\n").into_response()
        }
    }
}

/// Who sent the operations of a document and when, as `crdt_core::Authors` encodes it.
async fn authors(State(relay): State<Arc<Relay>>, headers: HeaderMap, Path(name): Path<String>) -> Response {
    if !serves_stored(relay.config(), &headers) {
        return (StatusCode::FORBIDDEN, "tables of authors are not served here: see --text-api\n")
            .into_response();
    }
    let name = DocumentName::from(name);
    let encoded = match relay.store().authors(&name).await {
        Ok(None) => return no_such_document(),
        Ok(Some(stored)) => {
            let headers = stored_headers("application/octet-stream", stored.epoch, stored.head);
            let bytes = document::encode_authors_off_thread(name.clone(), stored).await;
            bytes.map(|bytes| (headers, bytes))
        }
        Err(error) => Err(error),
    };
    match encoded {
        Ok(answer) => answer.into_response(),
        Err(error) => {
            tracing::error!(%error, document = %name, "a table of authors could not be read");
            (unreadable(&error), "the authors of the document cannot be read\n").into_response()
        }
    }
}

/// Whether this request may read what is stored of documents.
fn serves_stored(config: &Config, headers: &HeaderMap) -> bool {
    match config.text_api {
        TextApi::On => true,
        TextApi::Off => false,
        TextApi::Auto => config.listen.ip().is_loopback() && names_loopback(headers),
    }
}

fn no_such_document() -> Response {
    (StatusCode::NOT_FOUND, "there is no such document\n").into_response()
}

fn stored_headers(content_type: &'static str, epoch: u64, head: u64) -> [(HeaderName, String); 3] {
    let etag = format!("\"{epoch:x}-{head}\"");
    [(CONTENT_TYPE, content_type.to_owned()), (ETAG, etag), (HEAD_HEADER, head.to_string())]
}

fn unreadable(error: &StoreError) -> StatusCode {
    match error {
        StoreError::Corrupt { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// Whether a page of this origin may connect.
///
/// Browsers let any page open a WebSocket anywhere, with the user's cookies and from the user's
/// network, and say in `Origin` which page it is. Programs other than browsers send none.
fn origin_is_allowed(headers: &HeaderMap, allowed: &[String]) -> bool {
    let Some(origin) = headers.get(ORIGIN) else { return true };
    let Ok(origin) = origin.to_str() else { return false };
    if allowed.iter().any(|allowed| allowed == "*" || allowed.trim_end_matches('/') == origin) {
        return true;
    }
    let own = origin.parse::<Uri>().ok().and_then(|uri| uri.into_parts().authority);
    matches!((own, host(headers)), (Some(own), Some(host)) if own == host)
}

fn host(headers: &HeaderMap) -> Option<Authority> {
    headers.get(HOST)?.to_str().ok()?.parse().ok()
}

/// Whether the request was addressed to a loopback name: a page of another host that was made to
/// point here (DNS rebinding) was not.
fn names_loopback(headers: &HeaderMap) -> bool {
    host(headers).is_some_and(|host| {
        let name = host.host().trim_start_matches('[').trim_end_matches(']');
        name.eq_ignore_ascii_case("localhost")
            || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(HeaderName, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn pages_of_this_host_and_programs_may_connect_other_pages_only_if_listed() {
        let own = headers(&[(HOST, "relay.example:8787"), (ORIGIN, "http://relay.example:8787")]);
        let other_port = headers(&[(HOST, "relay.example:8787"), (ORIGIN, "http://relay.example:5173")]);
        let program = headers(&[(HOST, "relay.example:8787")]);
        let opaque = headers(&[(HOST, "relay.example:8787"), (ORIGIN, "null")]);
        assert!(origin_is_allowed(&own, &[]));
        assert!(origin_is_allowed(&program, &[]));
        assert!(!origin_is_allowed(&other_port, &[]));
        assert!(!origin_is_allowed(&opaque, &[]));
        assert!(origin_is_allowed(&other_port, &["http://relay.example:5173".into()]));
        assert!(origin_is_allowed(&opaque, &["*".into()]));
    }

    #[test]
    fn only_loopback_names_count_as_loopback() {
        for name in ["localhost", "LOCALHOST:8787", "127.0.0.1:8787", "[::1]:8787"] {
            assert!(names_loopback(&headers(&[(HOST, name)])), "{name}");
        }
        for name in ["evil.example", "127.0.0.1.evil.example", "10.0.0.1"] {
            assert!(!names_loopback(&headers(&[(HOST, name)])), "{name}");
        }
        assert!(!names_loopback(&HeaderMap::new()));
    }
}
