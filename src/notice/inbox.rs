//! A person's inbox.

use std::time::Duration;

use futures_util::Stream;
use serde::Serialize;
use tokio_postgres::Row;
use uuid::Uuid;

use super::Notices;
use crate::access::principal::{Principal, Who};
use crate::error::{Error, Result, Said};

/// How long one stream of notifications lasts: a client that comes back is authenticated again.
const LONGEST: Duration = Duration::from_secs(600);
/// Messages of one page at most.
pub const MOST: i64 = 200;

#[derive(Debug, Clone, Serialize)]
pub struct Message {
    pub id: i64,
    pub kind: String,
    pub title: Said,
    pub link: String,
    pub request: Option<Uuid>,
    pub created: String,
    pub read: bool,
}

/// A page of an inbox, newest first.
#[derive(Debug, Clone, Serialize)]
pub struct Page {
    /// Of the whole inbox.
    pub unread: i64,
    pub notifications: Vec<Message>,
    /// The `before` of the next page.
    pub next: Option<i64>,
}

/// What an open stream sends.
#[derive(Debug, Clone, Serialize)]
pub struct News {
    pub unread: i64,
    pub notifications: Vec<Message>,
}

/// Person and department: what was told in the name of a department is read as one of its people.
pub struct Reader {
    person: i64,
    department: String,
}

impl Reader {
    pub fn of(principal: &Principal) -> Result<Reader> {
        match (&principal.who, &principal.department) {
            (Who::Person { id, .. }, Some(department)) => {
                Ok(Reader { person: *id, department: department.to_string() })
            }
            _ => Err(Error::forbidden("此操作需要以个人身份登录", "this needs a person's session")),
        }
    }
}

const COLUMNS: &str = "select id, kind, title_zh, title_en, link, request_id,
    to_char(created_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), read_at is not null
    from onemap.notification where person_id = $1 and department_id = $2";

fn message(row: &Row) -> Message {
    Message {
        id: row.get(0),
        kind: row.get(1),
        title: Said::new(row.get::<_, String>(2), row.get::<_, String>(3)),
        link: row.get(4),
        request: row.get(5),
        created: row.get(6),
        read: row.get(7),
    }
}

impl Notices {
    /// The inbox, or what is unread of it, before a message.
    pub async fn inbox(&self, reader: &Reader, unread: bool, before: Option<i64>, limit: i64) -> Result<Page> {
        let client = self.database.app().await?;
        let sql = format!(
            "{COLUMNS} and (not $3 or read_at is null) and ($4::int8 is null or id < $4) order by id desc limit $5"
        );
        let rows = client.query(&sql, &[&reader.person, &reader.department, &unread, &before, &(limit + 1)]).await?;
        let more = rows.len() as i64 > limit;
        let notifications: Vec<Message> = rows.iter().take(limit as usize).map(message).collect();
        let next = notifications.last().filter(|_| more).map(|m| m.id);
        drop(client);
        Ok(Page { unread: self.unread(reader).await?, notifications, next })
    }

    async fn unread(&self, reader: &Reader) -> Result<i64> {
        let sql = "select count(*) from onemap.notification
                   where person_id = $1 and department_id = $2 and read_at is null";
        Ok(self.database.app().await?.query_one(sql, &[&reader.person, &reader.department]).await?.get(0))
    }

    /// Marks messages as read: those named, or all up to one. What is not the reader's is passed over.
    pub async fn mark_read(&self, reader: &Reader, ids: &[i64], up_to: Option<i64>) -> Result<i64> {
        let client = self.database.app().await?;
        client
            .execute(
                "update onemap.notification set read_at = now()
                 where person_id = $1 and department_id = $2 and read_at is null and (id = any($3) or id <= $4)",
                &[&reader.person, &reader.department, &ids, &up_to],
            )
            .await?;
        drop(client);
        self.unread(reader).await
    }

    /// The unread count at once, then with each new message, for ten minutes at most. It ends when the person leaves the department.
    pub fn news(&self, reader: Reader) -> impl Stream<Item = News> + Send + use<> {
        struct Following {
            notices: Notices,
            reader: Reader,
            changed: tokio::sync::watch::Receiver<u64>,
            last: Option<i64>,
            until: tokio::time::Instant,
        }
        let following = Following {
            changed: self.changed.subscribe(),
            notices: self.clone(),
            reader,
            last: None,
            until: tokio::time::Instant::now() + LONGEST,
        };
        futures_util::stream::unfold(following, |mut at| async move {
            loop {
                let (news, newest) = at.notices.since(&at.reader, at.last).await.ok()??;
                let first = at.last.is_none();
                at.last = Some(newest);
                if first || !news.notifications.is_empty() {
                    return Some((news, at));
                }
                tokio::time::timeout_at(at.until, at.changed.changed()).await.ok()?.ok()?;
            }
        })
    }

    /// What came after a message, with the newest id; nothing for somebody who is no longer one of the department.
    async fn since(&self, reader: &Reader, last: Option<i64>) -> Result<Option<(News, i64)>> {
        let client = self.database.app().await?;
        let is_there = "select coalesce((select max(id) from onemap.notification where person_id = $1), 0)
             from onemap.person where id = $1 and department_id = $2 and active";
        let Some(row) = client.query_opt(is_there, &[&reader.person, &reader.department]).await? else {
            return Ok(None);
        };
        let newest: i64 = row.get(0);
        let mut notifications = vec![];
        if let Some(last) = last {
            let sql = format!("{COLUMNS} and id > $3 order by id limit {MOST}");
            notifications =
                client.query(&sql, &[&reader.person, &reader.department, &last]).await?.iter().map(message).collect();
        }
        drop(client);
        Ok(Some((News { unread: self.unread(reader).await?, notifications }, newest)))
    }
}
