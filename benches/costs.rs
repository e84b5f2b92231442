//! Measures parts of a request in-process. `make bench` runs it. The results and their limits are
//! in `benches/README.md`.

#![expect(clippy::unwrap_used, reason = "a benchmark panics if its setup fails")]

use std::{hint::black_box, sync::Arc, time::Duration};

use arm_api::{
    access::{
        actor::{Actor, Credential, Principal},
        jwt::{Jwt, TokenClaims},
        keys::{KeyEntry, Keys},
    },
    app::App,
    clock::Clock,
    config::PublicUrl,
    domain::{
        email::Email,
        id::{TokenId, UserId},
        memberships::Memberships,
        secret::Secret,
        session::{Session, SessionState},
        stakeholder::Stakeholder,
    },
    entropy::Entropy,
    http::RequestContext,
    local::{self, dynamodb, keys},
    store::client,
};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use futures_util::FutureExt;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use ulid::Ulid;

fn jwt() -> Jwt {
    let keys = Keys::new(vec![KeyEntry::from_entropy([1; 32]).unwrap()]).unwrap();
    Jwt::new(keys, public_url())
}

fn start() -> Timestamp {
    Timestamp::from_second(1_795_435_200).unwrap()
}

fn token(jwt: &Jwt) -> Secret {
    let secret = Secret::from_entropy([2; 32]);
    let claims = TokenClaims {
        user: UserId::from_entropy([3; 16]),
        token: TokenId::from_entropy([4; 16]),
        digest: secret.digest(),
        issued_at: start(),
        expires_at: start() + SignedDuration::from_hours(24),
        renewal_key: None,
    };
    jwt.sign(&claims, &secret).now_or_never().unwrap().unwrap()
}

fn verify(criterion: &mut Criterion) {
    let token = token(&jwt());
    criterion.bench_function("verify a token for the first time", |bencher| {
        bencher.iter_batched(
            jwt,
            |jwt| jwt.verify(black_box(&token), start()).unwrap(),
            BatchSize::SmallInput,
        );
    });
    let jwt = jwt();
    jwt.verify(&token, start()).unwrap();
    criterion.bench_function("verify a token that was verified before", |bencher| {
        bencher.iter(|| jwt.verify(black_box(&token), start()).unwrap());
    });
}

fn ana() -> Principal {
    let email = Email::try_from("ana@acme.test".to_owned()).unwrap();
    let stakeholder = Stakeholder::enrol(UserId::from_entropy([3; 16]), email, "Ana", start());
    let session = Session {
        user: stakeholder.id.clone(),
        digest: Secret::from_entropy([5; 32]).digest(),
        epoch: 0,
        opened_at: start(),
        last_seen_at: None,
        agent: None,
        address: None,
        state: SessionState::Open,
    };
    Principal::Authenticated(Arc::new(Actor {
        memberships: Memberships::none(stakeholder.id.clone()),
        stakeholder,
        credential: Credential::Session(session),
        slot: None,
        renewal_key: None,
    }))
}

async fn app() -> App {
    let http = dynamodb::http_client(dynamodb::Embedded::in_memory(Clock::System).unwrap());
    let client = client::client_on(&local::aws(None), http.clone());
    let config = local::config(public_url(), keys::in_memory(&Entropy::System).unwrap());
    App::new(&config, &local::dependencies(client, http)).await.unwrap()
}

fn public_url() -> PublicUrl {
    PublicUrl::try_from("https://arm.test".to_owned()).unwrap()
}

fn execute(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let endpoint = runtime.block_on(app()).endpoint;
    let principal = ana();
    let executor = &endpoint.executor;
    let query = "{ me { userEmail userName role sessionExpiration } }";
    let context = RequestContext {
        now: start(),
        request_id: Ulid::nil(),
        client_address: None,
        user_agent: None,
        deadline: Clock::deadline(Duration::from_secs(10)),
    };
    criterion.bench_function("execute `me` without I/O", |bencher| {
        bencher.to_async(&runtime).iter(async || {
            executor.execute::<Value>(query, (), principal.clone(), &context).await.unwrap()
        });
    });
}

criterion_group!(costs, verify, execute);
criterion_main!(costs);
