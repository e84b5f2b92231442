//! `template.yaml` and the code that it deploys must match.

use std::{collections::BTreeSet, fs, path::Path};

use arm_api::telemetry::metrics::{DIMENSION, METRICS};
use serde_json::{Value, json};

use crate::given::login::{acme, log_in};

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// Variables that Lambda sets, and those that only emulators need.
const SET_BY_LAMBDA: [&str; 6] = [
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_REGION",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_ENDPOINT_URL_DYNAMODB",
];

/// The variable that no code reads. A change of it makes Lambda start new instances.
const NOT_READ: &str = "PROVIDERS_REVISION";

#[test]
fn the_functions_get_exactly_the_variables_that_the_configuration_reads() {
    let config = read("src/config.rs");
    let production = config.split("#[cfg(test)]").next().unwrap();
    let calls =
        ["required(\"", "optional(\""].into_iter().flat_map(|call| production.split(call).skip(1));
    let read_by_code: BTreeSet<&str> = calls.map(|rest| rest.split('"').next().unwrap()).collect();

    let template = read("template.yaml");
    let set: BTreeSet<&str> = template.split(" Variables:\n").skip(1).flat_map(names).collect();

    let expected = read_by_code.into_iter().filter(|it| !SET_BY_LAMBDA.contains(it));
    let expected: BTreeSet<&str> = expected.chain([NOT_READ]).collect();
    assert_eq!(set, expected);
}

/// Returns the keys of the YAML map at the start of the text.
fn names(text: &str) -> impl Iterator<Item = &str> {
    let depth = |line: &str| line.len() - line.trim_start().len();
    let own = text.lines().next().map(depth).unwrap();
    let lines = text
        .lines()
        .take_while(move |line| depth(line) >= own)
        .filter(move |line| depth(line) == own);
    lines.map(|line| line.trim().split(':').next().unwrap())
}

#[test]
fn the_table_is_the_one_that_the_store_expects() {
    let template = read("template.yaml");

    for line in [
        "AttributeName: PK, KeyType: HASH",
        "AttributeName: SK, KeyType: RANGE",
        "AttributeName: ttl, Enabled: true",
    ] {
        assert!(template.contains(line), "{line}");
    }
}

#[test]
fn the_alarms_and_the_dashboard_use_existing_metrics() {
    let template = read("template.yaml");

    let shown = ["[\"ArmApi\", \"", "Namespace: ArmApi\n      MetricName: ", "MetricName=\\\""];
    let shown = shown.iter().flat_map(|before| template.split(before).skip(1)).map(word);
    let shown: BTreeSet<&str> = shown.collect();
    assert_eq!(shown, METRICS.iter().map(|(name, _)| *name).collect());
    for widget in template.split("[\"ArmApi\", ").skip(1) {
        assert_eq!(widget.split('"').nth(3), Some(DIMENSION), "{}", widget.lines().next().unwrap());
    }
    for alarm in template.split("Namespace: ArmApi\n").skip(1) {
        let dimensions = alarm.lines().nth(1).map(str::trim).unwrap();
        let is_of_function = ["Dimensions: *OfApi", "Dimensions: *OfWeb"].contains(&dimensions);
        assert!(is_of_function, "{}", alarm.lines().next().unwrap());
    }
    for (anchor, function) in [("OfApi", "ApiFunction"), ("OfWeb", "WebFunction")] {
        let dimensions =
            format!("Dimensions: &{anchor} [{{ Name: {DIMENSION}, Value: !Ref {function} }}]");
        assert!(template.contains(&dimensions), "{dimensions}");
    }
    assert!(template.contains(&format!("SEARCH('{{ArmApi,{DIMENSION},Reason}}")));
}

/// Returns the letters at the start of the text.
fn word(text: &str) -> &str {
    text.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap()
}

#[test]
fn the_functions_may_access_exactly_the_kinds_of_records_that_exist() {
    let template = read("template.yaml");
    let keys = read("src/store/key.rs");

    let lists = template.split("\"dynamodb:LeadingKeys\": [").skip(1);
    let allowed: BTreeSet<&str> = lists
        .flat_map(|rest| rest.split(']').next().unwrap().split(", "))
        .map(|it| it.trim_matches('"'))
        .collect();
    let table = keys.lines().filter_map(|line| line.strip_prefix("//! |")?.split('|').nth(1));
    let kinds = table.filter_map(|cell| cell.trim().strip_prefix('`')?.split_once('<'));
    let kinds: BTreeSet<String> = kinds.map(|(key_prefix, _)| format!("{key_prefix}*")).collect();
    let expected = kinds.iter().map(String::as_str).chain(["W"]).collect();
    assert_eq!(allowed, expected);

    let warmed_up = template.split("Action: dynamodb:BatchGetItem").skip(1);
    let warmed_up: Vec<&str> = warmed_up.filter_map(|rest| rest.lines().nth(2)).collect();
    assert_eq!(warmed_up.len(), 2, "both functions make a read of what each authentication reads");
    for keys in ["\"U#*\"", "\"W\""] {
        assert!(warmed_up.iter().all(|it| it.contains(keys)), "{keys}: {warmed_up:?}");
    }
    assert!(warmed_up[0].contains("\"O#*\""), "the api function loads organizations");
}

/// Returns the prefix of a key, such as `U#`.
fn key_prefix(key: &Value) -> String {
    key["PK"]["S"].as_str().unwrap().split_inclusive('#').next().unwrap().to_owned()
}

#[tokio::test]
async fn the_policy_allows_every_write_of_a_login() {
    let world = acme().await;
    log_in(&world, 1, |_| ()).await;
    world.change_stakeholder("ana@acme.test", |it| it.subjects.clear()).await;
    log_in(&world, 1, |it| it["sub"] = json!("2")).await;
    log_in(&world, 1, |it| {
        it["sub"] = json!("2");
        it["email"] = json!("ana.rossi@acme.test");
    })
    .await;
    let template = read("template.yaml");
    let web = template.split("\n  WebRole:").nth(1).unwrap().split("\n  WebLogs:").next().unwrap();
    let statements: Vec<&str> = web.split("- Sid: ").collect();

    let sent = world.take_calls();
    let transactions: Vec<_> =
        sent.iter().filter_map(|it| it.body["TransactItems"].as_array()).collect();
    let written: BTreeSet<(&str, String)> =
        transactions.iter().flat_map(|it| it.iter().map(action_and_key_prefix)).collect();
    for expected in [("Put", "I#"), ("Put", "E#"), ("Update", "U#"), ("Delete", "E#")] {
        assert!(written.contains(&(expected.0, expected.1.to_owned())), "{expected:?}");
    }
    for transaction in transactions {
        let writes: Vec<_> = transaction.iter().map(action_and_key_prefix).collect();
        for (action, _) in &writes {
            let action = if *action == "ConditionCheck" { "ConditionCheckItem" } else { action };
            let allows = |statement: &&str| {
                statement.contains(&format!("dynamodb:{action}"))
                    && writes.iter().all(|(_, key)| statement.contains(&format!("\"{key}*\"")))
            };
            assert!(statements.iter().any(allows), "{action} among {writes:?}");
        }
    }
}

/// Returns the action of a write in a transaction, and the prefix of its key.
fn action_and_key_prefix(write: &Value) -> (&str, String) {
    let (action, of) = write.as_object().unwrap().iter().next().unwrap();
    (action, key_prefix(of.get("Key").or(of.get("Item")).unwrap()))
}

#[test]
fn only_the_web_function_may_access_what_logins_need() {
    let template = read("template.yaml");
    let api = template.split("\n  ApiRole:").nth(1).unwrap().split("\n  WebRole:").next().unwrap();

    for key_prefix in ["E#", "I#", "L#", "C#"] {
        assert!(!api.contains(&format!("\"{key_prefix}*\"")), "{key_prefix}");
    }
}

#[test]
fn the_guide_explains_every_alarm_and_names_only_existing_parameters() {
    let template = read("template.yaml");
    let guide = read("docs/operations.md");

    for (end, _) in template.match_indices(":\n    Type: AWS::CloudWatch::Alarm") {
        let alarm = template[..end].rsplit(' ').next().unwrap();
        assert!(guide.contains(&format!("`{alarm}`")), "{alarm}");
    }
    for rest in guide.split("--parameter-overrides ").skip(1) {
        let pairs =
            rest.split(['\n', '`']).next().unwrap().split(' ').filter_map(|it| it.split_once('='));
        for parameter in pairs.map(|(name, _)| name.trim_start_matches('\'')) {
            assert!(template.contains(&format!("\n  {parameter}:\n    Type: ")), "{parameter}");
        }
    }
}

#[test]
fn the_readme_and_the_guide_name_only_existing_commands() {
    let docs = read("README.md") + &read("docs/operations.md");
    let makefile = read("Makefile");

    let commands = docs.split("`make ").skip(1).chain(docs.split("\nmake ").skip(1));
    for command in commands {
        let target: String =
            command.chars().take_while(|c| c.is_ascii_lowercase() || *c == '-').collect();
        assert!(makefile.contains(&format!("\n{target}:")), "make {target}");
    }
}
