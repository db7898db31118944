//! Delivers to webhooks: signed, retried, and kept in the database until it succeeds or is given up. A receiver may get a message
//! twice, when this process dies between the call and the note of it; the delivery's id tells.

use std::time::Duration;

use futures_util::StreamExt;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::redirect::Policy;
use serde_json::Value;
use sm3::Sm3;
use tokio::sync::watch;
use uuid::Uuid;

use super::Notices;
use crate::error::{Kind, Result};

/// How long a receiver may take for its answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Attempts before a delivery is given up: with the waits between them, about two days.
const MOST_ATTEMPTS: i32 = 12;
/// The first wait in seconds; each is three times the one before, six hours at most.
const FIRST_WAIT: f64 = 10.0;
const LONGEST_WAIT: f64 = 6.0 * 3600.0;
/// Deliveries under way at once on a node: a slow receiver must not hold up the others.
const AT_ONCE: usize = 8;
/// A delivery that was taken is left alone for so long, by which time its call is over.
const LEASE: f64 = 30.0;

struct Taken {
    id: Uuid,
    url: String,
    secret: String,
    kind: String,
    body: Value,
    attempts: i32,
}

/// What a call came to: a status, or why there was none.
type Called = std::result::Result<u16, &'static str>;

/// The signature of a message: HMAC-SM3 (GB/T 32905, RFC 2104) over `timestamp.body`, in lower-case hex.
pub fn signature(secret: &str, timestamp: i64, body: &[u8]) -> String {
    // A key of any length is taken; the impossible error gives no valid signature.
    let Ok(mut mac) = Hmac::<Sm3>::new_from_slice(secret.as_bytes()) else { return String::new() };
    mac.update(timestamp.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    hex::encode(mac.finalize().into_bytes())
}

impl Notices {
    /// Delivers until told to stop. Any number of nodes may do so at once.
    pub async fn deliver(self, mut stop: watch::Receiver<bool>) {
        let mut changed = self.changed.subscribe();
        loop {
            let sent = match self.round().await {
                Ok(sent) => sent,
                Err(e) => {
                    tracing::warn!("webhooks cannot be looked after: {e}");
                    0
                }
            };
            if sent > 0 && !*stop.borrow() {
                continue;
            }
            tokio::select! {
                _ = stop.changed() => return,
                _ = changed.changed() => {}
                // Retries fall due without a notice.
                () = tokio::time::sleep(Duration::from_secs(5)) => {}
            }
        }
    }

    async fn round(&self) -> Result<usize> {
        let taken = self.take().await?;
        let count = taken.len();
        futures_util::stream::iter(taken)
            .for_each_concurrent(AT_ONCE, |delivery| async move {
                let called = self.call(&delivery).await;
                if let Err(e) = self.note(&delivery, called).await {
                    tracing::warn!(delivery = %delivery.id, "a delivery could not be noted: {e}");
                }
            })
            .await;
        Ok(count)
    }

    /// Takes what is due; other nodes pass it by until the lease is over.
    async fn take(&self) -> Result<Vec<Taken>> {
        let rows = self
            .database
            .app()
            .await?
            .query(
                "with due as (select id from onemap.webhook_delivery where state = 'pending' and next_at <= now()
                     order by next_at limit $1 for update skip locked)
                 update onemap.webhook_delivery d set attempts = d.attempts + 1, next_at = now() + make_interval(secs => $2)
                 from due, onemap.webhook w where d.id = due.id and w.id = d.webhook_id
                 returning d.id, w.url, w.secret, d.kind, d.body, d.attempts",
                &[&(AT_ONCE as i64), &LEASE],
            )
            .await?;
        Ok(rows
            .iter()
            .map(|r| Taken {
                id: r.get(0),
                url: r.get(1),
                secret: r.get(2),
                kind: r.get(3),
                body: r.get(4),
                attempts: r.get(5),
            })
            .collect())
    }

    async fn call(&self, delivery: &Taken) -> Called {
        // Checked again at each attempt: settings and names change.
        let url = self.guard.check(&delivery.url).map_err(|_| "address refused")?;
        let addresses = self.guard.resolve(&url).await.map_err(|e| match e.kind {
            Kind::Busy => "name does not resolve",
            _ => "address refused",
        })?;
        let client = reqwest::Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .timeout(TIMEOUT)
            .resolve_to_addrs(url.host_str().unwrap_or_default(), &addresses)
            .user_agent(concat!("onemap/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|_| "client cannot be made")?;
        let body = serde_json::to_vec(&delivery.body).map_err(|_| "message cannot be written")?;
        let timestamp = jiff::Timestamp::now().as_second();
        let signature = signature(&delivery.secret, timestamp, &body);
        let sent = client
            .post(url)
            .header("content-type", "application/json")
            .header("x-onemap-event", &delivery.kind)
            .header("x-onemap-delivery", delivery.id.to_string())
            .header("x-onemap-timestamp", timestamp.to_string())
            .header("x-onemap-signature", format!("hmac-sm3={signature}"))
            .body(body)
            .send()
            .await;
        match sent {
            // The answer's body is not read: nothing in it matters here.
            Ok(response) => Ok(response.status().as_u16()),
            Err(e) if e.is_timeout() => Err("no answer in time"),
            Err(e) if e.is_connect() => Err("no connection"),
            Err(_) => Err("connection broke off"),
        }
    }

    async fn note(&self, delivery: &Taken, called: Called) -> Result<()> {
        let (status, problem) = match called {
            Ok(status) => (Some(i32::from(status)), None),
            Err(problem) => (None, Some(problem)),
        };
        let delivered = status.is_some_and(|s| (200..300).contains(&s));
        let state = match delivered {
            true => "delivered",
            false if delivery.attempts >= MOST_ATTEMPTS => "failed",
            false => "pending",
        };
        let wait = (FIRST_WAIT * 3f64.powi(delivery.attempts - 1)).min(LONGEST_WAIT);
        self.database
            .app()
            .await?
            .execute(
                "update onemap.webhook_delivery set state = $2, last_status = $3, last_problem = $4,
                     next_at = now() + make_interval(secs => $5), ended_at = case when $2 <> 'pending' then now() end
                 where id = $1 and state = 'pending' and attempts = $6",
                &[&delivery.id, &state, &status, &problem, &wait, &delivery.attempts],
            )
            .await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_covers_time_and_body() {
        let signed = signature("secret", 1_700_000_000, b"{}");
        // As OpenSSL 3.0 computes it: printf '1700000000.{}' | openssl dgst -sm3 -hmac secret
        assert_eq!(signed, "0d9e0a322770c9bd7f912e560f157227f354dda9019b9446940568970701a76a");
        assert_ne!(signed, signature("secret", 1_700_000_001, b"{}"));
        assert_ne!(signed, signature("secret", 1_700_000_000, b"[]"));
        assert_ne!(signed, signature("other", 1_700_000_000, b"{}"));
    }
}
