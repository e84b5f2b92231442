//! What a story begins with: a world with a clock that we move, people, programs.
//!
//! Time stands still at [`start`] and chance is counted, so whole answers can be
//! compared. When a world ends, its log is searched for every secret that it saw.

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
    access::{Access, jwt::Jwt, keys::Keys, kms::Kms},
    app::{App, CannotStart, Dependencies, Logins, WebApp},
    aws,
    clock::{Clock, ManualClock},
    config::{Config, DEFAULT_RENEWAL_DAYS, PublicUrl, SigningKeys, renewal_limit},
    domain::{
        audit::{AuditEntry, AuditSubject, Author},
        email::Email,
        rate_limit::RateLimit,
        secret::Secret,
        stakeholder::Stakeholder,
    },
    entropy::Entropy,
    graph::endpoint::Endpoint,
    http::RequestContext,
    local::{
        self,
        dynamodb::{Embedded, http_client},
        faults::{Fault, Faults, Faulty},
        keys,
    },
    store::{Store, client},
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

use self::wire::{Call, Calls, Log, Meeting, Recorded, dynamodb};
pub(crate) use self::{
    answer::Answer,
    people::{Browser, Program},
    web::{ProviderKey, Web},
};

/// When a story on the embedded DynamoDB begins.
pub(crate) const START: i64 = 1_795_435_200; // 2026-11-23T12:00:00Z
/// Where the product is.
pub(crate) const URL: &str = "https://arm.test";

/// When every story begins: at [`START`], or now where DynamoDB is a server, because a
/// server deletes by its own clock what has expired.
pub(crate) fn start() -> Timestamp {
    static BEGIN: LazyLock<Timestamp> = LazyLock::new(|| match wire::server() {
        Some(_) => Clock::System.now(),
        None => Timestamp::from_second(START).unwrap(),
    });
    *BEGIN
}

static WORLDS: AtomicU64 = AtomicU64::new(0);

/// The product, with everything that a story wants to move or to look at.
pub(crate) struct World {
    pub(crate) app: App,
    pub(crate) web_app: WebApp,
    pub(crate) clock: ManualClock,
    pub(crate) faults: Faults,
    pub(crate) embedded: Option<Embedded>,
    pub(crate) web: Web,
    pub(crate) table: String,
    router: Router,
    calls: Calls,
    meeting: Meeting,
    log: Log,
    secrets: RefCell<Vec<String>>,
    _logging: tracing::subscriber::DefaultGuard,
}

/// What differs from world to world.
#[derive(Default)]
pub(crate) struct WorldOptions {
    pub(crate) public_url: Option<&'static str>,
    pub(crate) signing_keys: Option<String>,
    pub(crate) signing_public_keys: String,
    pub(crate) cors_origins: Vec<&'static str>,
    pub(crate) token_creation_disabled: Option<&'static str>,
    pub(crate) providers: Option<String>,
    pub(crate) kms: Option<SharedHttpClient>,
    pub(crate) log_format: Option<LogFormat>,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(WorldOptions::default()).await
    }

    pub(crate) async fn with(options: WorldOptions) -> Self {
        Self::started(options).await.unwrap()
    }

    /// A world that may not even begin.
    pub(crate) async fn started(options: WorldOptions) -> Result<Self, CannotStart> {
        let (log, log_format) = (Log::default(), options.log_format.unwrap_or(LogFormat::Json));
        let logging =
            tracing::subscriber::set_default(telemetry::subscriber(log_format, log.clone()));
        let clock = ManualClock::at(start());
        let (calls, meeting, faults) = (Calls::default(), Meeting::default(), Faults::default());
        let (endpoint, connector, embedded) = dynamodb(&clock);
        let failing = Faulty { inner: connector, faults: faults.clone() };
        let client = client::client_on(
            &local::aws(endpoint.clone()),
            http_client(Recorded {
                inner: failing,
                calls: calls.clone(),
                meeting: meeting.clone(),
            }),
        );
        let table = format!("arm-{}-{}", std::process::id(), WORLDS.fetch_add(1, Ordering::SeqCst));
        local::create_table(&client, &table).await.unwrap();

        let web = Web::default();
        let entropy = Entropy::Counting(Arc::default());
        let public_url = options.public_url.unwrap_or(URL).to_owned();
        let config = Config {
            table: table.clone(),
            public_url: PublicUrl::try_from(public_url).unwrap(),
            signing_keys: options
                .signing_keys
                .map_or_else(|| keys::in_memory(&entropy).unwrap(), SigningKeys),
            signing_public_keys: options.signing_public_keys,
            cors_origins: options.cors_origins.iter().map(|it| it.parse().unwrap()).collect(),
            providers_secret_arn: None,
            login_limit: None,
            function_name: Some("arm-api".to_owned()),
            token_creation_disabled: options.token_creation_disabled.map(str::to_owned),
            token_renewal_limit: renewal_limit(DEFAULT_RENEWAL_DAYS).unwrap(),
            aws: local::aws(endpoint),
        };
        let dependencies = Dependencies {
            client,
            clock: Clock::Manual(clock.clone()),
            entropy,
            other_origins: Vec::new(),
            kms: Kms::of(aws::sdk_config(
                &config.aws,
                options.kms.unwrap_or_else(|| http_client(web.clone())),
            )),
        };
        let logins = Logins {
            providers: Secret::from(options.providers.unwrap_or_default()),
            web: SharedHttpConnector::new(web.clone()),
            sign_ins: vec![local::sign_in()],
            limit: Some(RateLimit::per_minute(30)),
        };
        let app = App::assemble(config, dependencies).await?;
        let web_app = WebApp::with(app.clone(), logins)?;
        let router = local::routes(web_app.clone(), local::TestControls::default());
        calls.take();
        let secrets = RefCell::default();
        Ok(Self {
            app,
            web_app,
            clock,
            faults,
            embedded,
            web,
            table,
            router,
            calls,
            meeting,
            log,
            secrets,
            _logging: logging,
        })
    }

    /// Lets time pass.
    pub(crate) fn later(&self, duration: SignedDuration) {
        self.clock.advance(duration.as_secs());
    }

    /// What time it is, in Unix seconds.
    pub(crate) fn now(&self) -> i64 {
        self.app.clock.now().as_second()
    }

    /// Sends a request as it is.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        Answer::of(self.router.clone().oneshot(request).await.unwrap()).await
    }

    /// Somebody signs in with a browser.
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

    /// A program that sends this API token.
    pub(crate) fn program(&self, token: &str) -> Program<'_> {
        self.keep_secret(token);
        self.keep_secret(&secret_id(token));
        Program { world: self, token: token.to_owned() }
    }

    /// The same world after a deployment with other keys.
    pub(crate) fn restart_with(&mut self, keys: Keys) {
        self.restart_on(self.app.access.store.clone(), keys);
    }

    /// The same world after a deployment on another table, with other keys.
    pub(crate) fn restart_on(&mut self, store: Store, keys: Keys) {
        self.redeploy(store, keys, self.app.access.renewal_limit);
    }

    /// The same world after a deployment where tokens can renew themselves for so many days.
    pub(crate) fn restart_with_renewal_limit(&mut self, days: &str, keys: Keys) {
        self.redeploy(self.app.access.store.clone(), keys, renewal_limit(days).unwrap());
    }

    fn redeploy(&mut self, store: Store, keys: Keys, renewal_limit: SignedDuration) {
        let old = &self.app;
        let access = Arc::new(Access {
            store,
            jwt: Jwt::new(keys, old.public_url.clone()),
            entropy: old.entropy.clone(),
            cookies: old.access.cookies,
            creation_disabled: None,
            renewal_limit,
        });
        let endpoint = Arc::new(Endpoint::new(Arc::clone(&access), old.own_origins.clone()));
        self.restart_as(App { access, endpoint, ..old.clone() });
    }

    /// Starts the product anew, put together differently.
    pub(crate) fn restart_as(&mut self, app: App) {
        self.app = app.clone();
        self.web_app.app = app;
        self.router = local::routes(self.web_app.clone(), local::TestControls::default());
    }

    /// Sends a request of these parts.
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

    /// A program with an API token that somebody made, for a week.
    pub(crate) async fn program_of(&self, email: &str) -> Program<'_> {
        let browser = self.signed_in(email).await;
        let answer = browser.asks(&update_access_token(self.now() + 7 * 86_400)).await;
        self.program(&answer.new_token())
    }

    /// Nobody, asking something.
    pub(crate) async fn nobody_asks(&self, query: &str) -> Answer {
        self.send(post().body(body(query)).unwrap()).await
    }

    /// A stakeholder's record.
    pub(crate) async fn stakeholder(&self, email: &str) -> Stakeholder {
        let email = Email::try_from(email.to_owned()).unwrap();
        self.app.access.store.stakeholder_at(&email).await.unwrap().unwrap()
    }

    /// Changes a stakeholder's record, as an administrator would.
    pub(crate) async fn change<T>(&self, email: &str, step: impl FnOnce(&mut Stakeholder) -> T) {
        let before = self.stakeholder(email).await;
        let changed = |mut it| {
            step(&mut it);
            it
        };
        let entry = self.entry(&before);
        self.app.access.store.change_stakeholder(&before.id, changed, &entry).await.unwrap();
    }

    /// An audit entry for a change of a stakeholder.
    pub(crate) fn entry(&self, stakeholder: &Stakeholder) -> AuditEntry {
        let (now, subject) = (self.app.clock.now(), AuditSubject::User(stakeholder.id.clone()));
        let id = self.app.entropy.ulid(now).unwrap();
        AuditEntry::new(subject, id, now, Author::program(stakeholder), "test")
    }

    /// The context of a request that arrives now, without an address and a user agent.
    pub(crate) fn context(&self) -> RequestContext {
        RequestContext {
            now: self.app.clock.now(),
            request_id: Ulid::nil(),
            client_address: None,
            user_agent: None,
            deadline: Clock::deadline(Duration::from_secs(10)),
        }
    }

    /// The calls of DynamoDB since this was last asked.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.calls.take().into_iter().map(|call| call.operation).collect()
    }

    /// The same, with what was sent.
    pub(crate) fn sent_calls(&self) -> Vec<Call> {
        self.calls.take()
    }

    /// Lets the next `readers` reads wait until all of them have happened: their readers are
    /// rivals then.
    pub(crate) fn rivals_meet(&self, readers: usize) {
        self.meeting.of(readers);
    }

    /// Lets pauses and limits of time cost none, so that a story goes alike on a slow
    /// machine; a DynamoDB behind a socket would then seem slow, and keeps real time.
    pub(crate) fn no_wait_is_real(&self) {
        if self.embedded.is_some() {
            tokio::time::pause();
        }
    }

    /// Makes the next calls of DynamoDB fail, also when they are tried again.
    pub(crate) fn dynamodb_fails(&self, fault: Fault, times: u32) {
        self.faults.plan(Some(fault), times);
    }

    /// Everything that the embedded table holds, in the order of its keys.
    pub(crate) fn stored(&self) -> Vec<Value> {
        let embedded = self.embedded.as_ref().unwrap();
        let (_, json) =
            embedded.answer("Scan", json!({ "TableName": self.table }).to_string().as_bytes());
        let mut items =
            serde_json::from_str::<Value>(&json).unwrap()["Items"].as_array().unwrap().clone();
        items.sort_by_key(|it| (it["PK"].to_string(), it["SK"].to_string()));
        items
    }

    /// The lines of the log.
    pub(crate) fn log(&self) -> Vec<Value> {
        self.log.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Something that must never be logged.
    pub(crate) fn keep_secret(&self, secret: &str) {
        self.secrets.borrow_mut().push(secret.to_owned());
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let log = self.log.text();
        for secret in self.secrets.borrow().iter().filter(|_| !std::thread::panicking()) {
            assert!(!log.contains(secret), "the log has the secret {secret}:\n{log}");
        }
    }
}

/// The secret id in an API token; the whole of what is none.
fn secret_id(token: &str) -> String {
    let claims =
        token.split('.').nth(1).and_then(|it| URL_SAFE_NO_PAD.decode(it).ok()).unwrap_or_default();
    let claims: Value = serde_json::from_slice(&claims).unwrap_or_default();
    claims["jti"].as_str().unwrap_or(token).to_owned()
}

/// What `me` tells.
pub(crate) const ME: &str = "{ me { accessToken } }";
/// Revokes the API token.
pub(crate) const INVALIDATE: &str = "mutation { invalidateAccessToken { success } }";

/// Asks for an API token.
pub(crate) fn update_access_token(expiration_time: i64) -> String {
    let field = format!("updateAccessToken(expirationTime: {expiration_time})");
    format!("mutation {{ {field} {{ success sessionJwt }} }}")
}

/// A POST to the endpoint, without its body.
pub(crate) fn post() -> http::request::Builder {
    Request::post("/api").header(header::CONTENT_TYPE, "application/json")
}

/// The body that carries a query.
pub(crate) fn body(query: &str) -> Body {
    Body::from(json!({ "query": query }).to_string())
}
