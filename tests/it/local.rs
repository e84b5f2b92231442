//! The binary of local mode, as a user or a script starts it.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use arm_api::local::dynamodb::Embedded;
use serde_json::Value;

/// Runs the binary with arguments that are rejected, and returns the error message.
fn error_message(arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_local"));
    let output = command.args(["--port", "0"]).args(arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8(output.stderr).unwrap()
}

/// A running local mode. When the value is dropped, the process is stopped and its log is searched.
struct Local {
    process: Child,
    port: u16,
}

/// Strings that no log may contain: the start of a token, the start of a cookie, and email
/// addresses.
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

    /// Sends a request. Returns the status, the head and the body of the response.
    fn send(&self, method: &str, path: &str, headers: &str, body: &str) -> (u16, String, String) {
        self.send_as(&format!("localhost:{}", self.port), method, path, headers, body)
    }

    /// Sends a request with another `Host` header.
    fn send_as(
        &self,
        host: &str,
        method: &str,
        path: &str,
        headers: &str,
        body: &str,
    ) -> (u16, String, String) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let host = format!("Host: {host}\r\nOrigin: http://localhost:{}", self.port);
        let length = format!("Connection: close\r\nContent-Length: {}", body.len());
        let head = format!("{method} {path} HTTP/1.1\r\n{host}\r\n{length}\r\n");
        stream.write_all(format!("{head}{headers}\r\n{body}").as_bytes()).unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap();
        let (head, body) = response.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), head.to_owned(), body.to_owned())
    }

    fn json(&self, path: &str, headers: &str, body: &str) -> (u16, Value) {
        let headers = format!("Content-Type: application/json\r\n{headers}");
        let (status, _, body) = self.send("POST", path, &headers, body);
        (status, serde_json::from_str(&body).unwrap_or_default())
    }

    fn log_in(&self, email: &str) -> String {
        let (status, head, _) =
            self.send("POST", "/login/development", "", &format!("email={email}"));
        assert_eq!(status, 303, "{head}");
        let cookie = head.lines().find_map(|it| it.strip_prefix("set-cookie: ")).unwrap();
        format!("Cookie: {}\r\n", cookie.split(';').next().unwrap())
    }

    fn status_of_me(&self, credential: &str) -> u16 {
        self.json("/api", credential, r#"{"query": "{ me { role } }"}"#).0
    }

    /// Creates an API token that expires in `seconds`.
    fn create_token(&self, session: &str, seconds: i64) -> String {
        let expires = unix_now() + seconds;
        let query =
            format!("mutation {{ updateAccessToken(expirationTime: {expires}) {{ sessionJwt }} }}");
        let (_, response) =
            self.json("/api", session, &serde_json::json!({ "query": query }).to_string());
        let token = response["data"]["updateAccessToken"]["sessionJwt"].as_str();
        format!("Authorization: Bearer {}\r\n", token.unwrap_or_else(|| panic!("{response}")))
    }
}

impl Local {
    /// Stops the process. The first call returns the log.
    fn stop(&mut self) -> String {
        let _already_exited = self.process.kill();
        let mut log = String::new();
        if let Some(mut stderr) = self.process.stderr.take() {
            stderr.read_to_string(&mut log).unwrap();
        }
        let _already_exited = self.process.wait();
        log
    }

    fn log(mut self) -> String {
        self.stop()
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        let log = self.stop();
        for secret in NEVER_LOGGED.iter().filter(|_| !std::thread::panicking()) {
            assert!(!log.contains(secret), "the log contains {secret}:\n{log}");
        }
    }
}

fn unix_now() -> i64 {
    arm_api::clock::Clock::System.now().as_second()
}

/// A temporary directory, which is deleted when the value is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        let _may_not_exist = std::fs::remove_dir_all(&path);
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _may_not_exist = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn the_demo_users_exist_and_the_admin_has_the_role() {
    let local = Local::start(&["--in-memory"]);
    let admin = local.log_in("admin@demo.test");

    let query = r#"{"query": "{ me { userName role organizations { name } } }"}"#;
    let (_, response) = local.json("/api", &admin, query);

    let me = serde_json::json!({
        "userName": "Ada Admin", "role": "admin", "organizations": [{ "name": "demo" }],
    });
    assert_eq!(response["data"]["me"], me);
}

#[test]
fn tokens_and_sessions_survive_a_restart() {
    let folder = Folder::new("restart");
    let options = ["--data-dir", folder.path()];
    let first = Local::start(&options);
    let session = first.log_in("ana@acme.test");
    let port = first.port;
    let token = first.create_token(&session, 3600);
    drop(first);

    let port = port.to_string();
    let second = Local::start(&[&options[..], &["--port", &port]].concat()[..]);

    assert_eq!(second.status_of_me(&session), 200);
    assert_eq!(second.status_of_me(&token), 200);
}

#[test]
fn a_second_start_does_not_write_the_demo_data_again() {
    let folder = Folder::new("demo");
    let count = || {
        drop(Local::start(&["--data-dir", folder.path()]));
        let database = Embedded::in_file(&format!("{}/dynamodb.sqlite", folder.path())).unwrap();
        let (_, response) = database.respond("Scan", br#"{"TableName":"arm"}"#);
        serde_json::from_str::<Value>(&response).unwrap()["Count"].as_u64().unwrap()
    };

    let first = count();

    assert!(first > 0);
    assert_eq!(count(), first);
}

#[test]
fn a_script_can_move_the_clock() {
    let local = Local::start(&["--in-memory", "--test-clock"]);
    let session = local.log_in("ana@acme.test");

    let (_, before) = local.json("/development/clock", "", r#"{"advanceSeconds": 2399}"#);
    assert_eq!(local.status_of_me(&session), 200);
    let (_, after) = local.json("/development/clock", "", r#"{"advanceSeconds": 1}"#);

    assert_eq!(after["now"].as_i64(), before["now"].as_i64().map(|it| it + 1));
    assert_eq!(local.status_of_me(&session), 401);
}

#[test]
fn a_script_makes_dynamodb_and_signing_fail() {
    let local = Local::start(&["--in-memory", "--test-faults"]);
    let session = local.log_in("ana@acme.test");

    local.json("/development/faults", "", r#"{"dynamodb": "throttle", "times": 3}"#);
    assert_eq!(local.status_of_me(&session), 503);
    assert_eq!(local.status_of_me(&session), 200);

    local.json("/development/faults", "", r#"{"kms": "error", "times": 1}"#);
    let query = format!(
        "mutation {{ updateAccessToken(expirationTime: {}) {{ success }} }}",
        unix_now() + 60
    );
    let body = serde_json::json!({ "query": query }).to_string();
    assert_eq!(local.json("/api", &session, &body).0, 503);
    assert_eq!(local.json("/api", &session, &body).0, 200);
}

#[test]
fn a_request_for_another_host_name_is_rejected() {
    let local = Local::start(&["--in-memory"]);

    let (status, _, body) = local.send_as("evil.test", "GET", "/api/schema.graphql", "", "");

    assert_eq!(status, 421);
    assert!(body.contains("answers only to its own hosts, such as localhost"), "{body}");
}

#[test]
fn a_page_opened_as_127_0_0_1_is_redirected_to_localhost() {
    let local = Local::start(&["--in-memory"]);

    let headers = "Accept: text/html\r\nSec-Fetch-Mode: navigate\r\n";
    let (status, head, _) = local.send_as("127.0.0.1:8089", "GET", "/api?a=b", headers, "");

    assert_eq!(status, 303);
    assert!(
        head.contains("location: http://localhost:8089/api?a=b"),
        "the port is forwarded: {head}"
    );
}

#[test]
fn a_script_lets_the_second_write_fail() {
    let local = Local::start(&["--in-memory", "--test-faults"]);
    let session = local.log_in("ana@acme.test");
    let create = format!(
        "mutation {{ updateAccessToken(expirationTime: {}) {{ success }} }}",
        unix_now() + 60
    );
    let create = serde_json::json!({ "query": create }).to_string();

    let plan = r#"{"dynamodb": "conflict", "writesOnly": true, "after": 1, "times": 100}"#;
    local.json("/development/faults", "", plan);

    assert_eq!(local.json("/api", &session, &create).0, 200);
    assert_eq!(local.json("/api", &session, &create).0, 503);
    assert_eq!(local.status_of_me(&session), 200);
}

#[test]
fn faults_of_dynamodb_and_of_signing_are_planned_separately() {
    let local = Local::start(&["--in-memory", "--test-faults"]);
    let session = local.log_in("ana@acme.test");

    local.json("/development/faults", "", r#"{"dynamodb": "error", "times": 100}"#);
    local.json("/development/faults", "", r#"{"kms": "error"}"#);
    assert_eq!(local.status_of_me(&session), 503);

    local.json("/development/faults", "", r#"{"dynamodb": null}"#);
    assert_eq!(local.status_of_me(&session), 200);
}

#[test]
fn the_controls_and_the_demo_data_can_be_turned_off() {
    let local = Local::start(&["--in-memory", "--no-demo", "--token-creation-disabled", "Audit."]);
    let session = local.log_in("admin@demo.test");

    assert_eq!(local.json("/development/clock", "", r#"{"advanceSeconds": 1}"#).0, 404);
    assert_eq!(local.json("/development/faults", "", r#"{"dynamodb": null}"#).0, 404);
    let (_, response) = local.json("/api", &session, r#"{"query": "{ me { role } }"}"#);
    assert_eq!(response["data"]["me"]["role"], "user", "somebody new");
    let mutation = r#"{"query": "mutation { updateAccessToken(expirationTime: 1) { success } }"}"#;
    let (_, response) = local.json("/api", &session, mutation);
    assert_eq!(response["errors"][0]["extensions"]["reason"], "CREATION_DISABLED");
}

#[test]
fn an_error_at_start_names_the_file_and_says_what_to_do() {
    let folder = Folder::new("cannot-start");
    std::fs::create_dir_all(&folder.0).unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.0.join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let plain = file("plain", "");
    let below_a_file = format!("{plain}/data");
    let no_keys = folder.0.join("no-keys");
    std::fs::create_dir_all(&no_keys).unwrap();
    std::fs::write(no_keys.join("keys.json"), "[").unwrap();
    let no_database = folder.0.join("no-database");
    std::fs::create_dir_all(&no_database).unwrap();
    std::fs::write(
        no_database.join("dynamodb.sqlite"),
        "this is a text, and not a database".repeat(99),
    )
    .unwrap();
    let no_keys = no_keys.to_str().unwrap();
    let no_database = no_database.to_str().unwrap();
    let broken = file("providers.json", "[{]");
    let missing = format!("{}/missing.json", folder.path());

    for (arguments, subject, remedy) in [
        (&["--data-dir", &below_a_file][..], below_a_file.as_str(), "--data-dir"),
        (&["--data-dir", no_keys], "no-keys/keys.json", "restore it. Or delete it"),
        (&["--data-dir", no_database], "no-database/dynamodb.sqlite", "move it away"),
        (&["--in-memory", "--providers", &missing], &missing, "README"),
        (&["--in-memory", "--providers", &broken], &broken, "README"),
        (&["--data-dir", no_keys, "keys", "list"], "no-keys/keys.json", "restore it. Or delete it"),
        (&["--data-dir", &below_a_file, "keys", "list"], &below_a_file, "--data-dir"),
        (
            &["--in-memory", "--dynamodb-endpoint", "http://127.0.0.1:9"],
            "http://127.0.0.1:9",
            "Start it",
        ),
    ] {
        let error = error_message(arguments);
        let last_line = error.lines().last().unwrap_or_default();
        assert!(error.contains("error: Cannot "), "{arguments:?}: {error}");
        assert!(error.contains(subject), "{arguments:?}: {error}");
        assert!(last_line.contains(remedy), "{arguments:?}: {error}");
        assert!(!error.contains(" { "), "{arguments:?} prints a struct: {error}");
    }
}

#[test]
fn an_error_about_a_port_in_use_names_it_and_says_what_to_do() {
    let local = Local::start(&["--in-memory"]);
    let port = local.port.to_string();

    let mut command = Command::new(env!("CARGO_BIN_EXE_local"));
    let output = command.args(["--in-memory", "--port", &port]).output().unwrap();

    let error = String::from_utf8(output.stderr).unwrap();
    let expected = format!("error: Cannot listen on 127.0.0.1:{port}: ");
    assert!(error.starts_with(&expected), "{error}");
    assert!(error.contains("choose another one with --port"), "{error}");
}

#[test]
fn a_function_that_cannot_start_logs_one_line_with_all_mistakes() {
    for function in [env!("CARGO_BIN_EXE_api"), env!("CARGO_BIN_EXE_web")] {
        let output = Command::new(function).env_clear().output().unwrap();

        let log = String::from_utf8(output.stdout).unwrap();
        let line: Value = serde_json::from_str(&log).unwrap();
        let cause = line["cause"].as_str().unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(line["message"], "the process failed");
        assert!(cause.contains("TABLE_NAME is not set"), "{cause}");
        assert!(cause.contains("PUBLIC_URL"), "{cause}");
        assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn other_machines_can_connect_only_with_a_second_option() {
    let error = error_message(&["--in-memory", "--host", "0.0.0.0"]);
    assert!(error.contains("can log in as anybody, without a password"), "{error}");
    assert!(error.contains("--expose-to-network"), "{error}");

    let local = Local::start(&["--in-memory", "--host", "0.0.0.0", "--expose-to-network"]);
    assert_eq!(local.send_as("192.0.2.7", "GET", "/api/schema.graphql", "", "").0, 200);
    assert_eq!(local.send_as("evil.test", "GET", "/api/schema.graphql", "", "").0, 421);
    assert!(local.log().contains("can log in as anybody, without a password"));
}

#[test]
fn only_the_owner_can_read_the_database_and_the_keys() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new("private");
    let old = folder.0.join("dynamodb.sqlite");
    std::fs::create_dir_all(&folder.0).unwrap();
    std::fs::write(&old, "").unwrap();
    std::fs::set_permissions(&old, std::fs::Permissions::from_mode(0o644)).unwrap();
    let new_directory = folder.0.join("made");
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;

    for directory in [&folder.0, &new_directory] {
        let _local = Local::start(&["--data-dir", directory.to_str().unwrap()]);
        for file in ["dynamodb.sqlite", "dynamodb.sqlite-wal", "dynamodb.sqlite-shm", "keys.json"] {
            assert_eq!(mode(&directory.join(file)), 0o600, "{file}");
        }
    }
    assert_eq!(mode(&new_directory), 0o700);
}

#[test]
fn a_user_from_before_the_demo_data_gets_the_demo_role() {
    let folder = Folder::new("demo");
    let role = |local: &Local| {
        let session = local.log_in("admin@demo.test");
        local.json("/api", &session, r#"{"query": "{ me { role } }"}"#).1["data"]["me"]["role"]
            .clone()
    };
    let without = Local::start(&["--data-dir", folder.path(), "--no-demo"]);
    assert_eq!(role(&without), "user");
    drop(without);

    assert_eq!(role(&Local::start(&["--data-dir", folder.path()])), "admin");
}

#[test]
fn the_start_message_says_whether_there_is_an_admin() {
    let banner = |options: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_local"));
        command.args(["--in-memory", "--port", "0"]).args(options);
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines().map(Result::unwrap);
        let line = lines.into_iter().find(|it| it.contains("Log in:")).unwrap();
        process.kill().unwrap();
        process.wait().unwrap();
        line
    };

    assert!(banner(&[]).contains("admin@demo.test is an admin"));
    assert!(banner(&["--no-demo"]).contains("nobody is an admin"));
}

#[test]
fn keys_are_rotated_and_retired_on_the_command_line() {
    let folder = Folder::new("keys");
    let keys = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_local"));
        let output =
            command.args(["--data-dir", folder.path(), "keys"]).args(arguments).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let kid = keys(&["list"]).split(' ').next().unwrap().to_owned();
    let first = Local::start(&["--data-dir", folder.path()]);
    let port = first.port.to_string();
    let token = first.create_token(&first.log_in("ana@acme.test"), 3600);
    drop(first);

    assert!(keys(&["rotate"]).starts_with(&format!("{kid} VerifyOnly\n")));
    let rotated = Local::start(&["--data-dir", folder.path(), "--port", &port]);
    assert_eq!(rotated.status_of_me(&token), 200);
    drop(rotated);

    assert!(keys(&["retire", &kid]).starts_with(&format!("{kid} Dead\n")));
    let retired = Local::start(&["--data-dir", folder.path(), "--port", &port]);
    assert_eq!(retired.status_of_me(&token), 401);
}
