//! Controls for tests that use local mode: they move the clock and make calls fail.

use std::sync::{Arc, atomic::Ordering};

use axum::{
    Json, Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::post,
};
use serde::{Deserialize, Deserializer};
use serde_json::json;

use crate::{
    access::Access,
    clock::ManualClock,
    error::{Error, RequestFault},
    local::{
        dynamodb::Embedded,
        faults::{Calls, Fault, Faults, Plan},
    },
};

/// The controls. Each has a route only if it is enabled.
#[derive(Clone, Default)]
pub(super) struct TestControls {
    /// Enabled by `--test-clock`.
    pub(super) clock: Option<ManualClock>,
    /// The database that deletes expired records when the clock moves.
    pub(super) database: Option<Embedded>,
    /// Enabled by `--test-faults`.
    pub(super) faults: Option<(Faults, Arc<Access>)>,
}

/// How far one request can move the clock, in seconds: a hundred years.
const MAX_ADVANCE: i64 = 100 * 365 * 86_400;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Advance {
    advance_seconds: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct FaultPlan {
    #[serde(default)]
    dynamodb: PlanChange,
    #[serde(default)]
    kms: PlanChange,
    /// Whether reads succeed and are not counted.
    #[serde(default)]
    writes_only: bool,
    #[serde(default)]
    after: u32,
    #[serde(default = "once")]
    times: u32,
}

/// A change to the fault plan of one service. A missing member keeps the current plan; null
/// removes it.
#[derive(Default)]
enum PlanChange {
    #[default]
    Keep,
    Set(Option<Fault>),
}

impl<'de> Deserialize<'de> for PlanChange {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        Option::deserialize(value).map(Self::Set)
    }
}

fn once() -> u32 {
    1
}

/// Returns the routes of the controls that are enabled.
pub(super) fn routes(controls: TestControls) -> Router {
    let mut routes = Router::new();
    if controls.clock.is_some() {
        routes = routes.route("/development/clock", post(advance));
    }
    if controls.faults.is_some() {
        routes = routes.route("/development/faults", post(plan));
    }
    routes.with_state(controls)
}

/// Moves the clock. An embedded database in memory then deletes expired records.
async fn advance(State(controls): State<TestControls>, Json(sent): Json<Advance>) -> Response {
    let Some(clock) = controls.clock else { return not_found() };
    if !(-MAX_ADVANCE..=MAX_ADVANCE).contains(&sent.advance_seconds) {
        let fault = format!(
            "`advanceSeconds` must be from -{MAX_ADVANCE} to {MAX_ADVANCE}: a hundred years"
        );
        return Error::from(RequestFault::Malformed(fault)).into_response();
    }
    clock.advance(sent.advance_seconds);
    let _may_happen_later = controls.database.map(|it| it.delete_expired());
    let now = crate::clock::Clock::Manual(clock).now().as_second();
    Json(json!({ "now": now })).into_response()
}

/// Makes the next calls fail.
async fn plan(State(controls): State<TestControls>, Json(sent): Json<FaultPlan>) -> Response {
    let Some((faults, access)) = controls.faults else { return not_found() };
    if let PlanChange::Set(dynamodb) = sent.dynamodb {
        let (after, times) = (sent.after, sent.times);
        let calls = if sent.writes_only { Calls::Writes } else { Calls::All };
        faults.set(dynamodb.map(|fault| Plan { fault, calls, after, times }));
    }
    if let PlanChange::Set(kms) = sent.kms {
        let times = kms.map_or(0, |_| sent.times);
        access.jwt.keys().faults.store(times, Ordering::SeqCst);
    }
    Json(json!({ "planned": true })).into_response()
}

fn not_found() -> Response {
    Error::from(RequestFault::UnknownPath).into_response()
}
