//! What one caller may cost the server; settings of the site.

/// Bounds on requests and streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest request body but for reports, bytes.
    pub body_bytes: usize,
    /// Largest report with all its photos, bytes.
    pub report_bytes: usize,
    /// Most event streams open at once; a further one is told to come back.
    pub streams: usize,
}
