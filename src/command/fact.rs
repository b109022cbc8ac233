//! What has happened. The journal is a list of these; the state is nothing but their fold.

use super::{Actor, Amendment, CommandSettings, FieldReport, Injection, Input, PlaceFrom, ReadingRef};
use crate::model::{
    ActivationId, DeclineReason, EventId, FactSeq, InstructionCode, MemberId, PlaceId, ReportId, Spot, TaskId,
    Timestamp, WarningLevel, WorkingMode,
};
use crate::playbook::LevelState;
pub use crate::playbook::Words;
use serde::{Deserialize, Serialize};

/// A fact with its place in the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Position, counted from 1.
    pub seq: FactSeq,
    /// When, on the clock of the reach.
    #[serde(with = "chrono::serde::ts_milliseconds")]
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub fact: Fact,
}

/// A signal and its value at the moment a row fired.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sensed {
    /// As in the trigger language, e.g. `qf(24)`.
    pub signal: String,
    /// Its value; truths are 1 and 0.
    pub value: f64,
}

/// Why a task is taken back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "kebab-case")]
pub enum WithdrawReason {
    /// A stronger row holds at the same place.
    Superseded {
        /// The stronger row.
        by: InstructionCode,
    },
    /// The level was lowered below the row's own.
    StoodDown,
    /// What it was for is over.
    Stopped,
    /// HQ took it back.
    Recalled {
        /// Who.
        by: Actor,
        /// Why.
        reason: String,
    },
    /// The hazard behind it was none, or is dealt with.
    Settled,
    /// It belonged to the way down, and the level was raised again.
    RaisedAgain,
}

/// How a task came to be released.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "signature", rename_all = "kebab-case")]
pub enum Signature {
    /// Two persons put a level in force.
    Activation {
        /// The request.
        activation: ActivationId,
    },
    /// One officer signed what needs no more.
    Officer {
        /// Who.
        by: Actor,
    },
    /// The row needs no signature: routine, first action on a hazard, or carrying out the level in force.
    NotNeeded,
    /// The standing authorisation lists the row and nobody answered the request in time.
    StandingAuthorisation {
        /// The request that ran out.
        activation: ActivationId,
    },
}

/// One picture of a phone that is sent twice: small first, because networks on a levee are thin, whole later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shot {
    /// The phone's own id of the picture.
    pub id: String,
    /// The small one; the whole one takes its place.
    pub thumb: bool,
}

/// Everything that can stand in a journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "kebab-case")]
pub enum Fact {
    /// The input that the following facts answer.
    Received {
        /// As it came.
        input: Box<Input>,
    },
    /// The times that the command keeps from now on.
    Configured {
        /// All of them.
        settings: CommandSettings,
    },
    /// Another edition of the playbook is in use from now on.
    EditionUsed {
        /// Edition of the playbook.
        edition: String,
    },
    /// The proposal machine moved: a hold began, ended or was broken.
    LevelWatched {
        /// Its new state.
        state: LevelState,
    },
    /// The water proposes another level. A proposal is not a level.
    LevelProposed {
        /// Before.
        from: WarningLevel,
        /// Now.
        to: WarningLevel,
        /// Why.
        reason: Words,
    },
    /// A flood event begins; it keeps this edition of the playbook to its end.
    EventOpened {
        /// Its id.
        event: EventId,
        /// Edition of the playbook.
        edition: String,
    },
    /// All-clear: nothing of the event holds any more.
    EventClosed {
        /// Its id.
        event: EventId,
    },
    /// The command goes up or down.
    Lowering {
        /// Whether it is on the way down.
        on: bool,
    },
    /// A row of the playbook became true.
    Fired {
        /// Which row.
        code: InstructionCode,
        /// Where.
        places: Vec<PlaceId>,
        /// Signals behind it.
        because: Vec<Sensed>,
        /// Readings behind the signals.
        readings: Vec<ReadingRef>,
        /// The hazard that it answers, where it answers one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hazard: Option<ReportId>,
    },
    /// A fired row is on the safe side since now; `None`: no longer.
    SafeSince {
        /// Which row.
        code: InstructionCode,
        /// Where.
        places: Vec<PlaceId>,
        /// Since when.
        since: Option<Timestamp>,
    },
    /// A row has been safe long enough and may fire again.
    Rearmed {
        /// Which row.
        code: InstructionCode,
        /// Where.
        places: Vec<PlaceId>,
        /// The hazard that it answers, where it answers one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hazard: Option<ReportId>,
    },
    /// The end of a row's repetition was reached (or, `stopped: false`, passed again).
    Stopped {
        /// Which row.
        code: InstructionCode,
        /// Where.
        places: Vec<PlaceId>,
        /// Whether it is at its end.
        stopped: bool,
        /// The hazard that it answers, where it answers one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hazard: Option<ReportId>,
    },
    /// A task exists and waits for a signature.
    Drafted {
        /// Its id.
        task: TaskId,
        /// Row.
        code: InstructionCode,
        /// Place.
        place: PlaceId,
        /// A 角; `None` is itself an alarm.
        owner: Option<MemberId>,
        /// B 角.
        deputy: Option<MemberId>,
        /// Warns people in danger, recalls them or moves them out of it.
        #[serde(default, skip_serializing_if = "is_not")]
        life_safety: bool,
        /// Orders the one who has it out of danger at once.
        #[serde(default, skip_serializing_if = "is_not")]
        retreat: bool,
        /// The hazard that it answers, where it answers one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hazard: Option<ReportId>,
    },
    /// The task is an order from now on.
    Issued {
        /// Which.
        task: TaskId,
        /// To whom; `None` when nobody is on duty for it.
        to: Option<MemberId>,
        /// Colour in force.
        level: WarningLevel,
        /// By whose signature.
        signature: Signature,
        /// Must be done by.
        due_at: Timestamp,
    },
    /// A person set a value of the river, or said that it may not be used.
    Amended {
        /// Who.
        by: Actor,
        /// What, with what stood there before.
        amendment: Amendment,
    },
    /// It stands on a phone.
    Delivered {
        /// Whose.
        member: MemberId,
        /// Which.
        tasks: Vec<TaskId>,
    },
    /// 收到.
    Acknowledged {
        /// Which.
        task: TaskId,
        /// By whose hand.
        by: Actor,
    },
    /// 去不了.
    Declined {
        /// Which.
        task: TaskId,
        /// By whom.
        by: Actor,
        /// Why.
        reason: DeclineReason,
        /// In own words.
        text: Option<String>,
    },
    /// 到达.
    Arrived {
        /// Which.
        task: TaskId,
        /// Who.
        by: Actor,
    },
    /// 完成.
    Completed {
        /// Which.
        task: TaskId,
        /// Who.
        by: Actor,
    },
    /// 核查.
    Verified {
        /// Which.
        task: TaskId,
        /// Who, never the doer.
        by: Actor,
    },
    /// The next round of a repeated task begins.
    RoundDue {
        /// Which.
        task: TaskId,
        /// Number of the round, from 1.
        round: u32,
        /// Must be done by.
        due_at: Timestamp,
        /// The round before was not done.
        missed: bool,
    },
    /// Nobody answered, or what was promised was not done, in time.
    Overdue {
        /// Which.
        task: TaskId,
    },
    /// The deputy has it from now on.
    Escalated {
        /// Which.
        task: TaskId,
        /// Step of the ladder, from 1.
        step: u32,
        /// Who has it now; `None`: nobody is left, the commander must act.
        to: Option<MemberId>,
    },
    /// HQ has named the person who has it from now on; everyone before is relieved.
    Assigned {
        /// Which.
        task: TaskId,
        /// By whom.
        by: Actor,
        /// Who had it before and is relieved: owner, holder, a deputy who was called.
        relieved: Vec<MemberId>,
        /// Who has it now.
        to: MemberId,
        /// Why.
        reason: String,
        /// Must be done by; `None` while it waits for a signature.
        due_at: Option<Timestamp>,
    },
    /// Taken back.
    Withdrawn {
        /// Which.
        task: TaskId,
        /// Why.
        reason: WithdrawReason,
    },
    /// Somebody asked that a level be put in force.
    Asked {
        /// Id of the request.
        activation: ActivationId,
        /// Who.
        by: Actor,
        /// Which level.
        level: WarningLevel,
        /// Why.
        reason: String,
        /// On whose order.
        ordered_by: Option<String>,
        /// The discharge that it prepares for, in m³/s.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        prepare_for_m3s: Option<f64>,
    },
    /// Further commanders were called to an unanswered request.
    CommandersCalled {
        /// Which.
        activation: ActivationId,
    },
    /// Deputies may confirm and break-glass is offered.
    DeputiesAdmitted {
        /// Which.
        activation: ActivationId,
    },
    /// The second person agreed.
    Confirmed {
        /// To what.
        activation: ActivationId,
        /// Who.
        by: Actor,
    },
    /// The second person refused.
    Refused {
        /// What.
        activation: ActivationId,
        /// Who.
        by: Actor,
        /// Why.
        reason: String,
    },
    /// Nobody answered in time; nothing was put in force.
    Expired {
        /// What.
        activation: ActivationId,
    },
    /// The asker went alone.
    GlassBroken {
        /// With what.
        activation: ActivationId,
        /// Who.
        by: Actor,
        /// Why.
        reason: String,
    },
    /// A level is in force: a decision, not a formula.
    LevelSet {
        /// Before.
        from: WarningLevel,
        /// Now.
        to: WarningLevel,
        /// The request that led to it; `None` for the flagged start of a demo.
        activation: Option<ActivationId>,
        /// The discharge that rows count as reached while it is in force, in m³/s.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        prepare_for_m3s: Option<f64>,
    },
    /// An order or a notice holds.
    Ordered {
        /// Name in the trigger language.
        name: String,
        /// Where; `None` everywhere.
        place: Option<PlaceId>,
        /// Who; `None` when it follows from a level.
        by: Option<Actor>,
    },
    /// It holds no longer.
    OrderLifted {
        /// Name in the trigger language.
        name: String,
        /// Where; `None` everywhere.
        place: Option<PlaceId>,
        /// Who.
        by: Option<Actor>,
    },
    /// Something was reported from the field.
    Reported {
        /// Id of the report.
        report: ReportId,
        /// Who.
        by: Actor,
        /// What.
        content: FieldReport,
        /// Places of the reach that it touches.
        places: Vec<PlaceId>,
        /// How they were found, where the reporter did not name them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        place_from: Option<PlaceFrom>,
    },
    /// Somebody whose call for help is open calls again: no second alarm, a newer position.
    CalledAgain {
        /// The open call.
        report: ReportId,
        /// When, on his phone.
        observed_at: Timestamp,
        /// Where he is now, as far as he can say.
        place: Spot,
    },
    /// More photos of it.
    PhotosAdded {
        /// Which.
        report: ReportId,
        /// Whose phone.
        by: Actor,
        /// Ids of stored photos.
        photos: Vec<String>,
        /// Which picture of the phone it is, when it comes small first.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        shot: Option<Shot>,
    },
    /// HQ has looked at it.
    ReportSeen {
        /// Which.
        report: ReportId,
        /// Who.
        by: Actor,
    },
    /// Dealt with, or nothing.
    ReportSettled {
        /// Which.
        report: ReportId,
        /// Who.
        by: Actor,
        /// It was nothing.
        false_alarm: bool,
    },
    /// HQ wrote to members.
    Noticed {
        /// Who.
        by: Actor,
        /// To whom.
        members: Vec<MemberId>,
        /// What.
        text: String,
    },
    /// Somebody asked a station, or set its clock.
    StationAsked {
        /// Who.
        by: Actor,
        /// Which station.
        station: String,
        /// What, in the words of the protocol.
        question: String,
    },
    /// Somebody saw a name and number in full.
    Revealed {
        /// Who.
        by: Actor,
        /// Whose.
        member: MemberId,
    },
    /// Somebody saw the words of a report with the numbers that stand in them.
    ReportRevealed {
        /// Who.
        by: Actor,
        /// Which.
        report: ReportId,
    },
    /// Another working mode.
    ModeSet {
        /// Who.
        by: Actor,
        /// Which.
        mode: WorkingMode,
    },
    /// The director of a drill broke something.
    Injected {
        /// The director.
        by: Actor,
        /// What, from when, how long.
        injection: Injection,
    },
    /// Something needs eyes.
    AlarmRaised {
        /// One key a cause.
        alarm: String,
        /// How bad.
        severity: Severity,
        /// Words for the wall.
        title: Words,
    },
    /// Someone has taken note.
    AlarmMinded {
        /// Which.
        alarm: String,
        /// Who.
        by: Actor,
        /// Put aside until.
        shelved_until: Option<Timestamp>,
    },
    /// The cause is gone.
    AlarmClosed {
        /// Which.
        alarm: String,
    },
}

/// What is not so is left out of a stored fact.
fn is_not(so: &bool) -> bool {
    !so
}

/// How bad an alarm is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// To know.
    Info,
    /// To act soon.
    Warning,
    /// To act now.
    Critical,
}
