//! The setup of a test: a world with a clock that the test moves, people and programs.
//!
//! The clock stands still at [`start`] and the entropy counts, so that tests can compare whole
//! responses. When a world ends, its log is searched for every secret that it saw.

mod answer;
pub(crate) mod login;
pub(crate) mod note;
mod people;
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
    app::{App, CannotStart, Dependencies, WebApp},
    clock::{Clock, ManualClock},
    config::{Config, PublicUrl, SigningKeys},
    domain::{
        audit::{AuditEntry, AuditSubject, Author},
        email::Email,
        id::{OrganizationId, OrganizationName},
        memberships::Memberships,
        organization::{Organization, OrganizationIdentifier, OrganizationRef},
        policy::{OrganizationAction, UserAction},
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

use self::wire::{Call, Calls, Log, Meeting, Meter, Recorded, dynamodb};
pub(crate) use self::{
    answer::Answer,
    people::{Browser, Program},
    web::{ProviderKey, Web},
    wire::Units,
};

/// The time when a test on the embedded DynamoDB begins.
pub(crate) const START: i64 = 1_795_435_200; // 2026-11-23T12:00:00Z
/// The URL of the product.
pub(crate) const URL: &str = "https://arm.test";

/// Returns the time when each test begins: [`START`], or the present minute if DynamoDB is a
/// server, because a server deletes expired records by its own clock.
pub(crate) fn start() -> Timestamp {
    static BEGIN: LazyLock<Timestamp> = LazyLock::new(|| match wire::server() {
        Some(_) => {
            let now = Clock::System.now().as_second();
            Timestamp::from_second(now - now % 60).unwrap()
        }
        None => Timestamp::from_second(START).unwrap(),
    });
    *BEGIN
}

/// Returns the Unix time `seconds` after each test begins.
pub(crate) fn at(seconds: i64) -> i64 {
    start().as_second() + seconds
}

/// The same as text, such as `2026-11-23T12:00:00Z`.
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
    pub(crate) web: Web,
    pub(crate) table: String,
    /// What [`World::redeploy`] uses, beside the configuration.
    pub(crate) dependencies: Dependencies,
    config: Config,
    router: Router,
    calls: Calls,
    meeting: Meeting,
    meter: Meter,
    log: Log,
    secrets: RefCell<Vec<String>>,
    _logging: tracing::subscriber::DefaultGuard,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(|_| ()).await
    }

    /// A world whose configuration is changed by `configure`.
    pub(crate) async fn with(configure: impl FnOnce(&mut Config)) -> Self {
        Self::start(LogFormat::Json, None, configure).await.unwrap()
    }

    /// A world that logs as a Lambda function does, with metrics.
    pub(crate) async fn with_metrics() -> Self {
        Self::start(LogFormat::JsonWithMetrics, None, |_| ()).await.unwrap()
    }

    /// A world with this KMS. It may not start.
    pub(crate) async fn with_kms(
        kms: SharedHttpClient,
        configure: impl FnOnce(&mut Config),
    ) -> Result<Self, CannotStart> {
        Self::start(LogFormat::Json, Some(kms), configure).await
    }

    async fn start(
        log_format: LogFormat,
        kms: Option<SharedHttpClient>,
        configure: impl FnOnce(&mut Config),
    ) -> Result<Self, CannotStart> {
        let log = Log::default();
        let logging =
            tracing::subscriber::set_default(telemetry::subscriber(log_format, log.clone()));
        let clock = ManualClock::at(start());
        let (calls, meeting, faults) = (Calls::default(), Meeting::default(), Faults::default());
        let meter = Meter::default();
        let (endpoint, connector, embedded) = dynamodb(&clock);
        let inner = Faulty { inner: connector, faults: faults.clone() };
        let recorded = Recorded {
            inner,
            calls: calls.clone(),
            meeting: meeting.clone(),
            meter: meter.clone(),
        };
        let client = client::client_on(&local::aws(endpoint), http_client(recorded));
        let table = format!("arm-{}-{}", std::process::id(), WORLDS.fetch_add(1, Ordering::SeqCst));
        local::create_table(&client, &table).await.unwrap();

        let web = Web::default();
        let entropy = Entropy::Counting(Arc::default());
        let config = configure_with(&table, &entropy, configure);
        let dependencies = Dependencies {
            web: SharedHttpConnector::new(web.clone()),
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
            meeting,
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

    /// Moves the clock.
    pub(crate) fn later(&self, duration: SignedDuration) {
        self.clock.advance(duration.as_secs());
    }

    /// Returns the time, in Unix seconds.
    pub(crate) fn now(&self) -> i64 {
        self.app.clock.now().as_second()
    }

    /// Sends a request.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        Answer::of(self.router.clone().oneshot(request).await.unwrap()).await
    }

    /// Signs in, and returns the browser with the session.
    pub(crate) async fn signed_in(&self, email: &str) -> Browser<'_> {
        let form = format!("email={email}");
        let request = Request::post("/login/development").header(header::ORIGIN, URL);
        let answer = self.send(request.body(Body::from(form)).unwrap()).await;
        assert_eq!(answer.status, 303, "{}", answer.text());
        let cookie = answer.session_cookie().unwrap();
        self.keep_secret(cookie.split_once('=').unwrap().1);
        self.keep_secret(cookie.split_once('.').unwrap().1);
        self.keep_secret(email);
        Browser { world: self, cookie }
    }

    /// Returns a program that sends this API token.
    pub(crate) fn program(&self, token: &str) -> Program<'_> {
        self.keep_secret(token);
        self.keep_secret(&secret_id(token));
        Program { world: self, token: token.to_owned() }
    }

    /// Sends a request with this method, path, headers and body.
    pub(crate) async fn sends(
        &self,
        (method, path): (&str, &str),
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        let request = Request::builder().method(method).uri(path);
        let request = headers.iter().fold(request, |it, (name, value)| it.header(*name, *value));
        self.send(request.body(body.into()).unwrap()).await
    }

    /// Signs in, and returns a program with a new API token that lasts a week.
    pub(crate) async fn program_of(&self, email: &str) -> Program<'_> {
        let browser = self.signed_in(email).await;
        let answer = browser.asks(&update_access_token(self.now() + 7 * 86_400)).await;
        self.program(&answer.new_token())
    }

    /// Sends a query without a credential.
    pub(crate) async fn nobody_asks(&self, query: &str) -> Answer {
        self.send(post().body(body(query)).unwrap()).await
    }

    /// Reads a stakeholder's record.
    pub(crate) async fn stakeholder(&self, email: &str) -> Stakeholder {
        let email = Email::try_from(email.to_owned()).unwrap();
        self.app.access.store.stakeholder_at(&email).await.unwrap().unwrap()
    }

    /// Changes a stakeholder's record, as an administrator would.
    pub(crate) async fn change<T>(&self, email: &str, step: impl Fn(&mut Stakeholder) -> T) {
        let before = self.stakeholder(email).await;
        let changed = |it: &Stakeholder| {
            let mut it = it.clone();
            step(&mut it);
            Ok::<_, StoreError>(it)
        };
        let (store, entry) = (&self.app.access.store, self.entry(&before));
        store.change(&before.key(), &entry, changed).await.unwrap();
    }

    /// Adds a stakeholder to an organization, as a manager would.
    pub(crate) async fn join(&self, email: &str, organization: &str, role: OrganizationRole) {
        let stakeholder = self.stakeholder(email).await;
        let organization = self.organization(organization, &stakeholder).await;
        let permitted = admin(&stakeholder).permit_in(
            organization,
            &Memberships::none(stakeholder.id.clone()),
            OrganizationAction::Organization,
        );
        let (store, entry) = (&self.app.access.store, self.entry(&stakeholder));
        store.set_member(&permitted.unwrap(), &stakeholder, role, &entry).await.unwrap();
    }

    /// The id of an organization that exists.
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

    /// The organization of a name, which `creator` creates if there is none.
    async fn organization(&self, name: &str, creator: &Stakeholder) -> OrganizationRef {
        let name = OrganizationName::try_from(name.to_owned()).unwrap();
        if let Some(found) = self.find_organization(&name).await {
            return found;
        }
        let id = OrganizationId::from_entropy(self.app.entropy.bytes().unwrap());
        let organization = Organization::new(id, name, self.app.clock.now());
        let permitted = admin(creator).permit(UserAction::AddOrganization).unwrap();
        let entry = self.entry(creator);
        let store = &self.app.access.store;
        store.add_organization(&permitted, &organization, creator, &entry).await.unwrap();
        organization.to_ref()
    }

    /// Returns an audit entry for a change of a stakeholder.
    pub(crate) fn entry(&self, stakeholder: &Stakeholder) -> AuditEntry {
        let (now, subject) = (self.app.clock.now(), AuditSubject::User(stakeholder.id.clone()));
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

    /// Takes the operations of the calls of DynamoDB since the last time.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.calls.take().into_iter().map(|call| call.operation).collect()
    }

    /// Takes the calls of DynamoDB since the last time.
    pub(crate) fn sent_calls(&self) -> Vec<Call> {
        self.calls.take()
    }

    /// Returns the capacity that was consumed since the last call. The first call begins to count.
    pub(crate) fn units(&self) -> Units {
        self.meter.reset()
    }

    /// Makes the next `readers` reads wait for each other, so that the changes that follow them
    /// conflict.
    pub(crate) fn rivals_meet(&self, readers: usize) {
        self.meeting.of(readers);
    }

    /// Skips pauses and timeouts, so that a test does the same on a slow machine. With a DynamoDB
    /// server it does nothing, because responses of the server would arrive too late.
    pub(crate) fn no_wait_is_real(&self) {
        if self.embedded.is_some() {
            tokio::time::pause();
        }
    }

    /// Makes the next calls of DynamoDB fail; each retry counts as a call.
    pub(crate) fn dynamodb_fails(&self, fault: Fault, times: u32) {
        self.faults.plan(Some(fault), times);
    }

    /// Returns all items of the embedded table, ordered by their keys.
    pub(crate) fn stored(&self) -> Vec<Value> {
        let embedded = self.embedded.as_ref().unwrap();
        let (_, json) =
            embedded.answer("Scan", json!({ "TableName": self.table }).to_string().as_bytes());
        let mut items =
            serde_json::from_str::<Value>(&json).unwrap()["Items"].as_array().unwrap().clone();
        items.sort_by_key(|it| (it["PK"].to_string(), it["SK"].to_string()));
        items
    }

    /// Returns the lines of the log.
    pub(crate) fn log(&self) -> Vec<Value> {
        self.log.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Remembers a secret that must never be logged.
    pub(crate) fn keep_secret(&self, secret: &str) {
        self.secrets.borrow_mut().push(secret.to_owned());
    }
}

/// The stakeholder, as a platform admin.
fn admin(stakeholder: &Stakeholder) -> Stakeholder {
    Stakeholder { role: UserRole::Admin, ..stakeholder.clone() }
}

impl Drop for World {
    fn drop(&mut self) {
        let log = self.log.text();
        for secret in self.secrets.borrow().iter().filter(|_| !std::thread::panicking()) {
            assert!(!log.contains(secret), "the log has the secret {secret}:\n{log}");
        }
    }
}

/// Returns the configuration of a world.
fn configure_with(table: &str, entropy: &Entropy, configure: impl FnOnce(&mut Config)) -> Config {
    let mut config = Config {
        table: table.to_owned(),
        login_limit: Some(RateLimit::per_minute(30)),
        function_name: Some("arm-api".to_owned()),
        ..local::config(public_url(URL), keys::in_memory(entropy).unwrap())
    };
    configure(&mut config);
    config
}

/// Parses the URL of a product.
pub(crate) fn public_url(text: &str) -> PublicUrl {
    PublicUrl::try_from(text.to_owned()).unwrap()
}

/// Returns these keys as the text of `SIGNING_KEYS`.
pub(crate) fn signing_keys(keys: &[KeyEntry]) -> SigningKeys {
    SigningKeys(serde_json::to_string(keys).unwrap())
}

/// Returns the secret in an API token, or the whole text if it is not one.
fn secret_id(token: &str) -> String {
    let claims =
        token.split('.').nth(1).and_then(|it| URL_SAFE_NO_PAD.decode(it).ok()).unwrap_or_default();
    let claims: Value = serde_json::from_slice(&claims).unwrap_or_default();
    claims["jti"].as_str().unwrap_or(token).to_owned()
}

/// Asks whether the user has an API token.
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

/// Returns the body of a request with a query.
pub(crate) fn body(query: &str) -> Body {
    Body::from(json!({ "query": query }).to_string())
}
