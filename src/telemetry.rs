//! What is told of a request afterwards: one log line, and in Lambda its metrics.
//!
//! A [`Line`] lies beside the request, in the task that answers it; whoever learns
//! something about the request notes it there, and the handler writes the line once.
//! It never holds a secret, a body, a query's variables or an e-mail address.

pub mod metrics;

use std::{
    cell::RefCell,
    error::Error,
    fmt,
    future::Future,
    io,
    net::IpAddr,
    process::ExitCode,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use jiff::Timestamp;
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

use self::metrics::Measured;

tokio::task_local! {
    static LINE: RefCell<Line>;
}

/// Whether this process has not answered anything yet.
static IS_COLD: AtomicBool = AtomicBool::new(true);

/// What the one log line of a request says.
#[derive(Clone, Debug, Default)]
pub struct Line {
    /// The request's id, the same that the client is told.
    pub request_id: String,
    /// The id that the gateway gave it, where it came through one.
    pub gateway_request_id: Option<String>,
    /// The address that it came from. It is personal data: see docs/operations.md.
    pub client_address: Option<IpAddr>,
    /// The GraphQL operation's name, or the route.
    pub operation: Option<String>,
    /// Who asked.
    pub actor: Option<UserId>,
    /// How they proved it: `session`, `token`; `none` where nothing is noted.
    pub credential: Option<&'static str>,
    /// With which token.
    pub token_id: Option<TokenId>,
    /// The code of the first error.
    pub code: Option<&'static str>,
    /// The reason of the first error.
    pub reason: Option<&'static str>,
    /// How many requests to DynamoDB it cost, repetitions included.
    pub dynamodb_calls: u32,
    /// How long these took together.
    pub dynamodb_time: Duration,
    /// How many of them DynamoDB rejected, by a mistake of ours or of the deployment, and how
    /// many records could not be read.
    pub database_errors: u32,
    /// How many API tokens were made.
    pub tokens_created: u32,
    /// Whether a token got its successor again, which it had made before.
    pub is_repeated_renewal: bool,
    /// How many API tokens were revoked.
    pub tokens_revoked: u32,
}

/// An error with all that is behind it, for the log: the JSON log writes no sources by
/// itself, and the outermost sentence alone says nothing.
pub struct Chain<'a>(pub &'a (dyn Error + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut behind = self.0.source();
        while let Some(cause) = behind {
            write!(f, ": {cause}")?;
            behind = cause.source();
        }
        Ok(())
    }
}

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line, for machines.
    Json,
    /// As `Json`, and metrics between them, for CloudWatch.
    JsonWithMetrics,
    /// One sentence a line, for people.
    Text,
}

/// Runs a request with an empty line beside it, and gives the line back.
pub async fn with_line<T>(request_id: String, request: impl Future<Output = T>) -> (T, Line) {
    let line = RefCell::new(Line { request_id, ..Line::default() });
    let told = async {
        let answer = request.await;
        (answer, LINE.with(|line| line.borrow().clone()))
    };
    LINE.scope(line, told).await
}

/// Notes something about the request that is being answered; nothing outside of one.
pub fn note(change: impl FnOnce(&mut Line)) {
    let _outside_of_a_request = LINE.try_with(|line| change(&mut line.borrow_mut()));
}

/// The id of the request that is being answered; empty outside of one.
#[must_use]
pub fn request_id() -> String {
    LINE.try_with(|line| line.borrow().request_id.clone()).unwrap_or_default()
}

impl Line {
    /// Writes the line of a request that came to `handler` of `function` at `at`: at level
    /// `error` for answers of 500 and more.
    pub fn write(
        &self,
        (handler, function): (&'static str, &str),
        status: u16,
        stopwatch: Stopwatch,
        at: Timestamp,
    ) {
        let (took, is_cold) = (stopwatch.elapsed(), IS_COLD.swap(false, Ordering::Relaxed));
        Measured { function, line: self, status, took, is_cold, at }.write();
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
                    durationMs = took.as_secs_f64() * 1000.0,
                    coldStart = is_cold,
                    "{handler} {}: {status}",
                    self.operation.as_deref().unwrap_or("-"),
                )
            };
        }
        if status >= 500 { line!(error) } else { line!(info) }
    }
}

/// A subscriber that writes the log of this crate, and the warnings of others.
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
    let metrics = wanted.map(|writer| metrics::Embedded(writer).with_filter(only_metrics));
    Box::new(registry.with(log.with_filter(levels)).with(metrics))
}

/// Writes each event as one line, whatever is in it: control characters are escaped as in
/// Rust, so that nobody can add lines to the log or speak to the terminal that shows it.
#[derive(Clone)]
struct Escaped<W>(W);

impl<'a, W: MakeWriter<'a>> MakeWriter<'a> for Escaped<W> {
    type Writer = Escaped<W::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        Escaped(self.0.make_writer())
    }
}

impl<W: io::Write> io::Write for Escaped<W> {
    /// Takes an event as a whole, with the line break at its end, as it is written.
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

/// Logs why a process ends, as one line; answers how it exits.
pub fn report(ended: Result<(), Box<dyn Error + Send + Sync>>) -> ExitCode {
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            tracing::error!(cause = %Chain(&*fault), "cannot start");
            ExitCode::FAILURE
        }
    }
}

/// Sends the log to `writer`; once a process. Lambda wants it on standard output.
pub fn start<W>(format: LogFormat, writer: W)
where
    W: for<'a> MakeWriter<'a> + Clone + Send + Sync + 'static,
{
    let _already_started = tracing::subscriber::set_global_default(subscriber(format, writer));
    // The standard hook writes a page of text into a log of lines.
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
