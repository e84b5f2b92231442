//! GraphQL documents that the pages of the product execute in-process.

use std::{fs, path::Path};

use arm_api::{
    access::{actor::Principal, claims::RawCredential},
    domain::secret::Secret,
    error::Error,
    graph::execution,
};
use rstest::rstest;
use serde::Deserialize;
use serde_json::json;

use crate::given::{Program, World};

#[derive(Debug, Deserialize)]
struct Page {
    me: Me,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Me {
    user_email: String,
    access_tokens: Option<serde_json::Value>,
}

#[derive(Debug, Deserialize)]
struct PageWithoutMe {
    me: Option<Me>,
}

const ROLE: &str = "query ($organization: String!) {
    me { userEmail role(entity: ORGANIZATION, identifier: $organization) }
}";

async fn authenticate(world: &World, program: &Program<'_>) -> Principal {
    let credential = RawCredential::Bearer(Secret::from(program.token.clone()));
    let access = &world.app.access;
    let now = world.app.clock.now();
    let claims = access.verify(&credential, now).unwrap();
    access.authenticate(&claims, now).await.unwrap()
}

#[tokio::test]
async fn a_page_reads_the_data_of_a_document_without_http() {
    let world = World::new().await;
    let ana = world.program_for("ana@acme.test").await;
    let executor = &world.app.endpoint.executor;

    let document = "query ($origin: String) { me(callerOrigin: $origin) { userEmail } }";
    let variables = json!({ "origin": "FRONT" });
    let principal = authenticate(&world, &ana).await;
    let page: Page =
        executor.execute(document, variables, principal, &world.context()).await.unwrap();

    assert_eq!(page.me.user_email, "ana@acme.test");
    assert!(page.me.access_tokens.is_none());
}

#[tokio::test]
async fn a_page_for_users_fails_without_a_login() {
    let world = World::new().await;
    let executor = &world.app.endpoint.executor;

    let document = "{ me { userEmail } }";
    let page: Result<PageWithoutMe, _> =
        executor.execute(document, (), Principal::Anonymous, &world.context()).await;

    assert!(matches!(page, Err(Error::NoCredential)), "{page:?}");
}

#[tokio::test]
async fn a_denied_field_fails_a_page_that_needs_it_and_is_null_in_others() {
    let world = World::new().await;
    let ana = world.program_for("ana@acme.test").await;
    let principal = authenticate(&world, &ana).await;
    let executor = &world.app.endpoint.executor;
    let variables = json!({ "organization": "hidden" });

    let needs_it: Result<Page, _> =
        executor.execute(ROLE, &variables, principal.clone(), &world.context()).await;
    let other: PageWithoutMe =
        executor.execute(ROLE, &variables, principal, &world.context()).await.unwrap();

    assert!(matches!(needs_it, Err(Error::AccessDenied(_))), "{needs_it:?}");
    assert!(other.me.is_none());
}

#[rstest]
#[case::an_unknown_field("{ me { nothing } }")]
#[case::a_syntax_error("{ me ")]
#[case::an_argument_of_another_type("{ me(callerOrigin: 7) { userEmail } }")]
#[case::a_query_above_the_cost_limit(
    "query ($first: Int!) { me { a: accessTokens(first: $first) { nodes { ...t } edges { node { \
     ...t } } } b: accessTokens(first: $first) { nodes { ...t } edges { node { ...t } } } \
     c: accessTokens(first: $first) { nodes { ...t } edges { node { ...t } } } \
     d: accessTokens(first: $first) { nodes { ...t } edges { node { ...t } } } \
     e: accessTokens(first: $first) { nodes { ...t } edges { node { ...t } } } } } \
     fragment t on AccessToken { id name state issuedAt expiresAt firstUsedAt lastUsedAt \
     revokedAt revokedBy }"
)]
#[tokio::test]
async fn an_invalid_document_is_rejected(#[case] document: &str) {
    assert!(execution::validate(document).await.is_err());
}

#[tokio::test]
async fn the_documents_of_pages_are_valid() {
    let queries = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/web/queries");
    let paths: Vec<_> = fs::read_dir(queries).unwrap().map(|it| it.unwrap().path()).collect();
    assert!(!paths.is_empty());
    for path in paths {
        let document = fs::read_to_string(&path).unwrap();
        let validated = execution::validate(&document).await;
        assert!(validated.is_ok(), "{}: {validated:?}", path.display());
    }
}
