//! Lambda's runtime API, as a function sees it: it asks for the next event, and answers.
//!
//! The thread of the function's connection does all of it, so that nothing is woken
//! between an event and its answer but the function.

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

/// How long an event may take, as the function is told.
const DEADLINE: Duration = Duration::from_secs(15);
/// How long a function may take to be ready, or for its events, before it counts as hung.
const PATIENCE: Duration = Duration::from_mins(5);

/// What a function is given to do, and how it reports that this is done.
pub(crate) struct RuntimeApi {
    pub(crate) address: SocketAddr,
    plans: Sender<Vec<Event>>,
    reports: Receiver<Report>,
}

/// When the function was ready for more, and how long each event before took.
pub(crate) struct Report {
    pub(crate) ready: Instant,
    pub(crate) took: Vec<Duration>,
}

/// The state between two requests of a function.
struct Course {
    plans: Receiver<Vec<Event>>,
    reports: Sender<Report>,
    events: std::vec::IntoIter<Event>,
    expected: &'static str,
    began: Instant,
    took: Vec<Duration>,
}

impl RuntimeApi {
    /// Listens for one function.
    pub(crate) fn listening() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let ((plans, to_come), (report, reports)) = (channel(), channel());
        let course = Course {
            plans: to_come,
            reports: report,
            events: Vec::new().into_iter(),
            expected: "",
            began: Instant::now(),
            took: Vec::new(),
        };
        thread::spawn(move || accept(&listener, course));
        Ok(Self { address, plans, reports })
    }

    /// Waits until the function asks for an event that it has not been given yet.
    pub(crate) fn report(&self) -> Report {
        self.reports.recv_timeout(PATIENCE).expect("the function answers in time, and as it should")
    }

    /// Gives it these events, one after the other.
    pub(crate) fn invoke(&self, events: Vec<Event>) -> Report {
        self.plans.send(events).expect("the function is still there");
        self.report()
    }
}

/// Serves the connections of one function until there are no more plans for it; then
/// they are closed, by which it ends.
fn accept(listener: &TcpListener, course: Course) {
    let course = Arc::new(Mutex::new(course));
    while let Ok((stream, _)) = listener.accept() {
        let course = Arc::clone(&course);
        thread::spawn(move || serve(stream, &course));
    }
}

fn serve(stream: TcpStream, course: &Mutex<Course>) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut stream = BufReader::new(stream);
    while let Some(request) = http::read(&mut stream).ok()? {
        let mut course = course.lock().ok()?;
        if request.method == "GET" {
            course.give_next(stream.get_mut())?;
        } else {
            course.take_answer(&request)?;
            http::answer(stream.get_mut(), "202 Accepted", "", b"{}").ok()?;
        }
    }
    Some(())
}

impl Course {
    fn give_next(&mut self, stream: &mut TcpStream) -> Option<()> {
        let event = self.next_event()?;
        let deadline = (SystemTime::now() + DEADLINE).duration_since(UNIX_EPOCH).ok()?.as_millis();
        let headers = format!(
            "content-type: application/json\r\nlambda-runtime-aws-request-id: bench\r\n\
             lambda-runtime-deadline-ms: {deadline}\r\n\
             lambda-runtime-invoked-function-arn: arn:aws:lambda:eu-west-1:123456789012:function:bench\r\n"
        );
        self.expected = event.answered_by;
        self.began = Instant::now();
        http::answer(stream, "200 OK", &headers, event.text.as_bytes()).ok()
    }

    /// The next event; waits for it where all that were planned are done.
    fn next_event(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.events.next() {
                return Some(event);
            }
            let report = Report { ready: Instant::now(), took: std::mem::take(&mut self.took) };
            self.reports.send(report).ok()?;
            self.events = self.plans.recv().ok()?.into_iter();
            self.took.reserve(self.events.len());
        }
    }

    /// Takes an answer. A wrong one ends the connection, and by that the bench.
    fn take_answer(&mut self, request: &Request) -> Option<()> {
        self.took.push(self.began.elapsed());
        let body = String::from_utf8_lossy(&request.body);
        let is_right = request.path.ends_with("/response") && body.contains(self.expected);
        if !is_right {
            eprintln!("{} {}: {body}", request.method, request.path);
        }
        is_right.then_some(())
    }
}
