//! Logs one line for each request and, in Lambda, its metrics.
//!
//! The task that handles a request has a [`LogLine`], and shares it with the tasks that it spawns
//! with [`spawn`]. Every module can add to the line with [`update_log_line`]. The line is written
//! once, after the response. It never contains a secret, a body, the variables of a query or an
//! email address.

pub mod metrics;

use std::{
    error::Error,
    fmt,
    future::Future,
    io,
    net::IpAddr,
    process::ExitCode,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use tokio::task::JoinHandle;
use tracing::Level;
use tracing_subscriber::{
    Layer,
    filter::{LevelFilter, Targets},
    fmt::MakeWriter,
    layer::SubscriberExt,
};

use crate::{
    clock::Stopwatch,
    domain::id::{TokenId, UserId},
};

use self::metrics::{Measurements, MetricsLayer};

tokio::task_local! {
    static LOG_LINE: Arc<Mutex<LogLine>>;
}

/// Whether this process has not handled a request yet.
static IS_COLD: AtomicBool = AtomicBool::new(true);

/// The log line of a request.
#[derive(Clone, Debug, Default)]
pub struct LogLine {
    /// The request id. The response also contains it.
    pub request_id: String,
    /// The gateway's request id, if there is a gateway.
    pub gateway_request_id: Option<String>,
    /// The client's IP address. It is personal data: see docs/operations.md.
    pub client_address: Option<IpAddr>,
    /// The name of the GraphQL operation, or the path of the request.
    pub operation: Option<String>,
    pub actor: Option<UserId>,
    /// The kind of the credential: `session` or `token`. `None` is logged as `none`.
    pub credential: Option<&'static str>,
    pub token_id: Option<TokenId>,
    /// The code of the first error.
    pub code: Option<&'static str>,
    /// The reason of the first error.
    pub reason: Option<&'static str>,
    /// The number of requests to DynamoDB, including retries.
    pub dynamodb_calls: u32,
    /// The total duration of these requests.
    pub dynamodb_time: Duration,
    /// The number of requests that DynamoDB rejected because of a mistake in the code or the
    /// deployment, plus the number of invalid records.
    pub database_errors: u32,
    /// The number of API tokens that were created.
    pub tokens_created: u32,
    /// Whether a repeated renewal returned the token that the first one created.
    pub is_repeated_renewal: bool,
    /// The number of API tokens that were revoked.
    pub tokens_revoked: u32,
}

/// Displays an error with all its sources, because the JSON log would omit the sources.
pub struct Chain<'a>(pub &'a (dyn Error + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(cause) = source {
            write!(f, ": {cause}")?;
            source = cause.source();
        }
        Ok(())
    }
}

/// The format of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object in each line, for machines.
    Json,
    /// Like `Json`, with lines for metrics, for CloudWatch.
    JsonWithMetrics,
    /// One sentence in each line, for people.
    Text,
}

/// Runs a request with an empty log line in scope. Returns the response and the completed log line.
pub async fn with_log_line<T>(
    request_id: String,
    request: impl Future<Output = T>,
) -> (T, LogLine) {
    let line = Arc::new(Mutex::new(LogLine { request_id, ..LogLine::default() }));
    let response = LOG_LINE.scope(Arc::clone(&line), request).await;
    let line = lock(&line).clone();
    (response, line)
}

/// Spawns a task that shares the log line of the current request, such as a load of a `DataLoader`.
pub fn spawn<T: Send + 'static>(task: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
    match LOG_LINE.try_with(Arc::clone) {
        Ok(line) => tokio::spawn(LOG_LINE.scope(line, task)),
        // Outside of a request, there is no log line.
        Err(_) => tokio::spawn(task),
    }
}

/// Changes the log line of the current request. Does nothing outside of a request.
pub fn update_log_line(change: impl FnOnce(&mut LogLine)) {
    // Fails only outside of a request.
    let _ = LOG_LINE.try_with(|line| change(&mut lock(line)));
}

/// Returns the id of the current request; empty outside of a request.
#[must_use]
pub fn request_id() -> String {
    LOG_LINE.try_with(|line| lock(line).request_id.clone()).unwrap_or_default()
}

fn lock(line: &Mutex<LogLine>) -> MutexGuard<'_, LogLine> {
    line.lock().unwrap_or_else(PoisonError::into_inner)
}

impl LogLine {
    /// Writes the line and the metrics of a request. `handler` is `api`, `web` or `local`,
    /// `function` is the name of the Lambda function, and `at` is the time at which the request
    /// arrived.
    pub fn write(
        &self,
        handler: &'static str,
        function: &str,
        status: u16,
        stopwatch: Stopwatch,
        at: Timestamp,
    ) {
        let duration = stopwatch.elapsed();
        let is_cold_start = IS_COLD.swap(false, Ordering::Relaxed);
        let measurements = Measurements {
            function,
            at,
            status,
            duration,
            is_cold_start,
            reason: self.reason,
            tokens_created: self.tokens_created,
            tokens_revoked: self.tokens_revoked,
            dynamodb_time: self.dynamodb_time,
            database_errors: self.database_errors,
        };
        measurements.write();
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(
                    requestId = self.request_id,
                    gatewayRequestId = self.gateway_request_id.as_deref(),
                    clientAddress = self.client_address.as_ref().map(tracing::field::display),
                    handler,
                    operation = self.operation.as_deref(),
                    actor = self.actor.as_ref().map(UserId::as_str),
                    credential = self.credential.unwrap_or("none"),
                    tokenId = self.token_id.as_ref().map(TokenId::as_str),
                    repeatedRenewal = self.is_repeated_renewal.then_some(true),
                    status,
                    code = self.code,
                    reason = self.reason,
                    dynamodbCalls = self.dynamodb_calls,
                    durationMs = duration.as_secs_f64() * 1000.0,
                    coldStart = is_cold_start,
                    "{handler} {}: {status}",
                    self.operation.as_deref().unwrap_or("-"),
                )
            };
        }
        if status >= 500 { line!(error) } else { line!(info) }
    }
}

/// Creates a subscriber that writes the log of this crate, and the warnings of others.
pub fn subscriber<W>(format: LogFormat, writer: W) -> Box<dyn tracing::Subscriber + Send + Sync>
where
    W: for<'a> MakeWriter<'a> + Clone + Send + Sync + 'static,
{
    let levels = Targets::new().with_default(Level::WARN).with_target("arm_api", Level::INFO);
    let levels = levels.with_target(metrics::TARGET, LevelFilter::OFF);
    let registry = tracing_subscriber::registry();
    if format == LogFormat::Text {
        let log = tracing_subscriber::fmt::layer().with_writer(Escaped(writer)).with_target(false);
        return Box::new(registry.with(log.with_filter(levels)));
    }
    let log = tracing_subscriber::fmt::layer().with_writer(writer.clone()).with_target(false);
    let log = log.json().flatten_event(true).with_current_span(false).with_span_list(false);
    let wanted = Some(writer).filter(|_| format == LogFormat::JsonWithMetrics);
    let only_metrics = Targets::new().with_target(metrics::TARGET, Level::INFO);
    let metrics = wanted.map(|writer| MetricsLayer(writer).with_filter(only_metrics));
    Box::new(registry.with(log.with_filter(levels)).with(metrics))
}

/// Writes each event as one line. Escapes control characters as Rust does, so that nobody can add
/// lines to the log or control the terminal that shows it.
#[derive(Clone)]
struct Escaped<W>(W);

impl<'a, W: MakeWriter<'a>> MakeWriter<'a> for Escaped<W> {
    type Writer = Escaped<W::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        Escaped(self.0.make_writer())
    }
}

impl<W: io::Write> io::Write for Escaped<W> {
    /// Writes one event, which ends with a line break.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let escaped =
            text.strip_suffix('\n').unwrap_or(&text).chars().fold(String::new(), |mut line, c| {
                if c.is_control() {
                    line.extend(c.escape_default());
                } else {
                    line.push(c);
                }
                line
            });
        self.0.write_all(format!("{escaped}\n").as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Logs the error that ended the process and returns the exit code.
pub fn report(result: Result<(), Box<dyn Error + Send + Sync>>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            tracing::error!(cause = %Chain(&*fault), "the process failed");
            ExitCode::FAILURE
        }
    }
}

/// Sends the log to `writer`. Only the first call in a process has an effect.
pub fn start<W>(format: LogFormat, writer: W)
where
    W: for<'a> MakeWriter<'a> + Clone + Send + Sync + 'static,
{
    // Fails if the process has already called this function.
    let _ = tracing::subscriber::set_global_default(subscriber(format, writer));
    // The default hook would write several lines, which are not JSON.
    std::panic::set_hook(Box::new(
        |panic| tracing::error!(requestId = request_id(), cause = %panic, "panicked"),
    ));
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn an_event_of_the_text_log_is_one_line_without_control_characters() {
        let mut log = Escaped(Vec::new());

        log.write_all("ana\r\n2026 INFO forged\u{1b}[31m\u{9b}\n".as_bytes()).unwrap();

        assert_eq!(
            String::from_utf8(log.0).unwrap(),
            "ana\\r\\n2026 INFO forged\\u{1b}[31m\\u{9b}\n"
        );
    }
}
