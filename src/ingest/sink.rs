//! Where devices that speak by themselves leave their readings, and when they may be told so.

use super::{Intake, IntakeError};
use crate::model::Reading;
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
        self.take(readings).await.map(|_kept| ())
    }
}
