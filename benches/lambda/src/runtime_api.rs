//! A fake of Lambda's runtime API.
//!
//! The thread that serves the connection sends the events and receives the responses, so that the
//! durations do not contain switches to other threads.

use std::{
    io::{self, BufReader},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use crate::{
    events::Event,
    http::{self, Request},
};

/// The deadline of each invocation, which the function receives.
const DEADLINE: Duration = Duration::from_secs(15);
/// The timeout for the start of a function, and for a list of events.
const TIMEOUT: Duration = Duration::from_mins(5);

/// Sends lists of events to a function and reports their durations.
pub(crate) struct RuntimeApi {
    pub(crate) address: SocketAddr,
    plans: Sender<Vec<Event>>,
    reports: Receiver<Report>,
}

/// The time at which the function was ready for the next event, and the durations of the last
/// events.
pub(crate) struct Report {
    pub(crate) ready: Instant,
    pub(crate) durations: Vec<Duration>,
}

/// The state between two requests of a function.
struct State {
    plans: Receiver<Vec<Event>>,
    reports: Sender<Report>,
    events: std::vec::IntoIter<Event>,
    expected: &'static str,
    started_at: Instant,
    durations: Vec<Duration>,
}

impl RuntimeApi {
    /// Starts the API for one function.
    pub(crate) fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let (plans, received_plans) = channel();
        let (sent_reports, reports) = channel();
        let state = State {
            plans: received_plans,
            reports: sent_reports,
            events: Vec::new().into_iter(),
            expected: "",
            started_at: Instant::now(),
            durations: Vec::new(),
        };
        thread::spawn(move || accept(&listener, state));
        Ok(Self { address, plans, reports })
    }

    /// Waits until the function has handled all events and requests another one.
    pub(crate) fn report(&self) -> Report {
        self.reports
            .recv_timeout(TIMEOUT)
            .expect("the function sends the expected responses in time")
    }

    /// Sends events, one after another.
    pub(crate) fn invoke(&self, events: Vec<Event>) -> Report {
        self.plans.send(events).expect("the function is running");
        self.report()
    }
}

/// Serves the connections of a function. They are closed when the `RuntimeApi` is dropped, which
/// ends the function.
fn accept(listener: &TcpListener, state: State) {
    let state = Arc::new(Mutex::new(state));
    while let Ok((stream, _)) = listener.accept() {
        let state = Arc::clone(&state);
        thread::spawn(move || serve(stream, &state));
    }
}

fn serve(stream: TcpStream, state: &Mutex<State>) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut stream = BufReader::new(stream);
    while let Some(request) = http::read(&mut stream).ok()? {
        let mut state = state.lock().ok()?;
        if request.method == "GET" {
            state.send_next_event(stream.get_mut())?;
        } else {
            state.receive_response(&request)?;
            http::respond(stream.get_mut(), "202 Accepted", "", b"{}").ok()?;
        }
    }
    Some(())
}

impl State {
    fn send_next_event(&mut self, stream: &mut TcpStream) -> Option<()> {
        let event = self.next_event()?;
        let deadline = (SystemTime::now() + DEADLINE).duration_since(UNIX_EPOCH).ok()?.as_millis();
        let headers = format!(
            "content-type: application/json\r\nlambda-runtime-aws-request-id: bench\r\n\
             lambda-runtime-deadline-ms: {deadline}\r\n\
             lambda-runtime-invoked-function-arn: arn:aws:lambda:eu-west-1:123456789012:function:bench\r\n"
        );
        self.expected = event.expected;
        self.started_at = Instant::now();
        http::respond(stream, "200 OK", &headers, event.text.as_bytes()).ok()
    }

    /// Returns the next event. Waits for a new list if all events are handled.
    fn next_event(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.events.next() {
                return Some(event);
            }
            let report =
                Report { ready: Instant::now(), durations: std::mem::take(&mut self.durations) };
            self.reports.send(report).ok()?;
            self.events = self.plans.recv().ok()?.into_iter();
            self.durations.reserve(self.events.len());
        }
    }

    /// Receives a response. An unexpected response closes the connection, which ends the benchmark.
    fn receive_response(&mut self, request: &Request) -> Option<()> {
        self.durations.push(self.started_at.elapsed());
        let body = String::from_utf8_lossy(&request.body);
        let is_expected = request.path.ends_with("/response") && body.contains(self.expected);
        if !is_expected {
            eprintln!("{} {}: {body}", request.method, request.path);
        }
        is_expected.then_some(())
    }
}
