//! Metrics, in CloudWatch's embedded metric format: a line of the log that CloudWatch reads
//! as numbers, so that sending them costs no request.

use std::{fmt, io::Write, time::Duration};

use jiff::Timestamp;
use serde::{Serialize, Serializer, ser::SerializeMap};
use tracing::{Event, Subscriber, field::Visit};
use tracing_subscriber::{Layer, fmt::MakeWriter, layer::Context};

use crate::telemetry::Line;

/// The namespace of all metrics.
pub const NAMESPACE: &str = "ArmApi";
/// Every metric, and its unit. `template.yaml` makes alarms and a dashboard of them.
pub const METRICS: [(&str, &str); 9] = [
    ("Requests", "Count"),
    ("Latency", "Milliseconds"),
    ("Failures", "Count"),
    ("Refused", "Count"),
    ("TokensCreated", "Count"),
    ("TokensRevoked", "Count"),
    ("DynamodbLatency", "Milliseconds"),
    ("DatabaseErrors", "Count"),
    ("ColdStarts", "Count"),
];
/// Which function it was, as Lambda's own metrics say it: two stacks in one region stay apart.
pub const DIMENSION: &str = "FunctionName";
/// The metric that is also told by its reason.
const BY_REASON: &str = "Refused";
/// The dimension that says the reason.
const REASON: &str = "Reason";
/// By this target the log knows what is a metric.
pub(super) const TARGET: &str = "arm_api::metrics";

/// What there is to measure of one request.
pub(super) struct Measured<'a> {
    pub(super) function: &'a str,
    pub(super) line: &'a Line,
    pub(super) status: u16,
    pub(super) took: Duration,
    pub(super) is_cold: bool,
    pub(super) at: Timestamp,
}

/// Metrics that CloudWatch reads by the same dimensions.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct MetricSet {
    namespace: &'static str,
    dimensions: [&'static [&'static str]; 1],
    metrics: Vec<Metric>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Metric {
    name: &'static str,
    unit: &'static str,
}

/// The part of the document that tells CloudWatch which members are metrics.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Metadata {
    timestamp: i64,
    cloud_watch_metrics: Vec<MetricSet>,
}

/// The document that CloudWatch reads. Metrics that are zero are left out.
impl Serialize for Measured<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut document = serializer.serialize_map(None)?;
        document.serialize_entry("_aws", &self.metadata())?;
        document.serialize_entry(DIMENSION, self.function)?;
        for (name, _, value) in self.values() {
            document.serialize_entry(name, &value)?;
        }
        if let Some(reason) = self.refused() {
            document.serialize_entry(REASON, reason)?;
        }
        document.end()
    }
}

impl Measured<'_> {
    /// Writes the metrics of the request.
    pub(super) fn write(&self) {
        if tracing::enabled!(target: TARGET, tracing::Level::INFO) {
            let document = serde_json::to_string(self).unwrap_or_default();
            tracing::info!(target: TARGET, emf = document);
        }
    }

    fn metadata(&self) -> Metadata {
        let set = |dimensions, metrics| MetricSet {
            namespace: NAMESPACE,
            dimensions: [dimensions],
            metrics,
        };
        let all = self.values().map(|(name, unit, _)| Metric { name, unit });
        let mut sets = vec![set(&[DIMENSION], all.collect())];
        if self.refused().is_some() {
            sets.push(set(&[DIMENSION, REASON], vec![Metric { name: BY_REASON, unit: "Count" }]));
        }
        Metadata { timestamp: self.at.as_millisecond(), cloud_watch_metrics: sets }
    }

    fn values(&self) -> impl Iterator<Item = (&'static str, &'static str, f64)> {
        let values = METRICS.into_iter().map(|(name, unit)| (name, unit, self.value(name)));
        values.filter(|(.., value)| *value > 0.0)
    }

    fn value(&self, name: &str) -> f64 {
        let milliseconds = |it: Duration| it.as_secs_f64() * 1000.0;
        match name {
            "Requests" => 1.0,
            "Latency" => milliseconds(self.took),
            "Failures" => f64::from(u8::from(self.status >= 500)),
            "Refused" => f64::from(u8::from(self.refused().is_some())),
            "TokensCreated" => f64::from(self.line.tokens_created),
            "TokensRevoked" => f64::from(self.line.tokens_revoked),
            "DynamodbLatency" => milliseconds(self.line.dynamodb_time),
            "DatabaseErrors" => f64::from(self.line.database_errors),
            "ColdStarts" => f64::from(u8::from(self.is_cold)),
            _ => 0.0,
        }
    }

    /// Why a credential was refused.
    fn refused(&self) -> Option<&'static str> {
        self.line.reason.filter(|_| self.status == 401 || self.status == 403)
    }
}

/// The layer that writes metrics as they are, beside the log.
pub(super) struct Embedded<W>(pub(super) W);

impl<S: Subscriber, W: for<'a> MakeWriter<'a> + 'static> Layer<S> for Embedded<W> {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut document = Document::default();
        event.record(&mut document);
        let _a_log_that_is_gone_is_no_failure = writeln!(self.0.make_writer(), "{}", document.0);
    }
}

#[derive(Default)]
struct Document(String);

impl Visit for Document {
    fn record_str(&mut self, _: &tracing::field::Field, value: &str) {
        value.clone_into(&mut self.0);
    }

    fn record_debug(&mut self, _: &tracing::field::Field, _: &dyn fmt::Debug) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn document(line: &Line, status: u16) -> Value {
        let (took, at) = (Duration::from_millis(12), Timestamp::UNIX_EPOCH);
        let measured = Measured { function: "arm-api", line, status, took, is_cold: false, at };
        serde_json::to_value(measured).unwrap()
    }

    #[test]
    fn a_request_that_made_a_token_is_a_few_numbers() {
        let line = Line { tokens_created: 1, ..Line::default() };

        assert_eq!(
            document(&line, 200),
            json!({
                "FunctionName": "arm-api", "Requests": 1.0, "Latency": 12.0, "TokensCreated": 1.0,
                "_aws": { "Timestamp": 0, "CloudWatchMetrics": [{
                    "Namespace": "ArmApi", "Dimensions": [["FunctionName"]], "Metrics": [
                        { "Name": "Requests", "Unit": "Count" }, { "Name": "Latency", "Unit": "Milliseconds" },
                        { "Name": "TokensCreated", "Unit": "Count" },
                    ],
                }] },
            })
        );
    }

    #[test]
    fn a_refusal_is_also_told_by_its_reason() {
        let line = Line { reason: Some("TOKEN_EXPIRED"), ..Line::default() };

        let document = document(&line, 401);
        assert_eq!(document["Reason"], "TOKEN_EXPIRED");
        assert_eq!(
            document["_aws"]["CloudWatchMetrics"][1]["Dimensions"],
            json!([["FunctionName", "Reason"]])
        );
    }

    #[test]
    fn every_metric_can_be_told() {
        let line = Line {
            reason: Some("X"),
            tokens_created: 1,
            tokens_revoked: 1,
            dynamodb_time: Duration::from_millis(1),
            database_errors: 1,
            ..Line::default()
        };
        for (name, _) in METRICS {
            let told = [401, 500].map(|status| {
                let (took, at) = (Duration::from_millis(12), Timestamp::UNIX_EPOCH);
                Measured { function: "arm-api", line: &line, status, took, is_cold: true, at }
                    .value(name)
            });

            assert!(told.iter().any(|it| *it > 0.0), "{name}");
        }
    }
}
