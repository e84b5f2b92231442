//! Metrics in CloudWatch's embedded metric format. CloudWatch extracts them from the log, so they
//! need no requests.
//!
//! No library is used, because the metrics of a request are one small JSON document.

use std::{fmt, io::Write, time::Duration};

use jiff::Timestamp;
use serde::{Serialize, Serializer, ser::SerializeMap};
use tracing::{Event, Subscriber, field::Visit};
use tracing_subscriber::{Layer, fmt::MakeWriter, layer::Context};

/// The namespace of all metrics.
pub const NAMESPACE: &str = "ArmApi";
/// The metrics and their units. The alarms and the dashboard in `template.yaml` use them.
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
/// The dimension of all metrics, as in Lambda's own metrics. It separates stacks in one region.
pub const DIMENSION: &str = "FunctionName";
/// The metric that is also reported for each reason.
const BY_REASON: &str = "Refused";
/// The dimension for the reason.
const REASON: &str = "Reason";
/// The `tracing` target of metrics.
pub(super) const TARGET: &str = "arm_api::metrics";

/// The measurements of one request.
#[derive(Debug, Default)]
pub(super) struct Measurements<'a> {
    /// The name of the Lambda function.
    pub(super) function: &'a str,
    pub(super) at: Timestamp,
    pub(super) status: u16,
    pub(super) duration: Duration,
    pub(super) is_cold_start: bool,
    /// The reason of the first error.
    pub(super) reason: Option<&'static str>,
    pub(super) tokens_created: u32,
    pub(super) tokens_revoked: u32,
    pub(super) dynamodb_time: Duration,
    pub(super) database_errors: u32,
}

/// Metrics with the same dimensions.
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

/// The member `_aws`, which lists the members that are metrics.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Metadata {
    timestamp: i64,
    cloud_watch_metrics: Vec<MetricSet>,
}

/// Serializes the document that CloudWatch reads, without metrics that are zero.
impl Serialize for Measurements<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut document = serializer.serialize_map(None)?;
        document.serialize_entry("_aws", &self.metadata())?;
        document.serialize_entry(DIMENSION, self.function)?;
        for (name, _, value) in self.values() {
            document.serialize_entry(name, &value)?;
        }
        if let Some(reason) = self.refusal_reason() {
            document.serialize_entry(REASON, reason)?;
        }
        document.end()
    }
}

impl Measurements<'_> {
    /// Writes the metrics to the log.
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
        if self.refusal_reason().is_some() {
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
            "Latency" => milliseconds(self.duration),
            "Failures" => f64::from(u8::from(self.status >= 500)),
            "Refused" => f64::from(u8::from(self.refusal_reason().is_some())),
            "TokensCreated" => f64::from(self.tokens_created),
            "TokensRevoked" => f64::from(self.tokens_revoked),
            "DynamodbLatency" => milliseconds(self.dynamodb_time),
            "DatabaseErrors" => f64::from(self.database_errors),
            "ColdStarts" => f64::from(u8::from(self.is_cold_start)),
            _ => 0.0,
        }
    }

    /// Returns the reason of a 401 or 403 response, if it has one.
    fn refusal_reason(&self) -> Option<&'static str> {
        self.reason.filter(|_| self.status == 401 || self.status == 403)
    }
}

/// The layer that writes metrics as lines of the log.
pub(super) struct MetricsLayer<W>(pub(super) W);

impl<S: Subscriber, W: for<'a> MakeWriter<'a> + 'static> Layer<S> for MetricsLayer<W> {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut document = Document::default();
        event.record(&mut document);
        // Fails if the log is closed. The metrics are lost then, but the request succeeds.
        let _ = writeln!(self.0.make_writer(), "{}", document.0);
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

    fn document(measurements: &Measurements<'_>) -> Value {
        serde_json::to_value(measurements).unwrap()
    }

    #[test]
    fn a_request_that_created_a_token_has_three_metrics() {
        let measurements = Measurements {
            function: "arm-api",
            duration: Duration::from_millis(12),
            tokens_created: 1,
            ..Measurements::default()
        };

        let metrics = json!([
            { "Name": "Requests", "Unit": "Count" },
            { "Name": "Latency", "Unit": "Milliseconds" },
            { "Name": "TokensCreated", "Unit": "Count" },
        ]);
        let set = json!({
            "Namespace": "ArmApi", "Dimensions": [["FunctionName"]], "Metrics": metrics,
        });
        let expected = json!({
            "FunctionName": "arm-api", "Requests": 1.0, "Latency": 12.0, "TokensCreated": 1.0,
            "_aws": { "Timestamp": 0, "CloudWatchMetrics": [set] },
        });
        assert_eq!(document(&measurements), expected);
    }

    #[test]
    fn a_refusal_is_also_counted_for_its_reason() {
        let measurements =
            Measurements { status: 401, reason: Some("TOKEN_EXPIRED"), ..Measurements::default() };

        let document = document(&measurements);
        let dimensions = &document["_aws"]["CloudWatchMetrics"][1]["Dimensions"];
        assert_eq!(document["Reason"], "TOKEN_EXPIRED");
        assert_eq!(*dimensions, json!([["FunctionName", "Reason"]]));
    }

    #[test]
    fn every_metric_has_a_measurement() {
        for (name, _) in METRICS {
            let values = [401, 500].map(|status| {
                let measurements = Measurements {
                    function: "arm-api",
                    at: Timestamp::UNIX_EPOCH,
                    status,
                    duration: Duration::from_millis(12),
                    is_cold_start: true,
                    reason: Some("TOKEN_EXPIRED"),
                    tokens_created: 1,
                    tokens_revoked: 1,
                    dynamodb_time: Duration::from_millis(1),
                    database_errors: 1,
                };
                measurements.value(name)
            });

            assert!(values.iter().any(|it| *it > 0.0), "{name}");
        }
    }
}
