//! Looks after alarms that want a picture: a few cameras at a time, and never in the way of anything else.

use crate::model::Timestamp;
use crate::store::{Clock, Engine};
use crate::web::Cameras;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Alarms that are looked after at once; further ones wait their turn.
const AT_ONCE: usize = 4;
/// And looked for at least so often, for a feed that ran ahead of us.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Until `stop`: every alarm of a hazard, a call for help or the stones gets its picture, or the words why not.
pub async fn watch(cameras: Arc<Cameras>, engine: Engine, clock: Clock, stop: CancellationToken) {
    if let Err(fault) = cameras.remember(Timestamp::MIN_UTC).await {
        tracing::error!(
            fault = &fault as &dyn std::error::Error,
            "抓拍记录不可读 (the record of pictures is unreadable)"
        );
    }
    let mut feed = engine.feed();
    let seats = Arc::new(Semaphore::new(AT_ONCE));
    let mut going = JoinSet::new();
    loop {
        let due = cameras.due(&engine.state(), &engine.core().reach);
        for wanted in due {
            let (cameras, clock, seats) = (Arc::clone(&cameras), Arc::clone(&clock), Arc::clone(&seats));
            going.spawn(async move {
                let Ok(_seat) = seats.acquire().await else { return };
                if let Err(fault) = cameras.shoot_for(&wanted, || clock()).await {
                    let alarm = &wanted.alarm.0;
                    tracing::error!(
                        fault = &fault as &dyn std::error::Error,
                        alarm,
                        "抓拍未记录 (a picture was not kept)"
                    );
                }
            });
        }
        tokio::select! {
            () = stop.cancelled() => return,
            Some(_) = going.join_next() => {}
            news = feed.recv() => if let Err(RecvError::Closed) = news { return },
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}
