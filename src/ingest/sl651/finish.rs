//! Makes messages durable and gives back what may then be answered, in the order of the frames.

use super::super::shelf::Shelf;
use super::codec::{Frame, Received, StationAddress};
use super::desk::{Desk, Keep, Step};
use super::drawer::Drawer;
use super::gather::{Gather, Submitted};
use super::station::{Peer, Route};
use crate::store::{PhotoError, Photos};
use serde_json::Value;
use std::sync::Arc;

/// Where the parts of a message go.
pub(super) struct Finish {
    pub(super) desk: Arc<Desk>,
    pub(super) gather: Gather,
    pub(super) shelf: Shelf,
    pub(super) photos: Photos,
}

/// A message on its way to the disk.
struct UnderWay {
    keep: Keep,
    submitted: Submitted,
    /// Whether its lines and pictures are on disk.
    rest_kept: bool,
}

enum Outcome {
    Ready(Vec<Frame>),
    UnderWay(Box<UnderWay>),
}

impl Finish {
    /// Looks at frames of one peer and gives the answers once everything they answer is durable.
    ///
    /// All messages are handed to the store before the first is waited for, so that they share a write.
    pub(super) async fn work(
        &self,
        frames: Vec<Received>,
        peer: Peer,
        route: impl Fn() -> Route,
    ) -> Vec<(StationAddress, Frame)> {
        let mut outcomes = Vec::with_capacity(frames.len());
        for received in frames {
            match self.desk.receive(received, peer, &route) {
                Step::Done => {}
                Step::Answer(frames) => outcomes.push(Outcome::Ready(frames)),
                Step::SetAside(line) => self.set_aside(line).await,
                Step::Keep(keep) => outcomes.push(Outcome::UnderWay(Box::new(self.begin(*keep).await))),
            }
        }
        let mut answers = Vec::new();
        for outcome in outcomes {
            let frames = match outcome {
                Outcome::Ready(frames) => frames,
                Outcome::UnderWay(under_way) => self.end(*under_way).await,
            };
            answers.extend(frames.into_iter().map(|frame| (frame.station, frame)));
        }
        answers
    }

    async fn set_aside(&self, line: Value) {
        if !self.shelf.keep_if_room(Drawer::SetAside.name(), line).await {
            self.desk.counts().set_aside_lost.one();
        }
    }

    async fn begin(&self, mut keep: Keep) -> UnderWay {
        let readings = std::mem::take(&mut keep.readings);
        self.desk.counts().readings.add(readings.len() as u64);
        let submitted = self.gather.submit(readings).await;
        let rest_kept = self.keep_rest(&mut keep).await;
        UnderWay { keep, submitted, rest_kept }
    }

    /// Pictures first, then the lines that name them.
    async fn keep_rest(&self, keep: &mut Keep) -> bool {
        for (bytes, about) in std::mem::take(&mut keep.pictures) {
            let line = match self.photos.keep(&bytes).await {
                Ok(id) => {
                    self.desk.counts().pictures.one();
                    (Drawer::Pictures, with(about, "photo", id))
                }
                // What is no picture will be none when it is sent again: it is kept as bytes and acknowledged.
                Err(PhotoError::NotAPicture) => (Drawer::SetAside, with(about, "not_a_picture", hex::encode(bytes))),
                Err(fault) => {
                    tracing::error!(fault = &fault as &dyn std::error::Error, "图片未落盘 (a picture is not durable)");
                    return false;
                }
            };
            keep.lines.push(line);
        }
        for (drawer, line) in std::mem::take(&mut keep.lines) {
            if !self.shelf.keep(drawer.name(), line).await {
                return false;
            }
        }
        true
    }

    async fn end(&self, under_way: UnderWay) -> Vec<Frame> {
        let UnderWay { keep, submitted, rest_kept } = under_way;
        if submitted.kept().await && rest_kept {
            self.desk.counts().kept.one();
            keep.claim.settle(self.desk.now());
            return keep.answer;
        }
        self.desk.counts().not_kept.one();
        Vec::new()
    }
}

fn with(mut about: Value, key: &str, value: String) -> Value {
    if let Value::Object(fields) = &mut about {
        fields.insert(key.to_owned(), Value::String(value));
    }
    about
}
