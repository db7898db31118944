//! Application keys: made, bounded, counted, rotated, revoked.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use onemap_credentials::bucket::Bucket;
use onemap_credentials::origin::is_origin;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::audit::{self, Entry};
use super::login::{Login, Proof, Stage, digest};
use super::passwords::secret;
use super::principal::{Principal, Who};
use crate::config::Network;
use crate::error::{Error, Kind, Result};

/// Origins and networks of one key at most.
const MOST_LISTED: usize = 100;
/// Seconds that Asia/Shanghai is ahead of UTC: its days are those that are counted by. It has no summer time.
const SHANGHAI: i64 = 8 * 3600;
const DAY: i64 = 86_400;

/// A key as it is shown once.
pub struct NewKey {
    pub id: Uuid,
    pub key: String,
    pub prefix: String,
}

/// A key that is to be made.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    pub label: String,
    /// Days until it expires; at most ten years.
    pub days: Option<i32>,
    /// Pages that may use it; none is any.
    pub origins: Option<Vec<String>>,
    /// Networks that it may come from; none is any.
    pub addresses: Option<Vec<String>>,
    /// Requests a day.
    pub daily_quota: Option<i64>,
    /// Requests a second.
    pub rate_limit: Option<i32>,
}

/// What bounds a key.
#[derive(Debug, Clone, Default)]
pub struct Bounds {
    id: Uuid,
    origins: Option<Vec<String>>,
    networks: Option<Vec<Network>>,
    daily_quota: Option<u64>,
    rate_limit: Option<u32>,
    /// Requests of today, as the database had them.
    used: (i64, u64),
}

impl Wanted {
    fn check(&self) -> Result<()> {
        let label = self.label.trim();
        if label.is_empty() || label.chars().count() > 100 {
            return Err(Error::invalid("label", "名称为 1 到 100 个字", "a label has 1 to 100 characters"));
        }
        if self.days.is_some_and(|d| !(1..=3650).contains(&d)) {
            return Err(Error::invalid("days", "有效期为 1 到 3650 天", "a key lives 1 to 3650 days"));
        }
        listed("origins", self.origins.as_deref(), is_origin, "https://map.example")?;
        listed("addresses", self.addresses.as_deref(), is_network, "10.1.0.0/16")?;
        if self.daily_quota.is_some_and(|n| n < 1) {
            return Err(Error::invalid("daily_quota", "应为正整数", "it is a positive number"));
        }
        match self.rate_limit.is_some_and(|n| !(1..=100_000).contains(&n)) {
            true => Err(Error::invalid("rate_limit", "为 1 到 100000", "it is between 1 and 100,000")),
            false => Ok(()),
        }
    }
}

/// As PostgreSQL's `cidr` has it: nothing beyond the bits that count.
fn is_network(text: &str) -> bool {
    let Ok(network) = text.parse::<Network>() else { return false };
    let address = text.split('/').next().and_then(|address| address.parse::<IpAddr>().ok());
    address.is_some_and(|address| network.begins_with(address))
}

fn listed(parameter: &str, items: Option<&[String]>, fits: impl Fn(&str) -> bool, example: &str) -> Result<()> {
    let Some(items) = items else { return Ok(()) };
    if items.is_empty() || items.len() > MOST_LISTED {
        return Err(Error::invalid(parameter, "为 1 到 100 项，不限则不写", "it has 1 to 100 members, or is left out"));
    }
    match items.iter().find(|item| !fits(item)) {
        None => Ok(()),
        Some(item) => {
            let shown: String = item.chars().take(80).collect();
            Err(Error::invalid(
                parameter,
                format!("写法有误：{shown}"),
                format!("not written as it should be: {shown}"),
            )
            .hint(format!("例如 {example}"), format!("such as {example}")))
        }
    }
}

const BOUNDS: &str =
    "k.allowed_origins, k.allowed_addresses::text[], k.daily_quota, k.rate_limit, coalesce((select u.requests
    from onemap.key_use u where u.key_id = k.id and u.day = (now() at time zone 'Asia/Shanghai')::date), 0)";

impl Login {
    pub(super) async fn key(&self, hash: &[u8; 32]) -> Result<Proof> {
        let client = self.database.app().await?;
        let sql = format!(
            "select k.id, k.label, k.department_id, {BOUNDS} from onemap.app_key k
             where k.key_hash = $1 and k.revoked_at is null and (k.expires_at is null or k.expires_at > now())"
        );
        let row = client.query_opt(&sql, &[&hash.as_slice()]).await?.ok_or_else(|| {
            Error::unauthenticated("应用密钥无效、已过期或已吊销", "the application key is unknown, expired or revoked")
                .hint("请在开发者中心创建新密钥", "create a new one in the developer centre")
        })?;
        let within = row.get::<_, Option<Vec<String>>>(4);
        let bounds = Bounds {
            id: row.get(0),
            origins: row.get(3),
            networks: within.map(|list| list.iter().map(|text| text.parse()).collect::<Result<_>>()).transpose()?,
            daily_quota: row.get::<_, Option<i64>>(5).map(|n| n.max(0) as u64),
            rate_limit: row.get::<_, Option<i32>>(6).map(|n| n.max(1) as u32),
            used: (today(), row.get::<_, i64>(7).max(0) as u64),
        };
        let principal = Principal {
            who: Who::Key { id: row.get(0), label: row.get::<_, &str>(1).into() },
            department: Some(row.get::<_, &str>(2).into()),
        };
        Ok(Proof { principal, bounds: Some(Arc::new(bounds)), stage: Stage::Whole, signed: None })
    }

    /// Makes a key for a department. The key itself is not kept.
    pub async fn create_key(&self, by: &Principal, department: &str, wanted: &Wanted) -> Result<NewKey> {
        wanted.check()?;
        let mut client = self.database.app().await?;
        let transaction = client.transaction().await?;
        let new = fresh();
        transaction
            .execute(
                "insert into onemap.app_key (id, department_id, label, prefix, key_hash, created_by, expires_at,
                     allowed_origins, allowed_addresses, daily_quota, rate_limit)
                 values ($1, $2, $3, $4, $5, $6, now() + make_interval(days => $7), $8, $9::text[]::cidr[], $10, $11)",
                &[
                    &new.id,
                    &department,
                    &wanted.label.trim(),
                    &new.prefix,
                    &digest(b"key", &new.key).as_slice(),
                    &by.name(),
                    &wanted.days,
                    &wanted.origins,
                    &wanted.addresses,
                    &wanted.daily_quota,
                    &wanted.rate_limit,
                ],
            )
            .await?;
        let detail = json!({"department": department, "label": wanted.label.trim(), "days": wanted.days, "origins": wanted.origins,
            "addresses": wanted.addresses, "daily_quota": wanted.daily_quota, "rate_limit": wanted.rate_limit});
        write_audit(&transaction, by, "create", new.id, detail).await?;
        transaction.commit().await?;
        Ok(new)
    }

    /// Another key in the place of one of the department's; the old one goes on for some hours, so that it can be replaced everywhere.
    pub async fn rotate_key(&self, by: &Principal, department: &str, id: Uuid, hours: i32) -> Result<Option<NewKey>> {
        let mut client = self.database.app().await?;
        let transaction = client.transaction().await?;
        let new = fresh();
        let made = transaction
            .execute(
                "insert into onemap.app_key (id, department_id, label, prefix, key_hash, created_by, expires_at,
                     allowed_origins, allowed_addresses, daily_quota, rate_limit, replaces)
                 select $3, department_id, label, $4, $5, $6, expires_at, allowed_origins, allowed_addresses, daily_quota,
                     rate_limit, id
                 from onemap.app_key where id = $1 and department_id = $2 and revoked_at is null
                     and (expires_at is null or expires_at > now()) for update",
                &[&id, &department, &new.id, &new.prefix, &digest(b"key", &new.key).as_slice(), &by.name()],
            )
            .await?;
        if made == 0 {
            return Ok(None);
        }
        let ends = "update onemap.app_key set expires_at = least(expires_at, now() + make_interval(hours => $2)) where id = $1";
        transaction.execute(ends, &[&id, &hours]).await?;
        write_audit(&transaction, by, "rotate", id, json!({"new": new.id, "hours": hours})).await?;
        transaction.commit().await?;
        self.forget();
        Ok(Some(new))
    }

    /// A new key's text.
    pub fn new_key() -> String {
        format!("om_{}", secret())
    }

    /// Makes a key whose text is known already, unless it is there.
    pub async fn ensure_key(&self, by: &Principal, department: &str, label: &str, key: &str) -> Result<()> {
        let client = self.database.app().await?;
        let prefix = key.chars().take(9).collect::<String>();
        client
            .execute(
                "insert into onemap.app_key (id, department_id, label, prefix, key_hash, created_by)
                 values ($1, $2, $3, $4, $5, $6) on conflict (key_hash) do nothing",
                &[&Uuid::now_v7(), &department, &label, &prefix, &digest(b"key", key).as_slice(), &by.name()],
            )
            .await?;
        Ok(())
    }

    /// Revokes a key of the department. False when there is none.
    pub async fn revoke_key(&self, by: &Principal, department: &str, id: Uuid) -> Result<bool> {
        let mut client = self.database.app().await?;
        let transaction = client.transaction().await?;
        let changed = transaction
            .execute(
                "update onemap.app_key set revoked_at = now(), revoked_by = $3
                 where id = $1 and department_id = $2 and revoked_at is null",
                &[&id, &department, &by.name()],
            )
            .await?;
        write_audit(&transaction, by, "revoke", id, json!({})).await?;
        transaction.commit().await?;
        self.forget();
        Ok(changed == 1)
    }

    /// Whether a key may be used by this page, from this address, now; counts the request.
    pub fn admit(&self, bounds: &Bounds, origin: Option<&str>, address: Option<IpAddr>) -> Result<()> {
        if let Some(allowed) = &bounds.origins
            && !origin.is_some_and(|origin| allowed.iter().any(|a| a == origin))
        {
            return Err(Error::forbidden("该密钥不能在此网页使用", "this key is not for this page")
                .hint("请把网页的来源加入密钥的 origins", "add the page's origin to the key's `origins`"));
        }
        if let Some(allowed) = &bounds.networks
            && !address.is_some_and(|address| allowed.iter().any(|network| network.holds(address)))
        {
            return Err(Error::forbidden("该密钥不能从此地址使用", "this key is not for this address")
                .hint("请把出口地址加入密钥的 addresses", "add the address to the key's `addresses`"));
        }
        self.usage.count(bounds)
    }

    /// Adds what was counted to the database, every few seconds, until told to stop.
    pub async fn keep_count(self, mut stop: tokio::sync::watch::Receiver<bool>) {
        loop {
            let stopped = tokio::select! {
                _ = stop.changed() => true,
                () = tokio::time::sleep(Duration::from_secs(5)) => false,
            };
            if let Err(e) = self.write_count().await {
                tracing::warn!("the use of keys could not be written: {e}");
            }
            if stopped {
                return;
            }
        }
    }

    async fn write_count(&self) -> Result<()> {
        let counted = self.usage.take();
        if counted.is_empty() {
            return Ok(());
        }
        let client = self.database.app().await?;
        for (id, (day, requests)) in counted {
            let row = client
                .query_opt(
                    "insert into onemap.key_use (key_id, day, requests)
                     select id, date '1970-01-01' + $2::int, $3 from onemap.app_key where id = $1
                     on conflict (key_id, day) do update set requests = key_use.requests + excluded.requests returning requests",
                    &[&id, &(day as i32), &(requests as i64)],
                )
                .await;
            match row {
                Ok(Some(row)) => self.usage.known(id, day, row.get::<_, i64>(0) as u64),
                Ok(None) => {}
                Err(e) => {
                    self.usage.give_back(id, day, requests);
                    return Err(e.into());
                }
            }
        }
        Ok(())
    }
}

fn fresh() -> NewKey {
    let key = Login::new_key();
    NewKey { id: Uuid::now_v7(), prefix: key[..9].to_owned(), key }
}

async fn write_audit(
    transaction: &deadpool_postgres::Transaction<'_>,
    by: &Principal,
    action: &str,
    id: Uuid,
    detail: serde_json::Value,
) -> Result<()> {
    let entry = Entry { action, object_kind: "key", object_id: &id.to_string(), detail };
    audit::write(&**transaction, by, entry).await
}

/// The requests of keys on this node. Cheap to clone.
#[derive(Clone)]
pub struct Usage {
    keys: Arc<Mutex<HashMap<Uuid, Used>>>,
    begun: Instant,
}

impl Default for Usage {
    fn default() -> Self {
        Usage { keys: Arc::default(), begun: Instant::now() }
    }
}

#[derive(Default)]
struct Used {
    bucket: Option<Bucket>,
    day: i64,
    /// Of the day: what the database knows of, and what it does not yet.
    written: u64,
    fresh: u64,
}

impl Usage {
    fn count(&self, bounds: &Bounds) -> Result<()> {
        let now = self.begun.elapsed().as_secs_f64();
        let day = today();
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let used = keys.entry(bounds.id).or_default();
        if used.day != day {
            *used = Used { bucket: used.bucket, day, ..Used::default() };
        }
        if bounds.used.0 == day {
            used.written = used.written.max(bounds.used.1);
        }
        if let Some(rate) = bounds.rate_limit {
            let fits = used.bucket.filter(|bucket| bucket.rate() == rate);
            let mut bucket = fits.unwrap_or_else(|| Bucket::new(rate, now));
            let taken = bucket.take(now);
            used.bucket = Some(bucket);
            if let Err(wait) = taken {
                return Err(too_many(wait.ceil().max(1.0) as u64, ("该密钥的请求过于频繁", "this key asks too often")));
            }
        }
        if bounds.daily_quota.is_some_and(|quota| used.written + used.fresh >= quota) {
            let left = (DAY - (seconds() + SHANGHAI).rem_euclid(DAY)) as u64;
            return Err(too_many(left, ("该密钥今日的配额已用完", "this key's quota for today is used up")));
        }
        used.fresh += 1;
        Ok(())
    }

    fn take(&self) -> HashMap<Uuid, (i64, u64)> {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let mut taken = HashMap::new();
        keys.retain(|id, used| {
            if used.fresh > 0 {
                taken.insert(*id, (used.day, used.fresh));
                used.written += std::mem::take(&mut used.fresh);
            }
            used.day == today()
        });
        taken
    }

    fn known(&self, id: Uuid, day: i64, requests: u64) {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(used) = keys.get_mut(&id).filter(|used| used.day == day) {
            used.written = used.written.max(requests);
        }
    }

    fn give_back(&self, id: Uuid, day: i64, requests: u64) {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(used) = keys.get_mut(&id).filter(|used| used.day == day) {
            used.written = used.written.saturating_sub(requests);
            used.fresh += requests;
        }
    }
}

fn too_many(seconds: u64, (zh, en): (&str, &str)) -> Error {
    Error::new(Kind::TooMany { seconds }, zh, en)
}

fn seconds() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs() as i64)
}

/// Days since 1970 in Shanghai.
fn today() -> i64 {
    (seconds() + SHANGHAI).div_euclid(DAY)
}
