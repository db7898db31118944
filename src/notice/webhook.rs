//! A department's webhooks: where its own systems are told what happens.

use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::Notices;
use crate::access::audit::{self, Entry};
use crate::access::principal::Principal;
use crate::error::{Error, Result};

/// Webhooks of one department at most.
const MOST: i64 = 20;

/// The kinds of events that are told.
pub const KINDS: [&str; 11] = [
    "request.submitted",
    "request.withdrawn",
    "request.returned",
    "request.approved",
    "request.rejected",
    "request.active",
    "request.expiring",
    "request.expired",
    "request.revoked",
    "request.surrendered",
    "request.overdue",
];

#[derive(Debug, Clone, Serialize)]
pub struct Webhook {
    pub id: Uuid,
    pub url: String,
    pub kinds: Option<Vec<String>>,
    pub active: bool,
    pub created: String,
    /// Deliveries that still wait, and that were given up.
    pub pending: i64,
    pub failed: i64,
    pub last: Option<Delivery>,
}

/// The last attempt of a delivery.
#[derive(Debug, Clone, Serialize)]
pub struct Delivery {
    pub kind: String,
    pub state: String,
    pub attempts: i32,
    pub status: Option<i32>,
    pub problem: Option<String>,
}

/// A webhook just made: the secret is shown this once.
#[derive(Debug, Clone, Serialize)]
pub struct Made {
    pub id: Uuid,
    pub secret: String,
}

impl Notices {
    pub async fn webhooks(&self, department: &str) -> Result<Vec<Webhook>> {
        let rows = self
            .database
            .app()
            .await?
            .query(
                "select w.id, w.url, w.kinds, w.active, to_char(w.created_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),
                     (select count(*) from onemap.webhook_delivery d where d.webhook_id = w.id and d.state = 'pending'),
                     (select count(*) from onemap.webhook_delivery d where d.webhook_id = w.id and d.state = 'failed'),
                     d.kind, d.state, d.attempts, d.last_status, d.last_problem
                 from onemap.webhook w left join lateral (select * from onemap.webhook_delivery d
                     where d.webhook_id = w.id and d.attempts > 0 order by d.created_at desc limit 1) d on true
                 where w.department_id = $1 order by w.created_at",
                &[&department],
            )
            .await?;
        let last = |row: &tokio_postgres::Row| {
            Some(Delivery {
                kind: row.get::<_, Option<String>>(7)?,
                state: row.get(8),
                attempts: row.get(9),
                status: row.get(10),
                problem: row.get(11),
            })
        };
        Ok(rows
            .iter()
            .map(|row| Webhook {
                id: row.get(0),
                url: row.get(1),
                kinds: row.get(2),
                active: row.get(3),
                created: row.get(4),
                pending: row.get(5),
                failed: row.get(6),
                last: last(row),
            })
            .collect())
    }

    /// Makes a webhook for the department.
    pub async fn create_webhook(
        &self,
        by: &Principal,
        department: &str,
        url: &str,
        kinds: Option<&[String]>,
    ) -> Result<Made> {
        let url = self.guard.check(url)?;
        if let Some(kind) = kinds.into_iter().flatten().find(|k| !KINDS.contains(&k.as_str())) {
            let shown: String = kind.chars().take(60).collect();
            return Err(Error::invalid("kinds", format!("没有事件类型 {shown}"), format!("there is no kind {shown}"))
                .hint(format!("可选：{}", KINDS.join("、")), format!("choose from {}", KINDS.join(", "))));
        }
        let (id, secret) = (Uuid::now_v7(), hex::encode(rand::random::<[u8; 32]>()));
        let mut client = self.database.app().await?;
        let transaction = client.transaction().await?;
        // Held until the end: two at once must not both be the last.
        transaction.execute("select 1 from onemap.department where id = $1 for update", &[&department]).await?;
        let sql = "select count(*) from onemap.webhook where department_id = $1";
        if transaction.query_one(sql, &[&department]).await?.get::<_, i64>(0) >= MOST {
            return Err(Error::conflict("本单位已有 20 个回调地址", "the department has 20 webhooks already"));
        }
        transaction
            .execute(
                "insert into onemap.webhook (id, department_id, url, secret, kinds, created_by)
                 values ($1, $2, $3, $4, $5, $6)",
                &[&id, &department, &url.as_str(), &secret, &kinds, &by.name()],
            )
            .await?;
        // A path or a query may hold the receiver's own secret: the trail names the host.
        let detail = json!({"host": url.host_str(), "kinds": kinds});
        let entry = Entry { action: "create", object_kind: "webhook", object_id: &id.to_string(), detail };
        audit::write(&*transaction, by, entry).await?;
        transaction.commit().await?;
        Ok(Made { id, secret })
    }

    /// Removes one of the department's webhooks, and what still waits for it.
    pub async fn remove_webhook(&self, by: &Principal, department: &str, id: Uuid) -> Result<()> {
        let mut client = self.database.app().await?;
        let transaction = client.transaction().await?;
        let sql = "delete from onemap.webhook where id = $1 and department_id = $2";
        if transaction.execute(sql, &[&id, &department]).await? == 0 {
            return Err(Error::not_found("没有这个回调地址", "there is no such webhook"));
        }
        let entry = Entry { action: "delete", object_kind: "webhook", object_id: &id.to_string(), detail: json!({}) };
        audit::write(&*transaction, by, entry).await?;
        transaction.commit().await?;
        Ok(())
    }
}
