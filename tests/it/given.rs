//! The setup of a test: a world with a clock that the test controls, users and programs.
//!
//! The clock stands still at [`start`] and the entropy is a counter, so that tests can compare
//! whole responses. When a world is dropped, its log is searched for all registered secrets.

pub(crate) mod login;
pub(crate) mod note;
mod people;
mod response;
mod web;
mod wire;

use std::{
    cell::RefCell,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use arm_api::{
    access::keys::KeyEntry,
    app::{App, Dependencies, InitError, WebApp},
    clock::{Clock, ManualClock},
    config::{Config, PublicUrl, SigningKeys},
    domain::{
        audit::{AuditEntry, AuditSubject, Author},
        email::Email,
        id::{OrganizationId, OrganizationName},
        memberships::Memberships,
        organization::{Organization, OrganizationIdentifier, OrganizationRef},
        policy::{in_organization, on_platform},
        rate_limit::RateLimit,
        role::{OrganizationRole, UserRole},
        stakeholder::Stakeholder,
    },
    entropy::Entropy,
    http::RequestContext,
    local::{
        self,
        dynamodb::{Embedded, http_client},
        faults::{Fault, Faults, Faulty},
        keys,
    },
    store::{Record, StoreError, client, load::LoadKey},
    telemetry::{self, LogFormat},
};
use aws_smithy_runtime_api::client::http::{SharedHttpClient, SharedHttpConnector};
use axum::{Router, body::Body};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{Request, header};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tower::ServiceExt;
use ulid::Ulid;

use self::wire::{Calls, Log, Meter, ReadBarrier, RecordingConnector, dynamodb};
pub(crate) use self::{
    people::{Browser, Program},
    response::TestResponse,
    web::{FakeWeb, ProviderKey},
    wire::{Call, Units},
};

/// The time at which tests with the embedded DynamoDB start.
pub(crate) const START: i64 = 1_795_435_200; // 2026-11-23T12:00:00Z
/// The URL of the product.
pub(crate) const URL: &str = "https://arm.test";

/// Returns the time at which tests start: [`START`], or the current minute if DynamoDB is a server,
/// because a server deletes expired records by its own clock.
pub(crate) fn start() -> Timestamp {
    static START_TIME: LazyLock<Timestamp> = LazyLock::new(|| match wire::server() {
        Some(_) => {
            let now = Clock::System.now().as_second();
            Timestamp::from_second(now - now % 60).unwrap()
        }
        None => Timestamp::from_second(START).unwrap(),
    });
    *START_TIME
}

/// Returns the Unix time `seconds` after [`start`].
pub(crate) fn at(seconds: i64) -> i64 {
    start().as_second() + seconds
}

/// Returns the time `seconds` after [`start`] as text, such as `2026-11-23T12:00:00Z`.
pub(crate) fn text_at(seconds: i64) -> String {
    Timestamp::from_second(at(seconds)).unwrap().to_string()
}

static WORLDS: AtomicU64 = AtomicU64::new(0);

/// The product, with everything that a test can change or inspect.
pub(crate) struct World {
    pub(crate) app: App,
    pub(crate) web_app: WebApp,
    pub(crate) clock: ManualClock,
    pub(crate) faults: Faults,
    pub(crate) embedded: Option<Embedded>,
    pub(crate) web: FakeWeb,
    pub(crate) table: String,
    /// [`World::redeploy`] uses these and the configuration.
    pub(crate) dependencies: Dependencies,
    config: Config,
    router: Router,
    calls: Calls,
    read_barrier: ReadBarrier,
    meter: Meter,
    log: Log,
    secrets: RefCell<Vec<String>>,
    _logging: tracing::subscriber::DefaultGuard,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(|_| ()).await
    }

    /// Starts a world whose configuration is changed by `configure`.
    pub(crate) async fn with(configure: impl FnOnce(&mut Config)) -> Self {
        Self::start(LogFormat::Json, None, configure).await.unwrap()
    }

    /// Starts a world that logs like a Lambda function, with metrics.
    pub(crate) async fn with_metrics() -> Self {
        Self::start(LogFormat::JsonWithMetrics, None, |_| ()).await.unwrap()
    }

    /// Starts a world with this KMS. This can fail.
    pub(crate) async fn with_kms(
        kms: SharedHttpClient,
        configure: impl FnOnce(&mut Config),
    ) -> Result<Self, InitError> {
        Self::start(LogFormat::Json, Some(kms), configure).await
    }

    async fn start(
        log_format: LogFormat,
        kms: Option<SharedHttpClient>,
        configure: impl FnOnce(&mut Config),
    ) -> Result<Self, InitError> {
        let log = Log::default();
        let logging =
            tracing::subscriber::set_default(telemetry::subscriber(log_format, log.clone()));
        let clock = ManualClock::at(start());
        let calls = Calls::default();
        let read_barrier = ReadBarrier::default();
        let faults = Faults::default();
        let meter = Meter::default();
        let (endpoint, connector, embedded) = dynamodb(&clock);
        let inner = Faulty { inner: connector, faults: faults.clone() };
        let recorder = RecordingConnector {
            inner,
            calls: calls.clone(),
            read_barrier: read_barrier.clone(),
            meter: meter.clone(),
        };
        let client = client::client_on(&local::aws(endpoint), http_client(recorder));
        let table = format!("arm-{}-{}", std::process::id(), WORLDS.fetch_add(1, Ordering::SeqCst));
        local::create_table(&client, &table).await.unwrap();

        let web = FakeWeb::default();
        let entropy = Entropy::Counting(Arc::default());
        let config = configuration(&table, &entropy, configure);
        let dependencies = Dependencies {
            provider_connector: SharedHttpConnector::new(web.clone()),
            clock: Clock::Manual(clock.clone()),
            entropy,
            ..local::dependencies(client, kms.unwrap_or_else(|| http_client(web.clone())))
        };
        let web_app = WebApp::new(&config, &dependencies).await?;
        calls.take();
        Ok(Self {
            app: web_app.app.clone(),
            router: local::routes(web_app.clone()),
            web_app,
            config,
            dependencies,
            clock,
            faults,
            embedded,
            web,
            table,
            calls,
            read_barrier,
            meter,
            log,
            secrets: RefCell::default(),
            _logging: logging,
        })
    }

    /// Deploys the product again, with a changed configuration.
    pub(crate) async fn redeploy(&mut self, configure: impl FnOnce(&mut Config)) {
        configure(&mut self.config);
        self.web_app = WebApp::new(&self.config, &self.dependencies).await.unwrap();
        self.app = self.web_app.app.clone();
        self.router = local::routes(self.web_app.clone());
    }

    /// Moves the clock, also back.
    pub(crate) fn advance(&self, duration: SignedDuration) {
        self.clock.advance(duration.as_secs());
    }

    /// Returns the time, in Unix seconds.
    pub(crate) fn now(&self) -> i64 {
        self.app.clock.now().as_second()
    }

    /// Sends a request.
    pub(crate) async fn send(&self, request: Request<Body>) -> TestResponse {
        TestResponse::read(self.router.clone().oneshot(request).await.unwrap()).await
    }

    /// Logs in, and returns the browser with the session.
    pub(crate) async fn log_in(&self, email: &str) -> Browser<'_> {
        let form = format!("email={email}");
        let request = Request::post("/login/development").header(header::ORIGIN, URL);
        let response = self.send(request.body(Body::from(form)).unwrap()).await;
        assert_eq!(response.status, 303, "{}", response.text());
        let cookie = response.session_cookie().unwrap();
        self.register_secret(cookie.split_once('=').unwrap().1);
        self.register_secret(cookie.split_once('.').unwrap().1);
        self.register_secret(email);
        Browser { world: self, cookie }
    }

    /// Returns a program that sends this API token.
    pub(crate) fn program(&self, token: &str) -> Program<'_> {
        self.register_secret(token);
        self.register_secret(&secret_of(token));
        Program { world: self, token: token.to_owned() }
    }

    /// Sends a request with this method, path, headers and body.
    pub(crate) async fn request(
        &self,
        (method, path): (&str, &str),
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> TestResponse {
        let request = Request::builder().method(method).uri(path);
        let request = headers.iter().fold(request, |it, (name, value)| it.header(*name, *value));
        self.send(request.body(body.into()).unwrap()).await
    }

    /// Logs in, and returns a program with a new API token that expires in a week.
    pub(crate) async fn program_for(&self, email: &str) -> Program<'_> {
        let browser = self.log_in(email).await;
        let response = browser.query(&update_access_token(self.now() + 7 * 86_400)).await;
        self.program(&response.new_token())
    }

    /// Sends a query without a credential.
    pub(crate) async fn query_anonymously(&self, query: &str) -> TestResponse {
        self.send(post().body(body(query)).unwrap()).await
    }

    /// Returns the stakeholder with this email address.
    pub(crate) async fn stakeholder(&self, email: &str) -> Stakeholder {
        let email = Email::try_from(email.to_owned()).unwrap();
        self.app.access.store.stakeholder_at(&email).await.unwrap().unwrap()
    }

    /// Changes a stakeholder, as an administrator would.
    pub(crate) async fn change_stakeholder<T>(
        &self,
        email: &str,
        step: impl Fn(&mut Stakeholder) -> T,
    ) {
        let before = self.stakeholder(email).await;
        let changed = |it: &Stakeholder| {
            let mut it = it.clone();
            step(&mut it);
            Ok::<_, StoreError>(it)
        };
        let entry = self.audit_entry(&before);
        let store = &self.app.access.store;
        store.change(&before.key(), &entry, changed).await.unwrap();
    }

    /// Adds a stakeholder to an organization, as a manager would.
    pub(crate) async fn add_member(&self, email: &str, organization: &str, role: OrganizationRole) {
        let stakeholder = self.stakeholder(email).await;
        let organization = self.organization(organization, &stakeholder).await;
        let permitted = admin(&stakeholder).permit_in(
            organization,
            &Memberships::none(stakeholder.id.clone()),
            in_organization::GrantStakeholder,
        );
        let entry = self.audit_entry(&stakeholder);
        let store = &self.app.access.store;
        store.set_member(&permitted.unwrap(), &stakeholder, role, &entry).await.unwrap();
    }

    /// Returns the ID of an existing organization.
    pub(crate) async fn organization_id(&self, name: &str) -> OrganizationId {
        let name = OrganizationName::try_from(name.to_owned()).unwrap();
        self.find_organization(&name).await.unwrap().id
    }

    async fn find_organization(&self, name: &OrganizationName) -> Option<OrganizationRef> {
        let identifier = OrganizationIdentifier::Name(name.clone());
        let keys = std::slice::from_ref(&identifier);
        let mut found = LoadKey::load(keys, &self.app.access.store).await.unwrap();
        found.remove(&identifier)
    }

    /// Returns the organization with this name. `creator` creates it if it does not exist.
    async fn organization(&self, name: &str, creator: &Stakeholder) -> OrganizationRef {
        let name = OrganizationName::try_from(name.to_owned()).unwrap();
        if let Some(found) = self.find_organization(&name).await {
            return found;
        }
        let id = OrganizationId::from_entropy(self.app.entropy.bytes().unwrap());
        let organization = Organization::new(id, name, self.app.clock.now());
        let permitted = admin(creator).permit(on_platform::AddOrganization).unwrap();
        let entry = self.audit_entry(creator);
        let store = &self.app.access.store;
        store.add_organization(&permitted, &organization, creator, &entry).await.unwrap();
        organization.to_ref()
    }

    /// Returns an audit entry for a change of a stakeholder.
    pub(crate) fn audit_entry(&self, stakeholder: &Stakeholder) -> AuditEntry {
        let now = self.app.clock.now();
        let subject = AuditSubject::User(stakeholder.id.clone());
        let id = self.app.entropy.ulid(now).unwrap();
        AuditEntry::new(subject, id, now, Author::program(stakeholder), "test")
    }

    /// Returns the context of a request that arrives now, without an address and a user agent.
    pub(crate) fn context(&self) -> RequestContext {
        RequestContext {
            now: self.app.clock.now(),
            request_id: Ulid::nil(),
            client_address: None,
            user_agent: None,
            deadline: Clock::deadline(Duration::from_secs(10)),
        }
    }

    /// Returns the operations of the calls to DynamoDB since the last time.
    pub(crate) fn take_operations(&self) -> Vec<String> {
        self.calls.take().into_iter().map(|call| call.operation).collect()
    }

    /// Returns the calls to DynamoDB since the last time.
    pub(crate) fn take_calls(&self) -> Vec<Call> {
        self.calls.take()
    }

    /// Returns the capacity consumed since the last time. The first call starts the measurement.
    pub(crate) fn take_consumed_capacity(&self) -> Units {
        self.meter.reset()
    }

    /// Makes the next `readers` reads wait for each other, so that the writes after them conflict.
    pub(crate) fn synchronize_reads(&self, readers: usize) {
        self.read_barrier.set(readers);
    }

    /// Pauses tokio's clock, so that delays and timeouts do not take real time. Does nothing with a
    /// DynamoDB server, because all calls to it would time out.
    pub(crate) fn skip_waits(&self) {
        if self.embedded.is_some() {
            tokio::time::pause();
        }
    }

    /// Makes the next calls to DynamoDB fail. Each retry counts as a call.
    pub(crate) fn fail_dynamodb(&self, fault: Fault, times: u32) {
        self.faults.plan(Some(fault), times);
    }

    /// Returns all items of the embedded table, sorted by key.
    pub(crate) fn stored_items(&self) -> Vec<Value> {
        let embedded = self.embedded.as_ref().unwrap();
        let (_, json) =
            embedded.respond("Scan", json!({ "TableName": self.table }).to_string().as_bytes());
        let mut items =
            serde_json::from_str::<Value>(&json).unwrap()["Items"].as_array().unwrap().clone();
        items.sort_by_key(|it| (it["PK"].to_string(), it["SK"].to_string()));
        items
    }

    /// Returns the lines of the log.
    pub(crate) fn log(&self) -> Vec<Value> {
        self.log.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Registers a secret that must not be logged.
    pub(crate) fn register_secret(&self, secret: &str) {
        self.secrets.borrow_mut().push(secret.to_owned());
    }
}

/// Returns the stakeholder as a platform admin.
fn admin(stakeholder: &Stakeholder) -> Stakeholder {
    Stakeholder { role: UserRole::Admin, ..stakeholder.clone() }
}

impl Drop for World {
    fn drop(&mut self) {
        let log = self.log.text();
        for secret in self.secrets.borrow().iter().filter(|_| !std::thread::panicking()) {
            assert!(!log.contains(secret), "the log contains the secret {secret}:\n{log}");
        }
    }
}

/// Returns the default configuration of a world, changed by `configure`.
fn configuration(table: &str, entropy: &Entropy, configure: impl FnOnce(&mut Config)) -> Config {
    let mut config = Config {
        table: table.to_owned(),
        login_limit: Some(RateLimit::per_minute(30)),
        function_name: Some("arm-api".to_owned()),
        ..local::config(public_url(URL), keys::in_memory(entropy).unwrap())
    };
    configure(&mut config);
    config
}

/// Parses a public URL.
pub(crate) fn public_url(text: &str) -> PublicUrl {
    PublicUrl::try_from(text.to_owned()).unwrap()
}

/// Returns the value of `SIGNING_KEYS` with these keys.
pub(crate) fn signing_keys(keys: &[KeyEntry]) -> SigningKeys {
    SigningKeys(serde_json::to_string(keys).unwrap())
}

/// Returns the secret in an API token, or the whole text if it is not one.
fn secret_of(token: &str) -> String {
    let claims =
        token.split('.').nth(1).and_then(|it| URL_SAFE_NO_PAD.decode(it).ok()).unwrap_or_default();
    let claims: Value = serde_json::from_slice(&claims).unwrap_or_default();
    claims["jti"].as_str().unwrap_or(token).to_owned()
}

/// Queries whether the user has an API token.
pub(crate) const ME: &str = "{ me { accessToken } }";
/// Revokes the API token.
pub(crate) const INVALIDATE: &str = "mutation { invalidateAccessToken { success } }";

/// Creates an API token.
pub(crate) fn update_access_token(expiration_time: i64) -> String {
    let field = format!("updateAccessToken(expirationTime: {expiration_time})");
    format!("mutation {{ {field} {{ success sessionJwt }} }}")
}

/// Returns a POST request to the endpoint, without its body.
pub(crate) fn post() -> http::request::Builder {
    Request::post("/api").header(header::CONTENT_TYPE, "application/json")
}

/// Returns the body of a request with this query.
pub(crate) fn body(query: &str) -> Body {
    Body::from(json!({ "query": query }).to_string())
}
