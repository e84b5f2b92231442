//! The limits of queries. A query beyond a limit is rejected before it is executed.

use arm_api::clock::Clock;
use futures_util::future::join_all;
use jiff::SignedDuration;
use proptest::{prelude::ProptestConfig, prop_assert, proptest};
use rstest::rstest;
use serde_json::json;

use crate::given::{ME, TestResponse, World};

/// The longest time for a response. Rejecting a query takes about 50 ms in an optimised build, and
/// longer in a debug build while other suites run. A query that is not rejected takes minutes.
const SOON: std::time::Duration = std::time::Duration::from_secs(20);

const INVALID: &str = "400 GRAPHQL_VALIDATION_FAILED";
const NO_GRAPHQL: &str = "400 GRAPHQL_PARSE_FAILED";

/// Sends a query without a credential. Accepts the media type whose responses have status 400 for a
/// rejected query.
async fn execute(world: &World, query: &str) -> TestResponse {
    let headers =
        [("content-type", "application/json"), ("accept", "application/graphql-response+json")];
    let body = json!({ "query": query }).to_string();
    let stopwatch = Clock::stopwatch();
    let response = world.request(("POST", "/api"), &headers, body).await;
    assert!(stopwatch.elapsed() < SOON, "it took {:?}", stopwatch.elapsed());
    response
}

/// Repeats `open` `count` times, then `middle`, then `close` `count` times.
fn nested(open: &str, count: usize, middle: &str, close: &str) -> String {
    format!("{}{middle}{}", open.repeat(count), close.repeat(count))
}

fn listed(count: usize, part: impl Fn(usize) -> String) -> String {
    (0..count).map(part).collect()
}

/// Returns `count` fragments that each spread the next fragment `times` times.
fn fragments(count: usize, times: usize) -> String {
    let each = |it: usize| {
        format!("fragment f{it} on Query {{ {} }} ", format!("...f{} ", it + 1).repeat(times))
    };
    format!("{} fragment f{count} on Query {{ __typename }}", listed(count, each))
}

/// Returns an introspection query of valid fields with this many levels, at least 6.
fn levels_of_types(levels: usize) -> String {
    let types = nested("{ ofType ", levels - 6, "{ name }", "}");
    format!("{{ __schema {{ types {{ fields {{ type {{ ofType {types}}} }} }} }} }}")
}

#[rstest]
#[case::fifteen_levels(levels_of_types(15), "200")]
#[case::sixteen_levels(levels_of_types(16), INVALID)]
#[case::fifty_levels(nested("{ a ", 50, "", "}"), INVALID)]
#[case::fifty_levels_of_inline_fragments(
    format!("{{ {} }}", nested("... { ", 50, "__typename", "}")),
    INVALID
)]
#[tokio::test]
async fn a_query_has_at_most_fifteen_levels(#[case] query: String, #[case] verdict: &str) {
    let world = World::new().await;

    let response = execute(&world, &query).await;

    assert_eq!(response.verdict(), verdict, "{}", response.text());
    assert!(world.take_operations().is_empty());
}

#[rstest]
#[case::thirty(30, "200")]
#[case::thirty_one(31, INVALID)]
#[case::a_thousand(1000, INVALID)]
#[tokio::test]
async fn a_field_has_at_most_thirty_aliases(#[case] count: usize, #[case] verdict: &str) {
    let world = World::new().await;
    let aliases = listed(count, |it| format!("a{it}: __typename "));

    for query in
        [format!("{{ {aliases} }}"), format!("{{ ...a }} fragment a on Query {{ {aliases} }}")]
    {
        assert_eq!(execute(&world, &query).await.verdict(), verdict);
    }
}

#[rstest]
#[case::fifty(50, "200")]
#[case::fifty_one(51, INVALID)]
#[tokio::test]
async fn a_query_has_at_most_fifty_directives(#[case] count: usize, #[case] verdict: &str) {
    let world = World::new().await;
    let skipped = "... @skip(if: true) { __typename } ".repeat(count);

    for query in [
        format!("{{ a: __typename {skipped} }}"),
        format!("{{ a: __typename ...a }} fragment a on Query {{ {skipped} }}"),
    ] {
        assert_eq!(execute(&world, &query).await.verdict(), verdict);
    }
}

#[rstest]
#[case::without_a_credential(None)]
#[case::with_a_token(Some("ana@acme.test"))]
#[tokio::test]
async fn a_query_of_a_megabyte_is_rejected(#[case] email: Option<&str>) {
    let world = World::new().await;
    let query = format!("{{ me {{ accessToken }} }} # {}", "a".repeat(1_000_000));

    let response = match email {
        Some(email) => world.program_for(email).await.query(&query).await,
        None => world.query_anonymously(&query).await,
    };

    assert_eq!(response.verdict(), "413 BAD_REQUEST");
}

/// The clock is paused. Otherwise a slow machine would reach the timeouts of the store.
#[tokio::test(start_paused = true)]
async fn a_thousand_concurrent_requests_with_one_token_take_one_read_each() {
    let world = World::new().await;
    let program = world.program_for("ana@acme.test").await;
    assert_eq!(program.query(ME).await.verdict(), "200");
    world.advance(SignedDuration::from_mins(9));
    world.take_operations();

    let responses = join_all((0..1000).map(|_| program.query(ME))).await;

    assert!(responses.iter().all(|it| it.verdict() == "200"));
    assert_eq!(world.take_operations(), vec!["BatchGetItem"; 1000]);
}

#[rstest]
#[case::in_the_operation("{ ...f0 }")]
#[case::in_an_operation_that_is_not_executed("query A { __typename } query B { ...f0 }")]
#[case::in_no_operation("{ __typename }")]
#[tokio::test]
async fn a_fragment_bomb_is_rejected_quickly(#[case] operations: &str) {
    let world = World::new().await;

    for (count, times) in [(28, 2), (60, 2), (4, 100), (2000, 1)] {
        let query = format!("{operations} {}", fragments(count, times));
        assert_eq!(
            execute(&world, &query).await.verdict(),
            INVALID,
            "{count} fragments, {times} times each"
        );
    }
}

#[rstest]
#[case::of_one("{ ...a } fragment a on Query { ...a }")]
#[case::of_two("{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }")]
#[case::below_a_field(
    "{ __schema { ...a } } \
     fragment a on __Schema { types { fields { type { ...b } } } } \
     fragment b on __Type { ofType { ...b } }"
)]
#[case::in_no_operation("{ __typename } fragment a on Query { ...b } fragment b on Query { ...a }")]
#[case::in_an_operation_that_is_not_executed(
    "query A { __typename } query B { ...a } fragment a on Query { ...a }"
)]
#[tokio::test]
async fn a_cycle_of_fragments_is_rejected_quickly(#[case] query: &str) {
    assert_eq!(execute(&World::new().await, query).await.verdict(), INVALID);
}

#[rstest]
#[case::lists("{ me(callerOrigin: ", "[", "1", "]", ") { role } }")]
#[case::objects("{ me(callerOrigin: ", "{a:", "1", "}", ") { role } }")]
#[case::selections("", "{a", "", "}", "")]
#[case::bare_braces("", "{", "", "}", "")]
#[case::parentheses("{ me", "(", "", ")", " { role } }")]
#[case::inline_fragments("{ ", "...{", "__typename", "}", " }")]
#[case::default_values("query ($a: Int = ", "[", "1", "]", ") { __typename }")]
#[case::types("query ($a: ", "[", "Int", "]", ") { me(callerOrigin: $a) { role } }")]
#[case::directives("{ __typename @skip(if: ", "[", "true", "]", ") }")]
#[tokio::test]
async fn deep_nesting_never_overflows_the_stack(
    #[case] before: &str,
    #[case] open: &str,
    #[case] middle: &str,
    #[case] close: &str,
    #[case] after: &str,
) {
    let world = World::new().await;
    let levels =
        [100, 300, 350, 400, 700, 1000, 1500, 2500, 4000, 99_000 / (open.len() + close.len())];

    for count in levels {
        let closed = format!("{before}{}{after}", nested(open, count, middle, close));
        assert_eq!(execute(&world, &closed).await.verdict(), INVALID, "{count} levels");
    }
    let open = format!("{before}{}", open.repeat(99_000 / open.len()));
    assert_eq!(execute(&world, &open).await.verdict(), INVALID);
}

#[rstest]
#[case::in_a_string("{ __type(name: \"[[\\\"{{\") { name } }")]
#[case::in_a_block_string("{ __type(name: \"\"\"[[ \" \\\"\"\" {{\"\"\") { name } }")]
#[case::in_a_comment("{ __typename # [[ \" {{\n }")]
#[tokio::test]
async fn brackets_in_strings_and_comments_do_not_count(#[case] query: &str) {
    let query = query.replace("[[", &"[".repeat(1000));

    assert_eq!(execute(&World::new().await, &query).await.verdict(), "200");
}

#[tokio::test]
async fn brackets_between_strings_count() {
    let world = World::new().await;

    let closed_by_strings = nested("\"]]]]\" [", 400, "", "]");
    let after_no_block_string = format!("\"\"\" \" {}", nested("[", 400, "", "]"));

    for (list, verdict) in [(closed_by_strings, INVALID), (after_no_block_string, NO_GRAPHQL)] {
        let query = format!("{{ me(callerOrigin: [{list}]) {{ role }} }}");
        assert_eq!(execute(&world, &query).await.verdict(), verdict);
    }
}

fn arguments(count: usize) -> String {
    listed(count, |it| format!("a{it}: 1 "))
}

#[rstest]
#[case::fields(format!("{{ {} }}", listed(1001, |it| format!("a{it} "))))]
#[case::of_many_fields(format!("{{ {} }}", "me { role userName } ".repeat(501)))]
#[case::arguments(format!("{{ me({}) {{ role }} }}", arguments(9000)))]
#[case::arguments_twice(format!("{{ {0} {0} }}", format!("me({}) {{ role }}", arguments(4500))))]
#[case::arguments_of_a_directive(format!("{{ __typename @skip({}) }}", arguments(9000)))]
#[case::variables(format!("query ({}) {{ __typename }}", listed(9000, |it| format!("$a{it}: A "))))]
#[case::operations(listed(2000, |it| format!("query A{it} {{ __typename }} ")))]
#[case::inline_fragments(format!("{{ {} }}", "... { __typename } ".repeat(5000)))]
#[tokio::test]
async fn a_query_of_too_many_parts_is_rejected_quickly(#[case] query: String) {
    let response = execute(&World::new().await, &query).await;

    assert_eq!(response.verdict(), INVALID);
    assert!(response.bytes.len() < 10_000, "{} bytes", response.bytes.len());
}

#[tokio::test]
async fn deeply_nested_variables_never_overflow_the_stack() {
    let world = World::new().await;
    let query = "query ($a: String) { me(callerOrigin: $a) { role } }";

    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        for (count, status) in [(100, 200), (120, 200), (200, 400), (20_000, 400)] {
            let variables = format!("{{\"a\":{}}}", nested(open, count, "1", close));
            let body = format!("{{\"query\":\"{query}\",\"variables\":{variables}}}");
            let response = world
                .request(("POST", "/api"), &[("content-type", "application/json")], body)
                .await;
            assert_eq!(response.status, status, "{count} levels: {}", response.text());
        }
    }
}

/// All fields of a token.
const TOKEN: &str = "id name state issuedAt expiresAt firstUsedAt lastUsedAt revokedAt revokedBy";

#[tokio::test]
async fn the_largest_page_of_tokens_with_all_their_fields_is_within_the_limits() {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;

    let query = format!(
        "{{ me {{ accessTokens(first: 100) {{ edges {{ cursor node {{ {TOKEN} }} }} }} }} }}"
    );
    let response = ana.query(&query).await;

    assert_eq!(response.text(), r#"{"data":{"me":{"accessTokens":{"edges":[]}}}}"#);
}

#[rstest]
#[case::nine_pages(9, "200")]
#[case::ten_pages(10, "200 GRAPHQL_VALIDATION_FAILED")]
#[tokio::test]
async fn a_query_has_a_cost_of_at_most_ten_thousand(#[case] pages: usize, #[case] verdict: &str) {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;

    let page = |it| format!("a{it}: accessTokens(first: 100) {{ nodes {{ {TOKEN} }} }} ");
    let response = ana.query(&format!("{{ me {{ {} }} }}", listed(pages, page))).await;

    assert_eq!(response.verdict(), verdict, "{}", response.text());
}

#[rstest]
#[case::a_page_that_is_selected_again(
    "{ me { PAGE }  ...a ...a } fragment a on Query { me { PAGE PAGE } }"
)]
#[case::an_operation_that_is_not_executed("query A { me { PAGE } } query B { me { PAGE } }")]
#[tokio::test]
async fn the_cost_of_a_query_counts_each_executed_field_once(#[case] query: &str) {
    let world = World::new().await;
    let ana = world.log_in("ana@acme.test").await;
    let page = format!(
        "accessTokens(first: 100) {{ edges {{ node {{ {TOKEN} }} }} nodes {{ {TOKEN} }} }}"
    );
    let pages = listed(3, |it| format!("a{it}: {page} "));

    let query = query.replace("PAGE", &pages);
    let headers = [
        ("content-type", "application/json"),
        ("cookie", ana.cookie.as_str()),
        ("sec-fetch-site", "same-origin"),
    ];
    let name = query.contains("query A").then_some("A");
    let body = json!({ "query": query, "operationName": name }).to_string();
    let response = world.request(("POST", "/api"), &headers, body).await;

    assert_eq!(response.verdict(), "200", "{}", response.text());
}

#[tokio::test]
async fn the_introspection_of_the_ide_is_within_the_limits() {
    let world = World::new().await;

    let response = execute(&world, INTROSPECTION).await;

    assert_eq!(response.verdict(), "200", "{}", response.text());
    assert_eq!(response.json()["data"]["__schema"]["queryType"]["name"], "Query");
    assert!(world.take_operations().is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(64)
    })]

    #[test]
    fn no_query_causes_an_internal_error(
        text: String,
        graphql in "((query|mutation|fragment|on|me|role|a|\\$a|@skip|if|1|-|\\.\\.\\.|\"|\"\"\"|\\\\|#|:|=|!|\n|\\(|\\)|\\[|\\]|\\{|\\}) ?){0,60}",
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let statuses = runtime.block_on(async {
            let world = World::new().await;
            let wrapped = format!("{{ me(callerOrigin: {graphql}) {{ role }} }}");
            let queries = [&text, &graphql, &wrapped];
            join_all(queries.map(async |it| execute(&world, it).await.status)).await
        });

        prop_assert!(statuses.iter().all(|it| *it < 500), "{statuses:?}");
    }
}

/// The introspection query of GraphQL Playground, which has 13 levels.
const INTROSPECTION: &str = "
query IntrospectionQuery {
  __schema {
    queryType { name }
    mutationType { name }
    subscriptionType { name }
    types { ...FullType }
    directives { name description locations args { ...InputValue } }
  }
}
fragment FullType on __Type {
  kind name description
  fields(includeDeprecated: true) {
    name description args { ...InputValue } type { ...TypeRef } isDeprecated deprecationReason
  }
  inputFields { ...InputValue }
  interfaces { ...TypeRef }
  enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason }
  possibleTypes { ...TypeRef }
}
fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue }
fragment TypeRef on __Type {
  kind name ofType { kind name ofType { kind name ofType { kind name ofType {
    kind name ofType { kind name ofType { kind name ofType { kind name } } }
  } } } }
}";
