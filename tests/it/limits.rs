//! What is too much: queries that are refused before they cost anything.

use arm_api::clock::Clock;
use futures_util::future::join_all;
use jiff::SignedDuration;
use proptest::{prelude::ProptestConfig, prop_assert, proptest};
use rstest::rstest;
use serde_json::json;

use crate::given::{Answer, ME, World};

/// What refuses a query in 50 ms takes longer where nothing is optimised and other
/// suites run; a query that is not refused takes minutes.
const SOON: std::time::Duration = std::time::Duration::from_secs(20);

const INVALID: &str = "400 GRAPHQL_VALIDATION_FAILED";
const NO_GRAPHQL: &str = "400 GRAPHQL_PARSE_FAILED";

/// Nobody asks, with the answer's type that has its own statuses.
async fn asked(world: &World, query: &str) -> Answer {
    let headers =
        [("content-type", "application/json"), ("accept", "application/graphql-response+json")];
    let body = json!({ "query": query }).to_string();
    let stopwatch = Clock::stopwatch();
    let answer = world.sends(("POST", "/api"), &headers, body).await;
    assert!(stopwatch.elapsed() < SOON, "it took {:?}", stopwatch.elapsed());
    answer
}

/// `count` times `open`, what is in the middle, `count` times `close`.
fn nested(open: &str, count: usize, middle: &str, close: &str) -> String {
    format!("{}{middle}{}", open.repeat(count), close.repeat(count))
}

fn listed(count: usize, part: impl Fn(usize) -> String) -> String {
    (0..count).map(part).collect()
}

/// Fragments of which each spreads the next one `times` times.
fn fragments(count: usize, times: usize) -> String {
    let each = |it: usize| {
        format!("fragment f{it} on Query {{ {} }} ", format!("...f{} ", it + 1).repeat(times))
    };
    format!("{} fragment f{count} on Query {{ __typename }}", listed(count, each))
}

#[rstest]
#[case::fifteen_levels(nested("{ __schema { types { fields { type { ofType ", 1, &nested("{ ofType ", 9, "{ name }", "}"), "} } } } }"), "200")]
#[case::sixteen_levels(nested("{ __schema { types { fields { type { ofType ", 1, &nested("{ ofType ", 10, "{ name }", "}"), "} } } } }"), INVALID)]
#[case::fifty_levels(nested("{ a ", 50, "", "}"), INVALID)]
#[case::fifty_levels_of_inline_fragments(format!("{{ {} }}", nested("... { ", 50, "__typename", "}")), INVALID)]
#[tokio::test]
async fn a_query_has_fifteen_levels_at_most(#[case] query: String, #[case] verdict: &str) {
    let world = World::new().await;

    let answer = asked(&world, &query).await;

    assert_eq!(answer.verdict(), verdict, "{}", answer.text());
    assert!(world.calls().is_empty());
}

#[rstest]
#[case::thirty(30, "200")]
#[case::thirty_one(31, INVALID)]
#[case::a_thousand(1000, INVALID)]
#[tokio::test]
async fn a_field_has_thirty_aliases_at_most(#[case] count: usize, #[case] verdict: &str) {
    let world = World::new().await;
    let aliases = listed(count, |it| format!("a{it}: __typename "));

    for query in
        [format!("{{ {aliases} }}"), format!("{{ ...a }} fragment a on Query {{ {aliases} }}")]
    {
        assert_eq!(asked(&world, &query).await.verdict(), verdict);
    }
}

#[rstest]
#[case::fifty(50, "200")]
#[case::fifty_one(51, INVALID)]
#[tokio::test]
async fn a_query_has_fifty_directives_at_most(#[case] count: usize, #[case] verdict: &str) {
    let world = World::new().await;
    let skipped = "... @skip(if: true) { __typename } ".repeat(count);

    for query in [
        format!("{{ a: __typename {skipped} }}"),
        format!("{{ a: __typename ...a }} fragment a on Query {{ {skipped} }}"),
    ] {
        assert_eq!(asked(&world, &query).await.verdict(), verdict);
    }
}

#[rstest]
#[case::of_nobody(None)]
#[case::of_a_program(Some("ana@acme.test"))]
#[tokio::test]
async fn a_query_of_a_megabyte_is_not_read(#[case] email: Option<&str>) {
    let world = World::new().await;
    let query = format!("{{ me {{ accessToken }} }} # {}", "a".repeat(1_000_000));

    let answer = match email {
        Some(email) => world.program_of(email).await.asks(&query).await,
        None => world.nobody_asks(&query).await,
    };

    assert_eq!(answer.verdict(), "413 BAD_REQUEST");
}

/// Time stands still, or a slow machine would meet the store's own time limits.
#[tokio::test(start_paused = true)]
async fn a_thousand_requests_at_once_with_one_token_are_a_thousand_reads() {
    let world = World::new().await;
    let program = world.program_of("ana@acme.test").await;
    assert_eq!(program.asks(ME).await.verdict(), "200");
    world.later(SignedDuration::from_mins(9));
    world.calls();

    let answers = join_all((0..1000).map(|_| program.asks(ME))).await;

    assert!(answers.iter().all(|it| it.verdict() == "200"));
    assert_eq!(world.calls(), vec!["BatchGetItem"; 1000]);
}

#[rstest]
#[case::of_the_operation("{ ...f0 }")]
#[case::of_an_operation_that_nobody_asks_for("query A { __typename } query B { ...f0 }")]
#[case::of_no_operation("{ __typename }")]
#[tokio::test]
async fn a_fragment_bomb_is_refused_at_once(#[case] operations: &str) {
    let world = World::new().await;

    for (count, times) in [(28, 2), (60, 2), (4, 100), (2000, 1)] {
        let query = format!("{operations} {}", fragments(count, times));
        assert_eq!(
            asked(&world, &query).await.verdict(),
            INVALID,
            "{count} fragments, {times} times each"
        );
    }
}

#[rstest]
#[case::of_one("{ ...a } fragment a on Query { ...a }")]
#[case::of_two("{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }")]
#[case::below_a_field(
    "{ __schema { ...a } } fragment a on __Schema { types { fields { type { ...b } } } } fragment b on __Type { ofType { ...b } }"
)]
#[case::of_no_operation("{ __typename } fragment a on Query { ...b } fragment b on Query { ...a }")]
#[case::of_an_operation_that_nobody_asks_for(
    "query A { __typename } query B { ...a } fragment a on Query { ...a }"
)]
#[tokio::test]
async fn a_cycle_of_fragments_is_refused_at_once(#[case] query: &str) {
    assert_eq!(asked(&World::new().await, query).await.verdict(), INVALID);
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
        assert_eq!(asked(&world, &closed).await.verdict(), INVALID, "{count} levels");
    }
    let open = format!("{before}{}", open.repeat(99_000 / open.len()));
    assert_eq!(asked(&world, &open).await.verdict(), INVALID);
}

#[rstest]
#[case::in_a_string("{ __type(name: \"[[\\\"{{\") { name } }")]
#[case::in_a_block_string("{ __type(name: \"\"\"[[ \" \\\"\"\" {{\"\"\") { name } }")]
#[case::in_a_comment("{ __typename # [[ \" {{\n }")]
#[tokio::test]
async fn brackets_that_are_none_do_not_count(#[case] query: &str) {
    let query = query.replace("[[", &"[".repeat(1000));

    assert_eq!(asked(&World::new().await, &query).await.verdict(), "200");
}

#[tokio::test]
async fn brackets_do_not_hide_between_strings() {
    let world = World::new().await;

    let closed_by_strings = nested("\"]]]]\" [", 400, "", "]");
    let after_no_block_string = format!("\"\"\" \" {}", nested("[", 400, "", "]"));

    for (list, verdict) in [(closed_by_strings, INVALID), (after_no_block_string, NO_GRAPHQL)] {
        let query = format!("{{ me(callerOrigin: [{list}]) {{ role }} }}");
        assert_eq!(asked(&world, &query).await.verdict(), verdict);
    }
}

#[rstest]
#[case::fields(format!("{{ {} }}", listed(1001, |it| format!("a{it} "))))]
#[case::of_many_fields(format!("{{ {} }}", "me { role userName } ".repeat(501)))]
#[case::arguments(format!("{{ me({}) {{ role }} }}", listed(9000, |it| format!("a{it}: 1 "))))]
#[case::arguments_twice(format!("{{ {0} {0} }}", format!("me({}) {{ role }}", listed(4500, |it| format!("a{it}: 1 ")))))]
#[case::arguments_of_a_directive(format!("{{ __typename @skip({}) }}", listed(9000, |it| format!("a{it}: 1 "))))]
#[case::variables(format!("query ({}) {{ __typename }}", listed(9000, |it| format!("$a{it}: A "))))]
#[case::operations(listed(2000, |it| format!("query A{it} {{ __typename }} ")))]
#[case::inline_fragments(format!("{{ {} }}", "... { __typename } ".repeat(5000)))]
#[tokio::test]
async fn a_query_of_too_many_parts_is_refused_at_once(#[case] query: String) {
    let answer = asked(&World::new().await, &query).await;

    assert_eq!(answer.verdict(), INVALID);
    assert!(answer.bytes.len() < 10_000, "{} bytes", answer.bytes.len());
}

#[tokio::test]
async fn nested_variables_are_no_overflow() {
    let world = World::new().await;
    let query = "query ($a: String) { me(callerOrigin: $a) { role } }";

    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        for (count, status) in [(100, 200), (120, 200), (200, 400), (20_000, 400)] {
            let variables = format!("{{\"a\":{}}}", nested(open, count, "1", close));
            let body = format!("{{\"query\":\"{query}\",\"variables\":{variables}}}");
            let answer =
                world.sends(("POST", "/api"), &[("content-type", "application/json")], body).await;
            assert_eq!(answer.status, status, "{count} levels: {}", answer.text());
        }
    }
}

/// All fields of a token.
const TOKEN: &str = "id name state issuedAt expiresAt firstUsedAt lastUsedAt revokedAt revokedBy";

#[tokio::test]
async fn the_largest_page_of_tokens_with_all_their_fields_is_answered() {
    let world = World::new().await;
    let ana = world.signed_in("ana@acme.test").await;

    let query = format!(
        "{{ me {{ accessTokens(first: 100) {{ edges {{ cursor node {{ {TOKEN} }} }} }} }} }}"
    );
    let answer = ana.asks(&query).await;

    assert_eq!(answer.text(), r#"{"data":{"me":{"accessTokens":{"edges":[]}}}}"#);
}

#[rstest]
#[case::nine_pages(9, "200")]
#[case::ten_pages(10, "200 GRAPHQL_VALIDATION_FAILED")]
#[tokio::test]
async fn a_query_costs_ten_thousand_at_most(#[case] pages: usize, #[case] verdict: &str) {
    let world = World::new().await;
    let ana = world.signed_in("ana@acme.test").await;

    let page = |it| format!("a{it}: accessTokens(first: 100) {{ nodes {{ {TOKEN} }} }} ");
    let answer = ana.asks(&format!("{{ me {{ {} }} }}", listed(pages, page))).await;

    assert_eq!(answer.verdict(), verdict, "{}", answer.text());
}

#[rstest]
#[case::a_page_that_is_selected_again(
    "{ me { PAGE }  ...a ...a } fragment a on Query { me { PAGE PAGE } }"
)]
#[case::an_operation_that_is_not_executed("query A { me { PAGE } } query B { me { PAGE } }")]
#[tokio::test]
async fn a_query_costs_what_is_executed(#[case] query: &str) {
    let world = World::new().await;
    let ana = world.signed_in("ana@acme.test").await;
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
    let answer = world.sends(("POST", "/api"), &headers, body).await;

    assert_eq!(answer.verdict(), "200", "{}", answer.text());
}

#[tokio::test]
async fn the_introspection_of_the_ide_is_within_the_limits() {
    let world = World::new().await;

    let answer = asked(&world, INTROSPECTION).await;

    assert_eq!(answer.verdict(), "200", "{}", answer.text());
    assert_eq!(answer.json()["data"]["__schema"]["queryType"]["name"], "Query");
    assert!(world.calls().is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_query_is_an_error_of_ours(
        text: String,
        graphql in "((query|mutation|fragment|on|me|role|a|\\$a|@skip|if|1|-|\\.\\.\\.|\"|\"\"\"|\\\\|#|:|=|!|\n|\\(|\\)|\\[|\\]|\\{|\\}) ?){0,60}",
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let statuses = runtime.block_on(async {
            let world = World::new().await;
            let wrapped = format!("{{ me(callerOrigin: {graphql}) {{ role }} }}");
            join_all([&text, &graphql, &wrapped].map(async |it| asked(&world, it).await.status)).await
        });

        prop_assert!(statuses.iter().all(|it| *it < 500), "{statuses:?}");
    }
}

/// What GraphQL Playground asks the schema for, 13 levels deep.
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
