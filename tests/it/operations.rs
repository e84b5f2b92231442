//! The scripts in `operations`. Their calls of the AWS CLI are sent to the embedded DynamoDB.

use std::process::Command;

use serde_json::{Value, json};

use crate::given::{
    Browser, ME, World,
    login::{acme, log_in, user_id_of},
};

/// Replaces the AWS CLI. Returns the person's id for `get-item`, and prints other commands.
const AWS: &str = r#"
    aws() {
        if [ "$2" = get-item ]; then echo "$PERSON"; return; fi
        printf '%s\n' "$2" "${@:3}" >&2
        echo "the address"
    }
    export -f aws
    exec operations/people "$@"
"#;

/// Runs `operations/people` for Ana, who has this id.
fn people(world: &World, command: &str, person: &str) -> String {
    let output = Command::new("bash")
        .args(["-c", AWS, "bash", &world.table, command, "ana@acme.test"])
        .env("PERSON", person)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let printed = String::from_utf8(output.stderr).unwrap();
    let (operation, options) = printed.split_once('\n').unwrap();
    assert_eq!(operation, "update-item");
    let (status, response) = world
        .embedded
        .as_ref()
        .unwrap()
        .respond("UpdateItem", request(options).to_string().as_bytes());
    assert_eq!(status, 200, "{response}");
    String::from_utf8(output.stdout).unwrap()
}

/// Returns the request that the AWS CLI would send. Options and their values are on separate lines.
fn request(options: &str) -> Value {
    let lines: Vec<&str> = options.lines().collect();
    let mut request = json!({});
    for pair in lines.chunks(2) {
        let (member, is_json) = match pair[0] {
            "--table-name" => ("TableName", false),
            "--key" => ("Key", true),
            "--update-expression" => ("UpdateExpression", false),
            "--condition-expression" => ("ConditionExpression", false),
            "--expression-attribute-names" => ("ExpressionAttributeNames", true),
            "--expression-attribute-values" => ("ExpressionAttributeValues", true),
            "--return-values" => ("ReturnValues", false),
            "--query" | "--output" => continue,
            other => panic!("{other} is not known here"),
        };
        request[member] =
            if is_json { serde_json::from_str(pair[1]).unwrap() } else { json!(pair[1]) };
    }
    request
}

#[tokio::test]
async fn a_released_login_and_its_sessions_stay_invalid() {
    let world = acme().await;
    let before = log_in(&world, 1, |_| ()).await;
    let user = user_id_of(&world, &before);
    let ana = Browser { world: &world, cookie: before.session_cookie().unwrap() };

    let printed = people(&world, "release", &user);

    assert!(printed.starts_with("Released the logins of"), "{printed}");
    assert_eq!(ana.query(ME).await.json()["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    assert_eq!(
        log_in(&world, 1, |_| ()).await.status,
        403,
        "the old subject, though it comes first"
    );
    let new = log_in(&world, 1, |it| it["sub"] = json!("2")).await;
    assert_eq!(user_id_of(&world, &new), user);
}

#[tokio::test]
async fn a_user_who_is_disabled_and_enabled_again_can_log_in() {
    let world = acme().await;
    let before = log_in(&world, 1, |_| ()).await;
    let user = user_id_of(&world, &before);
    let ana = Browser { world: &world, cookie: before.session_cookie().unwrap() };

    people(&world, "disable", &user);
    assert_eq!(log_in(&world, 1, |_| ()).await.status, 401);
    people(&world, "enable", &user);

    assert_eq!(ana.query(ME).await.json()["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    assert_eq!(user_id_of(&world, &log_in(&world, 1, |_| ()).await), user);
}
