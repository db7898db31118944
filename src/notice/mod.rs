//! What people and departments are told: rows of an inbox, and signed messages to departments' own systems. Both are written in the
//! transaction of what they tell of, so that nothing is told that did not happen, and nothing that happened stays untold.

pub mod deliver;
pub mod guard;
pub mod inbox;
pub mod webhook;

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio_postgres::{AsyncMessage, GenericClient};
use uuid::Uuid;

use self::guard::Guard;
use crate::access::principal::Role;
use crate::config::Config;
use crate::db::pool::Database;
use crate::error::{Result, Said};

/// What is told. The link is a path below the interface's root.
pub struct Notice<'a> {
    pub kind: &'static str,
    pub title: Said,
    pub link: &'a str,
    pub request: Option<Uuid>,
    /// What machines are told beside it.
    pub detail: Value,
}

/// Who is told. The parts are added up; nobody is told twice.
#[derive(Debug, Clone, Copy, Default)]
pub struct Audience<'a> {
    pub person: Option<i64>,
    /// The approvers and administrators of these departments.
    pub deciders_of: &'a [&'a str],
    /// The platform's administrators.
    pub platform: bool,
    /// Departments whose webhooks are called.
    pub hooks_of: &'a [&'a str],
}

/// Tells it. `client` is the transaction of what is told.
pub async fn post(client: &impl GenericClient, to: Audience<'_>, notice: &Notice<'_>) -> Result<()> {
    let deciders: Vec<&str> =
        Role::ALL.into_iter().filter(|r| r.decides() && *r != Role::PlatformAdministrator).map(Role::name).collect();
    client
        .execute(
            "insert into onemap.notification (person_id, department_id, kind, title_zh, title_en, link, request_id)
             select p.id, p.department_id, $5, $6, $7, $8, $9 from onemap.person p
             where p.active and (p.id = $1 or (p.department_id = any($2) and p.role = any($3))
                 or ($4 and p.role = 'platform_administrator'))",
            &[
                &to.person,
                &to.deciders_of,
                &deciders,
                &to.platform,
                &notice.kind,
                &notice.title.zh,
                &notice.title.en,
                &notice.link,
                &notice.request,
            ],
        )
        .await?;
    let body = json!({"kind": notice.kind, "title": notice.title, "link": notice.link, "request": notice.request,
        "detail": notice.detail});
    client
        .execute(
            "insert into onemap.webhook_delivery (id, webhook_id, kind, body)
             select gen_random_uuid(), w.id, $2, $3 from onemap.webhook w
             where w.active and w.department_id = any($1) and (w.kinds is null or $2 = any(w.kinds))",
            &[&to.hooks_of, &notice.kind, &body],
        )
        .await?;
    Ok(())
}

/// The inbox and the webhooks of a node. Cheap to clone.
#[derive(Clone)]
pub struct Notices {
    database: Database,
    guard: Guard,
    /// Counts what the database said: open streams and the deliverer look again at each change.
    changed: Arc<watch::Sender<u64>>,
}

/// How often the inbox is looked at though nothing was said: a notice may have been lost with its connection.
const LOOK: Duration = Duration::from_secs(20);

impl Notices {
    pub fn new(database: Database, config: &Config) -> Notices {
        Notices { database, guard: Guard::new(config), changed: Arc::new(watch::Sender::new(0)) }
    }

    /// Follows the database's notices until told to stop.
    pub async fn follow(self, mut stop: watch::Receiver<bool>) {
        loop {
            tokio::select! {
                _ = stop.changed() => return,
                ended = self.listen() => {
                    if let Err(e) = ended {
                        tracing::warn!("the connection for notifications is away: {e}");
                    }
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
            }
        }
    }

    async fn listen(&self) -> Result<()> {
        let (client, mut connection) = self.database.owner().await?;
        let (send, mut notices) = tokio::sync::mpsc::channel::<()>(1);
        let driver = tokio::spawn(async move {
            let mut messages = futures_util::stream::poll_fn(move |cx| connection.poll_message(cx));
            while let Some(Ok(message)) = messages.next().await {
                if let AsyncMessage::Notification(_) = message {
                    // A full channel means that a look is due anyway.
                    let _ = send.try_send(());
                }
            }
        });
        client.batch_execute("listen onemap_notices").await?;
        self.stir();
        loop {
            match tokio::time::timeout(LOOK, notices.recv()).await {
                Ok(None) => break,
                Ok(Some(())) | Err(_) => self.stir(),
            }
        }
        drop(client);
        let _ = driver.await;
        Ok(())
    }

    fn stir(&self) {
        self.changed.send_modify(|n| *n = n.wrapping_add(1));
    }
}
