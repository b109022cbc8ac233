//! Where devices that speak by themselves leave their readings, and when they may be told so.

use super::{Intake, IntakeError};
use crate::model::Reading;
use crate::store::series::SeriesError;
use async_trait::async_trait;

/// Where readings go; the answer comes when they are durable.
#[async_trait]
pub trait Sink: Send + Sync {
    /// Keeps readings, all or none; what contradicts a stored value counts as kept when it is written down apart.
    ///
    /// # Errors
    /// When they are not durable; the senders will send them again.
    async fn keep(&self, readings: Vec<Reading>) -> Result<(), IntakeError>;
}

#[async_trait]
impl Sink for Intake {
    async fn keep(&self, readings: Vec<Reading>) -> Result<(), IntakeError> {
        match self.take(readings).await {
            // Counted and alarmed; sent again it would find no room either, and hold up everything behind it.
            Err(IntakeError::Store(SeriesError::TooManySeries { .. })) => Ok(()),
            other => other.map(|_kept| ()),
        }
    }
}
