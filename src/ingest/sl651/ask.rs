//! Questions of the centre to a station (M4): asked up to three times, one at a time, answered or given up by name.

use super::Sl651;
use super::codec::{Line, Query, Report, StationAddress};
use super::listen::encoded;
use super::station::{Question, Route};
use tokio::sync::oneshot;

/// A question is asked so often.
const ATTEMPTS: u32 = 3;

/// What a station said to a question.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// Function code, that of the question.
    pub function: u8,
    /// Body as it came.
    pub body: Vec<u8>,
    /// The same read, for functions whose bodies are made of elements. Its values are stored like those of any report.
    pub report: Option<Report>,
}

/// Why a station gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AskFault {
    /// No file names it.
    #[error("no station {station} in sensors/; add a row [[sl651]] (未配置的测站)")]
    Unknown {
        /// Address.
        station: StationAddress,
    },
    /// It has not been heard since the start, or its connection is gone.
    #[error("station {station} is not connected; it must call first (测站未上线)")]
    Away {
        /// Address.
        station: StationAddress,
    },
    /// Another question is open.
    #[error("station {station} is being asked something else; wait for that (上一次查询尚未结束)")]
    Busy {
        /// Address.
        station: StationAddress,
    },
    /// It did not answer.
    #[error("station {station} did not answer {attempts} questions (测站未应答)")]
    Silent {
        /// Address.
        station: StationAddress,
        /// How often it was asked.
        attempts: u32,
    },
}

impl Sl651 {
    /// Asks a station and waits for its reply.
    ///
    /// # Errors
    /// When the station is unknown, away, busy or silent.
    pub async fn ask(&self, station: StationAddress, query: &Query) -> Result<Reply, AskFault> {
        let known = self.desk.station(station).ok_or(AskFault::Unknown { station })?;
        for _ in 0..ATTEMPTS {
            let (reply, answer) = oneshot::channel();
            let (route, sample) = {
                let mut memory = known.memory();
                if memory.question.as_ref().is_some_and(|open| !open.reply.is_closed()) {
                    return Err(AskFault::Busy { station });
                }
                let away = AskFault::Away { station };
                let (Some(route), Some(sample)) = (memory.route.clone(), memory.coding.clone()) else {
                    return Err(away);
                };
                memory.question = Some(Question { function: query.function(), reply });
                (route, sample)
            };
            let bytes = encoded(&Line::of(&sample).ask(query, self.desk.now()));
            let sent = match route {
                Route::Tcp(connection) => connection.send(bytes).await.is_ok(),
                Route::Udp(address) => self.socket.send_to(&bytes, address).await.is_ok(),
            };
            if !sent {
                known.memory().question = None;
                return Err(AskFault::Away { station });
            }
            if let Ok(Ok(reply)) = tokio::time::timeout(self.desk.limits().answer, answer).await {
                return Ok(reply);
            }
        }
        known.memory().question = None;
        Err(AskFault::Silent { station, attempts: ATTEMPTS })
    }
}
