//! Nothing is served any more when what opened it has ended, on any node, on connections that are open, under load. Five seconds after the end
//! are the rule; it is held to where `ONEMAP_REVOCATIONS` says how often, on a machine that does nothing else, and what was the latest
//! is printed. Among other tests the bound is `AMONG_OTHERS`. `ONEMAP_READERS` says how many read.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use onemap::access::principal::Role;
use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{As, World, key_of};

const RULE: Duration = Duration::from_secs(5);
/// What a reader is given late because the machine is busy was not served late.
const AMONG_OTHERS: Duration = Duration::from_secs(40);
/// Without anything for so long, nothing more comes.
const QUIET: Duration = Duration::from_millis(2500);
const APPROVER: As = As::Person("housing", Role::Approver);

fn setting(name: &str, otherwise: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// When what was read was last given, in milliseconds since the beginning; and how much was read.
#[derive(Default)]
struct Given {
    last: AtomicU64,
    answers: AtomicU64,
    bytes: AtomicU64,
}

impl Given {
    fn now(&self, begun: Instant, bytes: usize) {
        self.last.fetch_max(begun.elapsed().as_millis() as u64, Ordering::SeqCst);
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

/// How a reader proves who it is.
#[derive(Clone)]
enum Proof {
    Key(String),
    Cookie(String),
}

/// Reads one address again and again until it is told to stop; what comes piece by piece counts by its pieces.
async fn read(url: String, proof: Proof, given: Arc<Given>, begun: Instant, stop: Arc<AtomicBool>) {
    let client = reqwest::Client::new();
    while !stop.load(Ordering::SeqCst) {
        let request = client.get(&url).timeout(Duration::from_secs(60));
        let request = match &proof {
            Proof::Key(key) => request.bearer_auth(key),
            Proof::Cookie(cookie) => request.header("cookie", cookie),
        };
        let Ok(response) = request.send().await else { continue };
        if !response.status().is_success() {
            // Refused, as it should be in the end; and asked again all the same.
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        }
        let mut pieces = response.bytes_stream();
        while let Some(Ok(piece)) = pieces.next().await {
            if !piece.is_empty() {
                given.now(begun, piece.len());
            }
            if stop.load(Ordering::SeqCst) {
                return;
            }
        }
        given.answers.fetch_add(1, Ordering::Relaxed);
    }
}

/// How what opened the layers is ended.
#[derive(Debug, Clone, Copy)]
enum End {
    /// By the owner, through the interface.
    Revoked,
    /// By its term.
    Expired,
    /// The person is barred.
    Barred,
    /// The key is revoked.
    KeyRevoked,
}

struct Stage {
    nodes: [World; 2],
}

impl Stage {
    async fn new() -> Stage {
        let world = World::new().await;
        world.squares(1500).await;
        let conditional = "update onemap.layer set share_class = 'conditional', anonymous = false where id = 'big'";
        world.sql(conditional).await;
        world.app.refresh().await.unwrap();
        let other = world.beside().await;
        Stage { nodes: [world, other] }
    }

    async fn send(&self, who: As, method: Method, path: &str, body: &Value) -> Value {
        let response = self.nodes[0].by(who, method, path).await.json(body).send().await.unwrap();
        let status = response.status();
        let text = response.text().await.unwrap();
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Grants on all that is read, until then.
    async fn grant(&self, until: Option<jiff::Timestamp>) -> Vec<i64> {
        let mut grants = vec![];
        for layer in ["conditional", "big"] {
            let mut wanted =
                json!({"layer": layer, "department": "health", "rights": ["view", "query", "export"], "purpose": "测"});
            if let Some(until) = until {
                wanted["valid_until"] = json!(until.to_string());
            }
            let made = self.send(APPROVER, Method::POST, "/api/v1/grants", &wanted).await;
            grants.push(made["id"].as_i64().unwrap());
        }
        // The other node knows of them by now, or a moment later.
        for world in &self.nodes {
            world.app.refresh().await.unwrap();
        }
        grants
    }

    async fn proof(&self, end: End) -> Proof {
        match end {
            End::Barred => {
                self.nodes[0].sql("update onemap.person set active = true where login = 'health-user'").await;
                Proof::Cookie(self.nodes[0].sign_in("health-user").await)
            }
            _ => {
                self.nodes[0].sql("update onemap.app_key set revoked_at = null where department_id = 'health'").await;
                Proof::Key(key_of("health"))
            }
        }
    }

    /// Ends it; the moment from which on nothing more may be given but what is on its way.
    async fn end(&self, end: End, grants: &[i64], until: Instant) -> Instant {
        match end {
            End::Revoked => {
                for grant in grants {
                    let path = format!("/api/v1/grants/{grant}");
                    self.send(APPROVER, Method::DELETE, &path, &json!({"reason": "用途结束"})).await;
                }
            }
            End::Expired => {
                tokio::time::sleep_until(until.into()).await;
                return until;
            }
            End::Barred => {
                self.nodes[0].sql("update onemap.person set active = false where login = 'health-user'").await;
            }
            End::KeyRevoked => {
                self.nodes[0].sql("update onemap.app_key set revoked_at = now() where department_id = 'health'").await;
            }
        }
        Instant::now()
    }

    /// Everything is read on both nodes while it ends; how long after the end the last of it was given.
    async fn trial(&self, end: End, readers: usize) -> (Duration, u64, u64) {
        let proof = self.proof(end).await;
        let term = Duration::from_secs(12);
        let until = (jiff::Timestamp::now() + jiff::SignedDuration::try_from(term).unwrap(), Instant::now() + term);
        let grants = self.grant(matches!(end, End::Expired).then_some(until.0)).await;
        let (begun, stop, given) = (Instant::now(), Arc::new(AtomicBool::new(false)), Arc::new(Given::default()));
        let paths = [
            "/tiles/conditional/8/213/100",
            "/ogc/collections/conditional/items?limit=100",
            "/ogc/collections/big/items?limit=1500",
            "/ogc/collections/big/items?f=csv&geometry=wkt",
        ];
        let reading: Vec<_> = (0..readers)
            .map(|i| {
                let url = format!("{}{}", self.nodes[i % 2].url, paths[i / 2 % paths.len()]);
                tokio::spawn(read(url, proof.clone(), given.clone(), begun, stop.clone()))
            })
            .collect();
        // Something was read before the end, and for a while.
        let enough = || begun.elapsed() > Duration::from_millis(1200) && given.bytes.load(Ordering::SeqCst) > 0;
        while !enough() && begun.elapsed() < AMONG_OTHERS {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let ended = self.end(end, &grants, until.1).await;
        assert!(given.bytes.load(Ordering::SeqCst) > 0, "{end:?}: nothing was read before the end");
        let last = || begun + Duration::from_millis(given.last.load(Ordering::SeqCst));
        while last().max(ended).elapsed() < QUIET && ended.elapsed() < AMONG_OTHERS + QUIET {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        stop.store(true, Ordering::SeqCst);
        for reader in reading {
            reader.abort();
        }
        let last = last();
        let (answers, bytes) = (given.answers.load(Ordering::SeqCst), given.bytes.load(Ordering::SeqCst));
        (last.saturating_duration_since(ended), answers, bytes)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_served_five_seconds_after_it_has_ended() {
    let stage = Stage::new().await;
    let (times, readers) = (setting("ONEMAP_REVOCATIONS", 0), setting("ONEMAP_READERS", 16));
    let bound = if times > 0 { RULE } else { AMONG_OTHERS };
    let latest = Mutex::new(Duration::ZERO);
    for _ in 0..times.max(1) {
        for end in [End::Revoked, End::Expired, End::Barred, End::KeyRevoked] {
            let (late, answers, bytes) = stage.trial(end, readers).await;
            println!(
                "{end:?}: {readers} readers, {answers} answers, {} MB; the last {late:?} after the end",
                bytes >> 20
            );
            assert!(late <= bound, "{end:?}: something was still served {late:?} after the end");
            let mut latest = latest.lock().unwrap();
            *latest = (*latest).max(late);
        }
    }
    println!("the latest of all: {:?}", latest.lock().unwrap());
}
