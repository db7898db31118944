//! The styles that departments keep: in memory for whoever asks, in the database for good.

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio_postgres::{GenericClient, Row};

use super::document::Checked;
use crate::access::audit::{self, Entry};
use crate::access::principal::Principal;
use crate::db::pool::Database;
use crate::error::{Error, Result};

/// Styles that a department may keep.
const MOST: i64 = 200;

/// What is said of a style, as the standard calls it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Metadata {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keywords: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub point_of_contact: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
}

/// A kept style.
#[derive(Debug)]
pub struct Stored {
    pub id: Arc<str>,
    pub department: Arc<str>,
    pub document: Value,
    pub metadata: Metadata,
    pub layers: Vec<String>,
    pub version: i64,
    /// RFC 3339, UTC.
    pub created: String,
    pub updated: String,
}

impl Stored {
    pub fn title(&self) -> &str {
        let name = self.document["name"].as_str().filter(|name| !name.is_empty());
        self.metadata.title.as_deref().or(name).unwrap_or(&self.id)
    }
}

type Snapshot = BTreeMap<Arc<str>, Arc<Stored>>;

/// Cheap to clone.
#[derive(Clone)]
pub struct Styles {
    database: Database,
    snapshot: Arc<ArcSwap<Snapshot>>,
    /// One reading at a time, as in the catalogue.
    turn: Arc<tokio::sync::Mutex<()>>,
}

const COLUMNS: &str = "id, department_id, document, metadata, layers, version, \
    to_char(created_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), \
    to_char(updated_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')";

fn stored(row: &Row) -> Result<Stored> {
    Ok(Stored {
        id: row.get::<_, &str>(0).into(),
        department: row.get::<_, &str>(1).into(),
        document: row.get(2),
        metadata: serde_json::from_value(row.get(3))?,
        layers: row.get(4),
        version: row.get(5),
        created: row.get(6),
        updated: row.get(7),
    })
}

/// Who writes: the principal, for its department, and the versions of the style that it allows.
pub struct Writing<'a> {
    pub by: &'a Principal,
    pub department: &'a str,
    pub expected: Option<&'a [i64]>,
}

impl Styles {
    pub fn new(database: Database) -> Styles {
        Styles { database, snapshot: Arc::default(), turn: Arc::default() }
    }

    /// Reads what has changed: this happens with every change of the catalogue, and styles may be large.
    pub async fn reload(&self) -> Result<()> {
        let _turn = self.turn.lock().await;
        let client = self.database.app().await?;
        let before = self.snapshot.load_full();
        let mut now = Snapshot::new();
        let mut changed: Vec<String> = vec![];
        for row in client.query("select id, version from onemap.style", &[]).await? {
            let (id, version): (&str, i64) = (row.get(0), row.get(1));
            match before.get(id).filter(|known| known.version == version) {
                Some(known) => _ = now.insert(known.id.clone(), known.clone()),
                None => changed.push(id.to_owned()),
            }
        }
        if changed.is_empty() && now.len() == before.len() {
            return Ok(());
        }
        let sql = format!("select {COLUMNS} from onemap.style where id = any($1)");
        for row in client.query(&sql, &[&changed]).await? {
            let style = stored(&row)?;
            now.insert(style.id.clone(), Arc::new(style));
        }
        self.snapshot.store(Arc::new(now));
        Ok(())
    }

    pub fn get(&self, id: &str) -> Option<Arc<Stored>> {
        self.snapshot.load().get(id).cloned()
    }

    /// All of them, by id.
    pub fn all(&self) -> Vec<Arc<Stored>> {
        self.snapshot.load().values().cloned().collect()
    }

    /// Keeps a new style, or another document under the same id. True when it is new. One of another department is in the way.
    pub async fn put(&self, writing: &Writing<'_>, id: &str, style: &Checked, create_only: bool) -> Result<bool> {
        let mut client = self.database.app().await?;
        let transaction = client.transaction().await?;
        let before = held(&*transaction, id).await?;
        let made = match &before {
            Some(_) if create_only => return Err(taken(id)),
            Some(before) => {
                allowed(writing, before)?;
                replace(&*transaction, id, style).await?;
                false
            }
            None if writing.expected.is_some() => return Err(changed_meanwhile()),
            None => {
                create(&*transaction, writing, id, style).await?;
                true
            }
        };
        let action = if made { "create" } else { "replace" };
        let detail = json!({"layers": style.layers, "name": style.document["name"]});
        audit::write(&*transaction, writing.by, Entry { action, object_kind: "style", object_id: id, detail }).await?;
        transaction.commit().await?;
        drop(client);
        self.reload().await?;
        Ok(made)
    }

    /// Changes what is said of a style; `change` gets it as it stands.
    pub async fn describe(
        &self,
        writing: &Writing<'_>,
        id: &str,
        change: impl FnOnce(Metadata) -> Result<Metadata> + Send,
    ) -> Result<()> {
        let mut client = self.database.app().await?;
        let transaction = client.transaction().await?;
        let before = held(&*transaction, id).await?.ok_or_else(no_style)?;
        allowed(writing, &before)?;
        let metadata = serde_json::to_value(change(before.metadata)?)?;
        let sql = "update onemap.style set metadata = $2, version = nextval('onemap.style_version'),
                       updated_at = now() where id = $1";
        transaction.execute(sql, &[&id, &metadata]).await?;
        let entry = Entry { action: "describe", object_kind: "style", object_id: id, detail: metadata };
        audit::write(&*transaction, writing.by, entry).await?;
        transaction.commit().await?;
        drop(client);
        self.reload().await
    }

    /// Whoever removes one reads everything anew then: layers that showed by it have another default.
    pub async fn remove(&self, writing: &Writing<'_>, id: &str) -> Result<()> {
        let mut client = self.database.app().await?;
        let transaction = client.transaction().await?;
        let before = held(&*transaction, id).await?.ok_or_else(no_style)?;
        allowed(writing, &before)?;
        transaction.execute("delete from onemap.style where id = $1", &[&id]).await?;
        let entry = Entry { action: "delete", object_kind: "style", object_id: id, detail: json!({}) };
        audit::write(&*transaction, writing.by, entry).await?;
        Ok(transaction.commit().await?)
    }
}

/// The style as it stands, held until the transaction ends.
async fn held(client: &impl GenericClient, id: &str) -> Result<Option<Stored>> {
    let sql = format!("select {COLUMNS} from onemap.style where id = $1 for update");
    client.query_opt(&sql, &[&id]).await?.as_ref().map(stored).transpose()
}

fn allowed(writing: &Writing<'_>, before: &Stored) -> Result<()> {
    if *before.department != *writing.department {
        return Err(taken(&before.id));
    }
    match writing.expected.is_none_or(|versions| versions.contains(&before.version)) {
        true => Ok(()),
        false => Err(changed_meanwhile()),
    }
}

async fn replace(client: &impl GenericClient, id: &str, style: &Checked) -> Result<()> {
    let sql = "update onemap.style set document = $2, layers = $3, version = nextval('onemap.style_version'),
                   updated_at = now() where id = $1";
    client.execute(sql, &[&id, &style.document, &style.layers]).await?;
    Ok(())
}

async fn create(client: &impl GenericClient, writing: &Writing<'_>, id: &str, style: &Checked) -> Result<()> {
    let kept = "select count(*) from onemap.style where department_id = $1";
    if client.query_one(kept, &[&writing.department]).await?.get::<_, i64>(0) >= MOST {
        return Err(Error::conflict(
            format!("本单位最多保存 {MOST} 个样式"),
            format!("a department keeps at most {MOST} styles"),
        )
        .hint("请删除不再使用的样式", "delete those that are no longer used"));
    }
    let sql = "insert into onemap.style (id, department_id, document, layers, created_by) values ($1, $2, $3, $4, $5)
               on conflict (id) do nothing";
    let values: [&(dyn postgres_types::ToSql + Sync); 5] =
        [&id, &writing.department, &style.document, &style.layers, &writing.by.name()];
    match client.execute(sql, &values).await? {
        1 => Ok(()),
        _ => Err(taken(id)),
    }
}

pub fn no_style() -> Error {
    Error::not_found("没有这个样式", "there is no such style")
        .hint("样式清单见 /ogc/styles", "they are listed at /ogc/styles")
}

/// Also said of a style that the caller may not know of: by whom the id is taken is not told.
pub fn taken(id: &str) -> Error {
    Error::conflict(format!("样式标识 {id} 已被占用"), format!("the style id {id} is taken"))
        .hint("请换一个标识", "choose another id")
}

fn changed_meanwhile() -> Error {
    Error::outdated("样式已被修改", "the style is not in the state that If-Match names")
        .hint("请重新读取后再修改", "read it again, then change it")
}
