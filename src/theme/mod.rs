//! Thematic layers: a table, zones and an indicator become a layer of its own, with classes, colours, legend and histogram out of one
//! computation. It is published as a revision like any other, so tiles, features, rights and audit need nothing new.
//!
//! A layer whose owner protects small counts ([`crate::layer::model::Suppression`]) gives numbers over one fixed table only; see
//! [`protect`].

pub mod classify;
mod count;
pub mod definition;
mod drawing;
pub mod job;
mod protect;
mod result;
mod rows;
pub mod slice;
mod tell;
mod zones;

use std::sync::Arc;

use serde_json::{Value, json};
use uuid::Uuid;

use self::definition::{Change, Definition};
use crate::access::audit::{self, Entry};
use crate::access::datastore::Datastore;
use crate::access::gate::Gate;
use crate::access::grant::{Edit, Grant, Read};
use crate::access::principal::Principal;
use crate::db::pool::Database;
use crate::error::{Error, Result};
use crate::job::queue::Queue;
use crate::layer::catalog::{Catalog, Published};
use crate::layer::registry::{self, NewLayer};
use crate::layer::removal;
use crate::style::store::Styles;

/// Computations of a department that wait or run at once.
const MOST_AT_ONCE: i64 = 10;

/// What themes stand on.
pub struct Parts {
    pub database: Database,
    pub store: Datastore,
    pub gate: Gate,
    pub catalog: Catalog,
    pub queue: Queue,
    pub styles: Styles,
}

/// Cheap to clone.
#[derive(Clone)]
pub struct Themes(Arc<Parts>);

impl std::ops::Deref for Themes {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// What is said of a theme as it is kept.
pub struct Kept {
    /// With the number of its rows in their place: there may be many.
    pub definition: Value,
    pub job: Option<Uuid>,
    pub created_by: String,
    /// RFC 3339, UTC.
    pub updated: String,
}

impl From<onemap_statistics::Problem> for Error {
    fn from(problem: onemap_statistics::Problem) -> Error {
        Error::invalid(problem.parameter, problem.zh, problem.en)
    }
}

impl Themes {
    pub fn new(parts: Parts) -> Themes {
        Themes(Arc::new(parts))
    }

    /// Makes the layer of a theme for a department and puts its computation. The caller has asked `Gate::publisher`.
    pub async fn create(
        &self,
        by: &Principal,
        department: &str,
        new: &NewLayer,
        definition: &Definition,
    ) -> Result<Uuid> {
        self.check(by, definition).await?;
        let mut client = self.database.app().await?;
        let transaction = client.transaction().await?;
        registry::insert_layer(&transaction, by, department, new).await?;
        let sql = "insert into onemap.thematic_layer (layer_id, definition, created_by, updated_by)
                   values ($1, $2, $3, $3)";
        transaction.execute(sql, &[&new.id, &serde_json::to_value(definition)?, &by.name()]).await?;
        let entry =
            Entry { action: "create", object_kind: "theme", object_id: &new.id, detail: definition.without_rows() };
        audit::write(&*transaction, by, entry).await?;
        transaction.commit().await?;
        drop(client);
        self.gate.reload(&self.database).await?;
        self.put(by, &new.id).await
    }

    /// Puts another computation of a theme: a new revision of its layer.
    pub async fn refresh(&self, grant: &Grant<Edit>) -> Result<Uuid> {
        let definition = self.definition(grant.layer()).await?;
        self.check(grant.principal(), &definition).await?;
        self.put(grant.principal(), grant.layer()).await
    }

    /// Changes what a theme is made of, and computes it anew.
    pub async fn change(&self, grant: &Grant<Edit>, change: Change) -> Result<Uuid> {
        let definition = change.apply(self.definition(grant.layer()).await?);
        self.check(grant.principal(), &definition).await?;
        let mut client = self.database.app().await?;
        let transaction = client.transaction().await?;
        let sql = "update onemap.thematic_layer set definition = $2, updated_by = $3, updated_at = now()
                   where layer_id = $1";
        let by = grant.principal().name();
        transaction.execute(sql, &[&grant.layer(), &serde_json::to_value(&definition)?, &by]).await?;
        let entry = Entry {
            action: "replace",
            object_kind: "theme",
            object_id: grant.layer(),
            detail: definition.without_rows(),
        };
        audit::write(&*transaction, grant.principal(), entry).await?;
        transaction.commit().await?;
        drop(client);
        self.put(grant.principal(), grant.layer()).await
    }

    async fn put(&self, by: &Principal, layer: &str) -> Result<Uuid> {
        let job = self.queue.put_at_most(by, job::KIND, MOST_AT_ONCE, &json!({ "theme": layer })).await?;
        let client = self.database.app().await?;
        client.execute("update onemap.thematic_layer set job = $2 where layer_id = $1", &[&layer, &job]).await?;
        Ok(job)
    }

    /// What is said of a theme, by the id of its layer. Whoever asks holds a grant on that layer.
    pub async fn get(&self, layer: &str) -> Result<Kept> {
        let sql = "select case when definition -> 'data' ? 'rows' then jsonb_set(definition, '{data,rows}',
                       to_jsonb(jsonb_array_length(definition -> 'data' -> 'rows'))) else definition end,
                       job, created_by, to_char(updated_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')
                   from onemap.thematic_layer where layer_id = $1";
        let row = self.database.app().await?.query_opt(sql, &[&layer]).await?.ok_or_else(no_theme)?;
        Ok(Kept { definition: row.get(0), job: row.get(1), created_by: row.get(2), updated: row.get(3) })
    }

    /// All that a theme is made of, its rows too.
    async fn definition(&self, layer: &str) -> Result<Definition> {
        let sql = "select definition from onemap.thematic_layer where layer_id = $1";
        let row = self.database.app().await?.query_opt(sql, &[&layer]).await?.ok_or_else(no_theme)?;
        Ok(serde_json::from_value(row.get(0))?)
    }

    /// Which of these layers are themes, with their kind and indicator.
    pub async fn among(&self, layers: &[String]) -> Result<Vec<(String, Value)>> {
        let sql = "select layer_id, jsonb_build_object('kind', definition -> 'kind',
                       'indicator', definition -> 'indicator' -> 'kind', 'time', definition -> 'time' is not null)
                   from onemap.thematic_layer where layer_id = any($1) order by layer_id";
        let rows = self.database.app().await?.query(sql, &[&layers]).await?;
        Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
    }

    /// What was worked out for the revision that is published.
    pub async fn outcome(&self, layer: &Published) -> Result<Value> {
        let client = self.database.app().await?;
        let sql = "select report from onemap.revision where id = $1";
        let row = client.query_opt(sql, &[&layer.state().revision]).await?;
        Ok(row.and_then(|row| row.get(0)).unwrap_or(Value::Null))
    }

    /// Removes a theme: its layer with all revisions, and its style where that shows nothing else.
    pub async fn remove(&self, grant: &Grant<Edit>) -> Result<()> {
        let layer = grant.layer();
        let mut client = self.store.write(grant).await?;
        let transaction = client.transaction().await?;
        let held = "select l.department_id from onemap.layer l join onemap.thematic_layer t on t.layer_id = l.id
                    where l.id = $1 for update of l";
        let department: String = transaction.query_opt(held, &[&layer]).await?.ok_or_else(no_theme)?.get(0);
        removal::remove(&transaction, layer).await?;
        let unused = "delete from onemap.style where id = $1 and department_id = $2 and layers <@ $3";
        transaction.execute(unused, &[&style_id(layer), &department, &vec![layer]]).await?;
        for object_kind in ["theme", "layer"] {
            let entry = Entry { action: "delete", object_kind, object_id: layer, detail: json!({}) };
            audit::write(&*transaction, grant.principal(), entry).await?;
        }
        Ok(transaction.commit().await?)
    }

    /// A layer that may be read, with its published state.
    fn read(&self, by: &Principal, layer: &str) -> Result<(Published, Grant<Read>)> {
        let grant = self.gate.open::<Read>(by, layer)?;
        let layer = self.catalog.published(&grant)?;
        layer.state().need_rows()?;
        Ok((layer, grant))
    }

    /// Refuses a definition that cannot be computed: now, and again when it is.
    async fn check(&self, by: &Principal, definition: &Definition) -> Result<()> {
        definition.check()?;
        let (zones, of_zones) = self.read(by, &definition.zones.layer)?;
        zones::check(definition, &zones, &of_zones)?;
        if let Some(layer) = self.source(by, definition).await? {
            let (layer, grant) = self.read(by, &layer)?;
            rows::check(definition, &layer, &grant)?;
            protect::check(definition, &layer, &grant, &of_zones)?;
        }
        Ok(())
    }

    /// The layer that the table is, if it is one: named, or that into which an upload was loaded.
    async fn source(&self, by: &Principal, definition: &Definition) -> Result<Option<String>> {
        let Some(upload) = definition.data.upload else { return Ok(definition.data.layer.clone()) };
        let department = by.department.as_deref().unwrap_or_default();
        let sql = "select layer_id from onemap.upload where id = $1 and department_id = $2";
        let row = self.database.app().await?.query_opt(sql, &[&upload, &department]).await?;
        let row = row.ok_or_else(|| Error::invalid("data.upload", "没有这个上传文件", "there is no such upload"))?;
        row.get::<_, Option<String>>(0).map(Some).ok_or_else(|| {
            Error::invalid("data.upload", "该文件尚未入库", "this file has not been loaded yet").hint(
                "请先调用 /api/v1/uploads/{id}/load，并发布其图层",
                "load it by /api/v1/uploads/{id}/load and publish its layer first",
            )
        })
    }
}

/// Also said of a layer that is no theme.
fn no_theme() -> Error {
    Error::not_found("没有这个专题图层", "there is no such theme")
        .hint("专题图层清单见 /api/v1/themes", "they are listed at /api/v1/themes")
}

/// The id of a theme's style. A style of the layer's own id would stand in the layer's way.
pub fn style_id(layer: &str) -> String {
    format!("{layer}-theme")
}

/// The longest id of a theme, so that its style's fits too.
pub const LONGEST_ID: usize = 57;
