//! No request takes more memory than an instance has. The tests send the largest requests to a
//! process that is limited to 256 MB.

use std::process::Command;

use serde_json::json;

use crate::given::{URL, World};

const JSON: (&str, &str) = ("content-type", "application/json");

/// The limit of the virtual memory of the process, in KiB.
const LIMIT: usize = 256_000;

/// Returns a body of `length` bytes with variables that are nested 100 levels deep. `serde_json`
/// takes more than a hundred times as much memory for it.
fn nested(length: usize) -> String {
    let one = format!("{}0{}", "{\"\":".repeat(100), "}".repeat(100));
    let many = vec![one.as_str(); length / (one.len() + 1)].join(",");
    format!("{{\"query\":\"{{ __typename }}\",\"variables\":{{\"a\":[{many}]}}}}")
}

/// Returns whether this process has the memory limit. Otherwise runs the test in such a process.
#[expect(clippy::disallowed_methods, reason = "the variable marks the process with the limit")]
fn is_limited(name: &str) -> bool {
    if std::env::var_os("ARM_TEST_LIMITED").is_some() {
        return true;
    }
    let command =
        format!("ulimit -v {LIMIT} && exec timeout 120 \"$0\" --exact {name} --test-threads 1");
    let output = Command::new("sh")
        .args(["-c", &command])
        .arg(std::env::current_exe().unwrap())
        .env("ARM_TEST_LIMITED", "yes")
        .env("MALLOC_ARENA_MAX", "1")
        .env("RUST_BACKTRACE", "0")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{}: {text}", output.status);
    false
}

#[test]
fn the_largest_requests_fit_in_256_megabytes() {
    if !is_limited("memory::the_largest_requests_fit_in_256_megabytes") {
        return;
    }
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let world = World::new().await;
        let made_up = format!("__Host-arm_session={}.{}", "A".repeat(22), "A".repeat(43));
        let bearer = format!("Bearer {}", world.program_for("ana@acme.test").await.token);

        for (credential, length, status) in [
            (("cookie", made_up.as_str()), 4_000_000, 401),
            (("accept", "*/*"), 255_000, 400),
            (("authorization", bearer.as_str()), 4_000_000, 400),
        ] {
            let headers = [JSON, ("origin", URL), credential];
            let response = world.request(("POST", "/api"), &headers, nested(length)).await;
            assert_eq!(response.status, status, "{}", response.text());
        }
        for query in [
            format!("{{ me(callerOrigin: [{}]) {{ role }} }}", "1 ".repeat(49_000)),
            format!("{{ me(callerOrigin: [{}]) {{ role }} }}", "{a:1}".repeat(19_000)),
            format!("{{ {} }}", "a ".repeat(49_000)),
            format!(
                "{{ me(callerOrigin: {}1{}) {{ role }} }}",
                "[".repeat(49_000),
                "]".repeat(49_000)
            ),
        ] {
            let body = json!({ "query": query }).to_string();
            let response =
                world.request(("POST", "/api"), &[JSON, ("authorization", &bearer)], body).await;
            assert_eq!(response.verdict(), "200 GRAPHQL_VALIDATION_FAILED");
        }
    });
}
