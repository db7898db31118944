//! What a department's people decided for a text: from then on it is answered so, to them and to their jobs, for as long as the target
//! is still there and may still be read.
//!
//! A department's aliases are kept in memory. Each write moves the department's version in its transaction; a node that has not
//! looked for a moment compares it and reads the aliases anew only when it moved.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::TryStreamExt;
use moka::future::Cache;
use onemap_address::find::alias_key;
use serde_json::{Value, json};
use tokio_postgres::{GenericClient, Row};

use crate::access::audit::{self, Entry};
use crate::access::datastore::Datastore;
use crate::access::gate::Gate;
use crate::access::grant::{Grant, Read};
use crate::access::principal::Principal;
use crate::db::pool::Database;
use crate::error::{Error, Result};
use crate::layer::catalog::{Catalog, Published};
use crate::layer::{points, select};

/// How long what is kept is believed without a look at its version.
const BELIEVED: Duration = Duration::from_secs(2);
/// Metres within which a row of a new revision is at the place of the old one.
const SAME_PLACE: f64 = 3.0;
/// Departments whose aliases are kept.
const DEPARTMENTS: u64 = 64;

/// Where a decision points: the answer it gives. A rejection has none.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Target {
    /// The layer that it was picked from; None for a place that somebody set.
    pub layer: Option<String>,
    /// None for a place, or a road that no single row stands for.
    pub feature: Option<i64>,
    /// The revision whose feature it is.
    pub revision: Option<i64>,
    pub label: String,
    pub lon: f64,
    pub lat: f64,
    pub match_level: String,
    pub coordinate_level: String,
    pub district: String,
    pub town: String,
    pub community: String,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Alias {
    pub id: i64,
    pub text: String,
    /// `pick`, `place` or `reject`.
    pub kind: String,
    /// None: whatever is found, it is not what the text means.
    pub target: Option<Target>,
    pub by: String,
    /// RFC 3339, UTC.
    pub at: String,
    pub note: String,
}

/// The alias without the number of its feature, which means another row by now.
fn renumbered(alias: &Alias) -> Arc<Alias> {
    let target = alias.target.clone().map(|t| Target { feature: None, ..t });
    Arc::new(Alias { target, ..alias.clone() })
}

type Kept = HashMap<String, Arc<Alias>>;

#[derive(Clone)]
struct Known {
    version: i64,
    aliases: Arc<Kept>,
    looked: Instant,
}

/// Cheap to clone.
#[derive(Clone)]
pub struct Aliases {
    database: Database,
    store: Datastore,
    gate: Gate,
    catalog: Catalog,
    known: Cache<Arc<str>, Known>,
}

pub(super) const TARGET: &str =
    "layer_id, feature, label, lon, lat, match_level, coordinate_level, district, town, community, revision";

/// A target from the columns of [`TARGET`], the first of which is at `from`.
pub(super) fn target(row: &Row, from: usize) -> Option<Target> {
    let text = |i: usize| row.get::<_, Option<String>>(from + i).unwrap_or_default();
    Some(Target {
        layer: row.get(from),
        feature: row.get(from + 1),
        label: text(2),
        lon: row.get::<_, Option<f64>>(from + 3)?,
        lat: row.get::<_, Option<f64>>(from + 4)?,
        match_level: text(5),
        coordinate_level: text(6),
        district: text(7),
        town: text(8),
        community: text(9),
        revision: row.get(from + 10),
    })
}

impl Aliases {
    pub fn new(database: Database, store: Datastore, gate: Gate, catalog: Catalog) -> Aliases {
        let known = Cache::builder().max_capacity(DEPARTMENTS).time_to_idle(Duration::from_secs(600)).build();
        Aliases { database, store, gate, catalog, known }
    }

    /// What the department decided for a text of this key ([`alias_key`]), whether or not its target is still there.
    pub async fn lookup(&self, department: &str, key: &str) -> Result<Option<Arc<Alias>>> {
        if key.is_empty() {
            return Ok(None);
        }
        Ok(self.of(department).await?.get(key).cloned())
    }

    /// What the principal's department decided for the text, if that still stands: what a search answers before it looks further.
    pub async fn answer(&self, principal: &Principal, text: &str) -> Result<Option<Arc<Alias>>> {
        let Some(department) = principal.department.as_deref() else { return Ok(None) };
        let aliases = self.of(department).await?;
        if aliases.is_empty() {
            return Ok(None);
        }
        let Some(alias) = aliases.get(&alias_key(text)).cloned() else { return Ok(None) };
        self.stands(principal, alias).await
    }

    /// The alias as it may be answered to the principal: its layer is readable and its target is there. In another revision the number
    /// of its feature is another row's: then it is its place that must still have a row, and no number is given.
    async fn stands(&self, principal: &Principal, alias: Arc<Alias>) -> Result<Option<Arc<Alias>>> {
        let Some(target @ Target { layer: Some(layer), .. }) = &alias.target else { return Ok(Some(alias)) };
        let Ok(grant) = self.gate.open::<Read>(principal, layer) else { return Ok(None) };
        let Some(feature) = target.feature else { return Ok(Some(alias)) };
        let Ok(layer) = self.catalog.published(&grant) else { return Ok(None) };
        if target.revision == Some(layer.state().revision) {
            return Ok(self.there(&layer, &grant, &[feature]).await?.contains(&feature).then_some(alias));
        }
        Ok(self.has_row_at(&layer, &grant, (target.lon, target.lat)).await?.then(|| renumbered(&alias)))
    }

    /// Every alias of the principal's department that stands, by its key. For a job, which cannot ask for each row: those of the
    /// published revisions are asked for layer by layer.
    pub async fn standing(&self, principal: &Principal) -> Result<Kept> {
        let Some(department) = principal.department.as_deref() else { return Ok(Kept::new()) };
        let (mut standing, mut wanted) = (Kept::new(), HashMap::<String, Vec<(i64, String, Arc<Alias>)>>::new());
        for (key, alias) in self.of(department).await?.iter() {
            match self.of_this_revision(principal, alias) {
                Some((layer, feature)) => {
                    wanted.entry(layer).or_default().push((feature, key.clone(), alias.clone()));
                }
                None => {
                    let alias = self.stands(principal, alias.clone()).await?;
                    standing.extend(alias.map(|a| (key.clone(), a)));
                }
            }
        }
        for (layer, wanted) in wanted {
            let grant = self.gate.open::<Read>(principal, &layer)?;
            let ids: Vec<i64> = wanted.iter().map(|(id, _, _)| *id).collect();
            let there = self.there(&self.catalog.published(&grant)?, &grant, &ids).await?;
            let left = wanted.into_iter().filter(|(id, _, _)| there.contains(id));
            standing.extend(left.map(|(_, key, alias)| (key, alias)));
        }
        Ok(standing)
    }

    /// The layer and feature of an alias that points into a published revision that the principal reads.
    fn of_this_revision(&self, principal: &Principal, alias: &Alias) -> Option<(String, i64)> {
        let target = alias.target.as_ref()?;
        let layer = target.layer.as_ref()?;
        let grant = self.gate.open::<Read>(principal, layer).ok()?;
        let published = self.catalog.published(&grant).ok()?;
        (target.revision == Some(published.state().revision)).then_some((layer.clone(), target.feature?))
    }

    /// Which of the features the grant shows now.
    async fn there(&self, layer: &Published, grant: &Grant<Read>, ids: &[i64]) -> Result<HashSet<i64>> {
        let sql = points::visible(layer.state(), grant, Some(ids));
        let rows = self.store.read(grant).await?.rows(&sql).await?;
        rows.and_then(|row| async move { Ok(row.try_get::<_, i64>(0)?) }).try_collect().await
    }

    async fn has_row_at(&self, layer: &Published, grant: &Grant<Read>, place: (f64, f64)) -> Result<bool> {
        let wanted = select::Near { point: place, metres: SAME_PLACE, filter: None, limit: 1 };
        let Some(sql) = select::near(layer, grant, &[], &wanted) else { return Ok(false) };
        let rows = self.store.read(grant).await?.rows(&sql).await?;
        Ok(rows.try_collect::<Vec<_>>().await?.len() == 1)
    }

    /// A department's aliases by their keys.
    async fn of(&self, department: &str) -> Result<Arc<Kept>> {
        let kept = self.known.get(department).await;
        if let Some(known) = kept.as_ref().filter(|k| k.looked.elapsed() < BELIEVED) {
            return Ok(known.aliases.clone());
        }
        let client = self.database.app().await?;
        let sql = "select version from onemap.address_alias_version where department_id = $1";
        let version: i64 = client.query_opt(sql, &[&department]).await?.map_or(0, |r| r.get(0));
        let aliases = match kept.filter(|k| k.version == version) {
            Some(known) => known.aliases,
            // Read after the version: what it holds beyond it is read once more, nothing is missed.
            None if version > 0 => Arc::new(read(&**client, department).await?),
            None => Arc::default(),
        };
        let known = Known { version, aliases: aliases.clone(), looked: Instant::now() };
        self.known.insert(department.into(), known).await;
        Ok(aliases)
    }

    /// For a caller who must see what it just wrote.
    pub async fn forget(&self, department: &str) {
        self.known.invalidate(department).await;
    }

    /// The department's aliases as documents, newest first.
    pub async fn list(&self, department: &str, q: &str, after: Option<i64>, limit: i64) -> Result<Vec<Value>> {
        let client = self.database.app().await?;
        let sql = format!(
            "select id, text, kind, decided_by, {AT}, note, job_id, job_row, audit_id, {TARGET} from onemap.address_alias
             where department_id = $1 and ($2 = '' or strpos(text, $2) > 0) and ($3::int8 is null or id < $3)
             order by id desc limit $4"
        );
        Ok(client.query(&sql, &[&department, &q, &after, &limit]).await?.iter().map(document).collect())
    }

    /// Takes a decision back: the text is searched again from now on. Decisions in jobs stay as they are.
    pub async fn remove(&self, by: &Principal, department: &str, id: i64) -> Result<()> {
        let mut client = self.database.app().await?;
        let transaction = client.transaction().await?;
        let sql = "delete from onemap.address_alias where id = $1 and department_id = $2 returning text";
        let gone = || Error::not_found("没有这个别名", "there is no such alias");
        let text: String = transaction.query_opt(sql, &[&id, &department]).await?.ok_or_else(gone)?.get(0);
        changed(&*transaction, department).await?;
        let detail = json!({ "text": text });
        let entry = Entry { action: "delete", object_kind: "address_alias", object_id: &id.to_string(), detail };
        audit::write(&*transaction, by, entry).await?;
        transaction.commit().await?;
        self.forget(department).await;
        Ok(())
    }
}

pub(super) const AT: &str = "to_char(decided_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')";

async fn read(client: &impl GenericClient, department: &str) -> Result<Kept> {
    let sql = format!(
        "select key, id, text, kind, decided_by, {AT}, note, {TARGET} from onemap.address_alias where department_id = $1"
    );
    let alias = |row: &Row| Alias {
        id: row.get(1),
        text: row.get(2),
        kind: row.get(3),
        by: row.get(4),
        at: row.get(5),
        note: row.get(6),
        target: target(row, 7),
    };
    Ok(client.query(&sql, &[&department]).await?.iter().map(|r| (r.get(0), Arc::new(alias(r)))).collect())
}

fn document(row: &Row) -> Value {
    let mut alias = json!({
        "id": row.get::<_, i64>(0), "text": row.get::<_, &str>(1), "kind": row.get::<_, &str>(2),
        "by": row.get::<_, &str>(3), "at": row.get::<_, &str>(4), "note": row.get::<_, &str>(5),
        "job": row.get::<_, Option<uuid::Uuid>>(6), "row": row.get::<_, Option<i64>>(7), "audit": row.get::<_, i64>(8),
    });
    if let Some(target) = target(row, 9) {
        alias["source"] = json!(target.layer);
        alias["feature"] = json!(target.feature);
        alias["label"] = target.label.into();
        alias["lon"] = target.lon.into();
        alias["lat"] = target.lat.into();
    }
    alias
}

/// A decision on its way into the table.
pub(super) struct Decided<'a> {
    pub department: &'a str,
    pub text: &'a str,
    pub kind: &'a str,
    pub target: Option<&'a Target>,
    pub by: &'a str,
    pub note: &'a str,
    pub job: uuid::Uuid,
    pub row: i64,
    pub audit: i64,
}

/// Keeps a decision as the answer to its text, in the transaction of the decision. A text that comes to nothing has none.
pub(super) async fn keep(client: &impl GenericClient, d: &Decided<'_>) -> Result<()> {
    let key = alias_key(d.text);
    if key.is_empty() {
        return Ok(());
    }
    let t = d.target;
    let sql = format!(
        "insert into onemap.address_alias (department_id, key, text, kind, decided_by, note, job_id, job_row, audit_id, {TARGET})
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
         on conflict (department_id, key) do update set text = excluded.text, kind = excluded.kind,
             decided_by = excluded.decided_by, decided_at = now(), note = excluded.note, job_id = excluded.job_id,
             job_row = excluded.job_row, audit_id = excluded.audit_id, layer_id = excluded.layer_id,
             feature = excluded.feature, label = excluded.label, lon = excluded.lon, lat = excluded.lat,
             match_level = excluded.match_level, coordinate_level = excluded.coordinate_level,
             district = excluded.district, town = excluded.town, community = excluded.community,
             revision = excluded.revision"
    );
    let text = |of: fn(&Target) -> &String| t.map_or("", |t| of(t).as_str());
    client
        .execute(
            &sql,
            &[
                &d.department,
                &key,
                &d.text,
                &d.kind,
                &d.by,
                &d.note,
                &d.job,
                &d.row,
                &d.audit,
                &t.and_then(|t| t.layer.as_deref()),
                &t.and_then(|t| t.feature),
                &t.map(|t| t.label.as_str()),
                &t.map(|t| t.lon),
                &t.map(|t| t.lat),
                &t.map(|t| t.match_level.as_str()),
                &t.map(|t| t.coordinate_level.as_str()),
                &text(|t| &t.district),
                &text(|t| &t.town),
                &text(|t| &t.community),
                &t.and_then(|t| t.revision),
            ],
        )
        .await?;
    changed(client, d.department).await
}

/// Takes back what was decided on a row of a job, unless the text was decided anew elsewhere since.
pub(super) async fn take_back(client: &impl GenericClient, department: &str, job: uuid::Uuid, row: i64) -> Result<()> {
    let sql = "delete from onemap.address_alias where department_id = $1 and job_id = $2 and job_row = $3";
    client.execute(sql, &[&department, &job, &row]).await?;
    changed(client, department).await
}

async fn changed(client: &impl GenericClient, department: &str) -> Result<()> {
    let sql = "insert into onemap.address_alias_version (department_id, version) values ($1, 1)
               on conflict (department_id) do update set version = onemap.address_alias_version.version + 1";
    client.execute(sql, &[&department]).await?;
    Ok(())
}
