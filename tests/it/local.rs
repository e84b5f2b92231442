//! The local binary, as a person or a script starts it.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde_json::Value;

/// A running local mode; it ends with the value, and its log is then searched.
struct Local {
    process: Child,
    port: u16,
}

/// What no log may hold: the beginnings of a token and of a cookie, and addresses.
const NEVER_LOGGED: [&str; 3] = ["eyJ0eXAiOiJhcm0", "arm_session=", "@"];

impl Local {
    fn start(options: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_local"));
        command.args(["--ready-json", "--log", "json"]).args(options);
        if !options.contains(&"--port") {
            command.args(["--port", "0"]);
        }
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        let url = ready["url"].as_str().unwrap();
        assert!(ready["ready"] == true && url.starts_with("http://localhost:"), "{line}");
        Self { process, port: url.rsplit(':').next().unwrap().parse().unwrap() }
    }

    /// Sends a request, and reads the status, the head and the body.
    fn send(&self, method: &str, path: &str, headers: &str, body: &str) -> (u16, String, String) {
        self.send_as("localhost", method, path, headers, body)
    }

    /// The same, as a browser does where another name of this machine was typed.
    fn send_as(
        &self,
        name: &str,
        method: &str,
        path: &str,
        headers: &str,
        body: &str,
    ) -> (u16, String, String) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let host = format!("Host: {name}:{0}\r\nOrigin: http://localhost:{0}", self.port);
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\n{host}\r\nConnection: close\r\nContent-Length: {length}\r\n"
        );
        stream.write_all(format!("{head}{headers}\r\n{body}").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), head.to_owned(), body.to_owned())
    }

    fn json(&self, path: &str, headers: &str, body: &str) -> (u16, Value) {
        let headers = format!("Content-Type: application/json\r\n{headers}");
        let (status, _, body) = self.send("POST", path, &headers, body);
        (status, serde_json::from_str(&body).unwrap_or_default())
    }

    fn sign_in(&self, email: &str) -> String {
        let (status, head, _) = self.send("POST", "/login/development", "", &format!("email={email}"));
        assert_eq!(status, 303, "{head}");
        let cookie = head.lines().find_map(|it| it.strip_prefix("set-cookie: ")).unwrap();
        format!("Cookie: {}\r\n", cookie.split(';').next().unwrap())
    }

    fn status_of_me(&self, credential: &str) -> u16 {
        self.json("/api", credential, r#"{"query": "{ me { role } }"}"#).0
    }

    /// Makes a token that ends in `seconds`, counted from the time of this machine.
    fn make_token(&self, session: &str, seconds: i64) -> String {
        let expires = jiff_now() + seconds;
        let query = format!("mutation {{ updateAccessToken(expirationTime: {expires}) {{ sessionJwt }} }}");
        let (_, answer) = self.json("/api", session, &serde_json::json!({ "query": query }).to_string());
        let token = answer["data"]["updateAccessToken"]["sessionJwt"].as_str();
        format!("Authorization: Bearer {}\r\n", token.unwrap_or_else(|| panic!("{answer}")))
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        let _it_may_have_ended = self.process.kill();
        let mut log = String::new();
        self.process.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        let _it_may_have_ended = self.process.wait();
        for secret in NEVER_LOGGED.iter().filter(|_| !std::thread::panicking()) {
            assert!(!log.contains(secret), "the log has {secret}:\n{log}");
        }
    }
}

fn jiff_now() -> i64 {
    arm_api::clock::Clock::System.now().as_second()
}

/// A folder of this test's own, gone with the value.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        let _it_may_not_exist = std::fs::remove_dir_all(&path);
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _it_may_not_exist = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn the_demo_people_are_there_and_the_admin_is_one() {
    let local = Local::start(&["--in-memory"]);
    let admin = local.sign_in("admin@demo.test");

    let query = r#"{"query": "{ me { userName role organizations { name } } }"}"#;
    let (_, answer) = local.json("/api", &admin, query);

    let me = serde_json::json!({ "userName": "Ada Admin", "role": "admin", "organizations": [{ "name": "demo" }] });
    assert_eq!(answer["data"]["me"], me);
}

#[test]
fn tokens_and_sessions_survive_a_restart() {
    let folder = Folder::new("restart");
    let options = ["--data-dir", folder.path()];
    let first = Local::start(&options);
    let session = first.sign_in("ana@acme.test");
    let port = first.port;
    let token = first.make_token(&session, 3600);
    drop(first);

    let port = port.to_string();
    let second = Local::start(&[&options[..], &["--port", &port]].concat()[..]);

    assert_eq!((second.status_of_me(&session), second.status_of_me(&token)), (200, 200));
}

#[test]
fn a_script_moves_the_clock() {
    let local = Local::start(&["--in-memory", "--test-clock"]);
    let session = local.sign_in("ana@acme.test");

    let (_, before) = local.json("/development/clock", "", r#"{"advanceSeconds": 2399}"#);
    assert_eq!(local.status_of_me(&session), 200);
    let (_, after) = local.json("/development/clock", "", r#"{"advanceSeconds": 1}"#);

    assert_eq!(after["now"].as_i64(), before["now"].as_i64().map(|it| it + 1));
    assert_eq!(local.status_of_me(&session), 401);
}

#[test]
fn a_script_lets_dynamodb_and_signing_fail() {
    let local = Local::start(&["--in-memory", "--test-faults"]);
    let session = local.sign_in("ana@acme.test");

    local.json("/development/faults", "", r#"{"dynamodb": "throttle", "times": 3}"#);
    assert_eq!([local.status_of_me(&session), local.status_of_me(&session)], [503, 200]);

    local.json("/development/faults", "", r#"{"kms": "error", "times": 1}"#);
    let query =
        format!("mutation {{ updateAccessToken(expirationTime: {}) {{ success }} }}", jiff_now() + 60);
    let body = serde_json::json!({ "query": query }).to_string();
    assert_eq!(local.json("/api", &session, &body).0, 503);
    assert_eq!(local.json("/api", &session, &body).0, 200);
}

#[test]
fn a_page_opened_as_127_0_0_1_leads_to_localhost() {
    let local = Local::start(&["--in-memory"]);

    let headers = "Accept: text/html\r\nSec-Fetch-Mode: navigate\r\n";
    let (status, head, _) = local.send_as("127.0.0.1", "GET", "/api?a=b", headers, "");

    assert_eq!(status, 303);
    assert!(head.contains(&format!("location: http://localhost:{}/api?a=b", local.port)), "{head}");
}

#[test]
fn the_two_levers_of_faults_do_not_touch_each_other() {
    let local = Local::start(&["--in-memory", "--test-faults"]);
    let session = local.sign_in("ana@acme.test");

    local.json("/development/faults", "", r#"{"dynamodb": "error", "times": 100}"#);
    local.json("/development/faults", "", r#"{"kms": "error"}"#);
    assert_eq!(local.status_of_me(&session), 503);

    local.json("/development/faults", "", r#"{"dynamodb": null}"#);
    assert_eq!(local.status_of_me(&session), 200);
}

#[test]
fn without_their_options_there_are_no_levers_and_no_demo() {
    let local = Local::start(&["--in-memory", "--no-demo", "--token-creation-disabled", "Audit."]);
    let session = local.sign_in("admin@demo.test");

    assert_eq!(local.json("/development/clock", "", r#"{"advanceSeconds": 1}"#).0, 404);
    assert_eq!(local.json("/development/faults", "", r#"{"dynamodb": null}"#).0, 404);
    let (_, answer) = local.json("/api", &session, r#"{"query": "{ me { role } }"}"#);
    assert_eq!(answer["data"]["me"]["role"], "user", "somebody new");
    let mutation = r#"{"query": "mutation { updateAccessToken(expirationTime: 1) { success } }"}"#;
    let (_, answer) = local.json("/api", &session, mutation);
    assert_eq!(answer["errors"][0]["extensions"]["reason"], "CREATION_DISABLED");
}

#[test]
fn keys_are_rotated_and_retired_on_the_command_line() {
    let folder = Folder::new("keys");
    let keys = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_local"));
        let output = command.args(["--data-dir", folder.path(), "keys"]).args(arguments).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let kid = keys(&["list"]).split(' ').next().unwrap().to_owned();
    let first = Local::start(&["--data-dir", folder.path()]);
    let port = first.port.to_string();
    let token = first.make_token(&first.sign_in("ana@acme.test"), 3600);
    drop(first);

    assert!(keys(&["rotate"]).starts_with(&format!("{kid} VerifyOnly\n")));
    let rotated = Local::start(&["--data-dir", folder.path(), "--port", &port]);
    assert_eq!(rotated.status_of_me(&token), 200);
    drop(rotated);

    assert!(keys(&["retire", &kid]).starts_with(&format!("{kid} Dead\n")));
    let retired = Local::start(&["--data-dir", folder.path(), "--port", &port]);
    assert_eq!(retired.status_of_me(&token), 401);
}
