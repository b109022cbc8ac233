//! Many stations, one commit: readings that arrive while the store writes go down together in the next write.

use super::Sink;
use crate::model::Reading;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Messages that may wait for the store; further ones wait at their connection, and with it their station.
const WAITING: usize = 4096;
/// Readings of one write, about; the store takes 200,000.
const READINGS_AT_ONCE: usize = 50_000;
/// Readings of one message; one with more has been made to hurt.
pub(super) const READINGS_OF_ONE: usize = 20_000;

struct Job {
    readings: Vec<Reading>,
    done: oneshot::Sender<bool>,
}

/// The way to the store.
#[derive(Clone)]
pub(super) struct Gather {
    jobs: mpsc::Sender<Job>,
}

/// A message on its way.
pub(super) struct Submitted(Option<oneshot::Receiver<bool>>);

impl Submitted {
    /// Waits until it is durable; false when it is not and the station must send it again.
    pub(super) async fn kept(self) -> bool {
        match self.0 {
            None => true,
            Some(done) => done.await.unwrap_or(false),
        }
    }
}

impl Gather {
    pub(super) fn start(sink: Arc<dyn Sink>, stop: CancellationToken) -> (Self, JoinHandle<()>) {
        let (jobs, inbox) = mpsc::channel(WAITING);
        (Self { jobs }, tokio::spawn(write(sink, inbox, stop)))
    }

    /// Hands readings on; waits while the queue is full.
    pub(super) async fn submit(&self, readings: Vec<Reading>) -> Submitted {
        if readings.is_empty() {
            return Submitted(None);
        }
        let (done, answer) = oneshot::channel();
        // A closed queue drops the job, and with it `done`: the answer is then "not kept".
        let _ = self.jobs.send(Job { readings, done }).await;
        Submitted(Some(answer))
    }
}

async fn write(sink: Arc<dyn Sink>, mut inbox: mpsc::Receiver<Job>, stop: CancellationToken) {
    let mut jobs = Vec::new();
    loop {
        let count = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            count = inbox.recv_many(&mut jobs, WAITING) => count,
        };
        if count == 0 {
            return;
        }
        let mut waiting = jobs.drain(..).peekable();
        while waiting.peek().is_some() {
            let (mut readings, mut told) = (Vec::new(), Vec::new());
            while readings.len() < READINGS_AT_ONCE
                && let Some(job) = waiting.next()
            {
                readings.extend(job.readings);
                told.push(job.done);
            }
            let outcome = sink.keep(readings).await;
            if let Err(fault) = &outcome {
                tracing::error!(
                    fault = fault as &dyn std::error::Error,
                    messages = told.len(),
                    "遥测报文未落盘，不予应答 (reports are not durable and not acknowledged)"
                );
            }
            for done in told {
                // A connection that has gone away does not change what is durable.
                let _ = done.send(outcome.is_ok());
            }
        }
    }
}
