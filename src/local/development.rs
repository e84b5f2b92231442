//! Controls for those who test against local mode: the clock, and faults.

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
        faults::{Fault, Faults, Plan},
    },
};

/// What can be moved. A path exists only where its lever does.
#[derive(Clone, Default)]
pub(super) struct TestControls {
    /// The clock, with `--test-clock`.
    pub(super) clock: Option<ManualClock>,
    /// The database that is swept when the clock moves.
    pub(super) sweep: Option<Embedded>,
    /// What can be made to fail, with `--test-faults`.
    pub(super) faults: Option<(Faults, Arc<Access>)>,
}

/// How far the clock moves at once, in seconds: a hundred years.
const LONGEST_ADVANCE: i64 = 100 * 365 * 86_400;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Advance {
    advance_seconds: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultPlan {
    #[serde(default)]
    dynamodb: Asked,
    #[serde(default)]
    kms: Asked,
    #[serde(default)]
    after: u32,
    #[serde(default = "once")]
    times: u32,
}

/// What is asked of one lever: a member that is not there changes nothing, null ends
/// what was planned.
#[derive(Default)]
enum Asked {
    #[default]
    Nothing,
    Plan(Option<Fault>),
}

impl<'de> Deserialize<'de> for Asked {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        Option::deserialize(value).map(Self::Plan)
    }
}

fn once() -> u32 {
    1
}

/// The paths of the controls that there are.
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

/// Moves the clock; the embedded database in memory then deletes what is due.
async fn advance(State(controls): State<TestControls>, Json(asked): Json<Advance>) -> Response {
    let Some(clock) = controls.clock else { return not_found() };
    if !(-LONGEST_ADVANCE..=LONGEST_ADVANCE).contains(&asked.advance_seconds) {
        let fault = format!(
            "`advanceSeconds` is from -{LONGEST_ADVANCE} to {LONGEST_ADVANCE}: a hundred years"
        );
        return Error::from(RequestFault::Malformed(fault)).into_response();
    }
    clock.advance(asked.advance_seconds);
    let _a_sweep_may_come_later = controls.sweep.map(|it| it.sweep());
    let now = crate::clock::Clock::Manual(clock).now().as_second();
    Json(json!({ "now": now })).into_response()
}

/// Makes the next calls fail.
async fn plan(State(controls): State<TestControls>, Json(asked): Json<FaultPlan>) -> Response {
    let Some((faults, access)) = controls.faults else { return not_found() };
    if let Asked::Plan(dynamodb) = asked.dynamodb {
        let (after, times) = (asked.after, asked.times);
        faults.set(dynamodb.map(|fault| Plan { fault, after, times, operation: None }));
    }
    if let Asked::Plan(kms) = asked.kms {
        let times = kms.map_or(0, |_| asked.times);
        access.jwt.keys().faults.store(times, Ordering::SeqCst);
    }
    Json(json!({ "planned": true })).into_response()
}

fn not_found() -> Response {
    Error::from(RequestFault::UnknownPath).into_response()
}
