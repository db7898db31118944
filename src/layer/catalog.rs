//! The catalogue: a snapshot of every layer's metadata, read anew when the database says that something changed.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio_postgres::Row;

use super::archive::TileArchive;
use super::model::{Department, Field, FieldType, Layer, ShareClass, Source, State, Theme, Thinning, Title};
use crate::access::gate::Gate;
use crate::access::grant::{Action, Grant};
use crate::access::policy::Standing;
use crate::access::principal::Principal;
use crate::access::trace;
use crate::db::pool::Database;
use crate::error::{Error, Result};
use crate::geo::crs::STORAGE_SRID;

#[derive(Default)]
pub struct Snapshot {
    pub layers: HashMap<Arc<str>, Arc<Layer>>,
    pub departments: Vec<Department>,
    pub themes: Vec<Theme>,
}

/// Cheap to clone.
#[derive(Clone, Default)]
pub struct Catalog {
    snapshot: Arc<ArcSwap<Snapshot>>,
    /// One reading at a time, as in the gate.
    turn: Arc<tokio::sync::Mutex<()>>,
}

const LAYERS: &str = "select l.id, l.department_id, l.theme_id, l.title_zh, l.title_en, l.abstract_zh, l.abstract_en, \
    l.share_class, l.anonymous, l.annotation, l.style, l.default_style, l.source, l.synthetic, l.tile_rank, l.tile_limit, \
    l.suppression, \
    to_char(l.created_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') as created, \
    to_char(l.updated_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') as updated, \
    l.registered_schema, l.registered_table, l.registered_key, l.registered_geometry, \
    r.id as revision, r.number, r.table_name, r.geometry_type, r.srid, r.fields, r.feature_count, r.bbox, r.archive, r.edits \
    from onemap.layer l left join onemap.revision r on r.id = l.current_revision";

impl Catalog {
    pub async fn reload(&self, database: &Database) -> Result<()> {
        let _turn = self.turn.lock().await;
        let client = database.app().await?;
        let mut snapshot = Snapshot::default();
        for row in client.query("select id, title_zh, title_en from onemap.department order by id", &[]).await? {
            let title = Title { zh: row.get(1), en: row.get(2) };
            snapshot.departments.push(Department { id: row.get::<_, &str>(0).into(), title });
        }
        for row in client.query("select id, title_zh, title_en from onemap.theme order by position", &[]).await? {
            snapshot.themes.push(Theme { id: row.get(0), title: Title { zh: row.get(1), en: row.get(2) } });
        }
        for row in client.query(LAYERS, &[]).await? {
            let state = match row.get::<_, Option<&str>>("registered_table") {
                Some(table) => registered(&client, &row, table).await?,
                None => revisioned(&row)?,
            };
            let layer = layer(&row, state)?;
            snapshot.layers.insert(layer.id.clone(), Arc::new(layer));
        }
        self.snapshot.store(Arc::new(snapshot));
        Ok(())
    }

    /// The metadata of a granted layer.
    pub fn of<A: Action>(&self, grant: &Grant<A>) -> Result<Arc<Layer>> {
        self.snapshot
            .load()
            .layers
            .get(grant.layer())
            .cloned()
            .ok_or_else(|| Error::not_found("没有这个图层", "there is no such layer"))
    }

    /// A granted layer and its published state.
    pub fn published<A: Action>(&self, grant: &Grant<A>) -> Result<Published> {
        let layer = self.of(grant)?;
        match layer.state.as_ref() {
            Some(state) => {
                trace::note(grant.layer(), |opened| opened.revision = Some(state.number));
                Ok(Published { layer })
            }
            None => Err(Error::not_found("该图层尚未发布任何版本", "no revision of this layer has been published yet")),
        }
    }

    /// What the principal may know of, sorted by id.
    pub fn visible(&self, gate: &Gate, principal: &Principal) -> Vec<(Arc<Layer>, Standing)> {
        let snapshot = self.snapshot.load();
        let seen = gate.visible(principal);
        seen.into_iter().filter_map(|(id, standing)| Some((snapshot.layers.get(&id)?.clone(), standing))).collect()
    }

    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }
}

/// A layer of which it is known that something is published.
#[derive(Clone)]
pub struct Published {
    layer: Arc<Layer>,
}

impl Published {
    pub fn state(&self) -> &State {
        // `Catalog::published` has seen it; the layer behind the Arc does not change.
        self.layer.state.as_ref().unwrap_or_else(|| unreachable!("published layers have a state"))
    }
}

impl std::ops::Deref for Published {
    type Target = Layer;
    fn deref(&self) -> &Layer {
        &self.layer
    }
}

fn layer(row: &Row, state: Option<State>) -> Result<Layer> {
    let suppression: Option<serde_json::Value> = row.get("suppression");
    Ok(Layer {
        id: row.get::<_, &str>("id").into(),
        department: row.get::<_, &str>("department_id").into(),
        theme: row.get("theme_id"),
        title: Title { zh: row.get("title_zh"), en: row.get("title_en") },
        description: Title { zh: row.get("abstract_zh"), en: row.get("abstract_en") },
        class: ShareClass::parse(row.get("share_class")).unwrap_or(ShareClass::NotShared),
        anonymous: row.get("anonymous"),
        annotation: row.get("annotation"),
        style: row.get("style"),
        default_style: row.get("default_style"),
        source: row.get("source"),
        synthetic: row.get("synthetic"),
        thinning: Thinning {
            rank: row.get("tile_rank"),
            limit: row.get::<_, Option<i32>>("tile_limit").and_then(|l| l.try_into().ok()),
        },
        created: row.get("created"),
        updated: row.get("updated"),
        suppression: suppression.map(serde_json::from_value).transpose()?,
        state,
    })
}

fn revisioned(row: &Row) -> Result<Option<State>> {
    let Some(revision) = row.get::<_, Option<i64>>("revision") else { return Ok(None) };
    let geometry_type: Option<String> = row.get("geometry_type");
    let archive: Option<Arc<TileArchive>> =
        row.get::<_, Option<_>>("archive").map(serde_json::from_value).transpose()?.map(Arc::new);
    Ok(Some(State {
        revision,
        number: row.get("number"),
        source: Source {
            schema: "data".into(),
            table: row.get("table_name"),
            key: "fid".into(),
            geometry: (geometry_type.is_some() && archive.is_none()).then(|| "geom".into()),
            registered: false,
        },
        geometry_type,
        srid: row.get("srid"),
        fields: serde_json::from_value(row.get("fields"))?,
        feature_count: archive.is_none().then(|| row.get("feature_count")),
        archive,
        edits: row.get::<_, i64>("edits") as u64,
        bbox: row.get::<_, Option<Vec<f64>>>("bbox").and_then(|b| b.try_into().ok()),
    }))
}

/// Looks a registered table over: its columns now. A table that is gone, or has lost its key or the SRID of its geometry, leaves
/// its layer without a state.
async fn registered(client: &deadpool_postgres::ClientWrapper, row: &Row, table: &str) -> Result<Option<State>> {
    let schema: &str = row.get("registered_schema");
    let key: String = row.get("registered_key");
    let geometry: Option<String> = row.get("registered_geometry");
    let columns = client
        .query(
            "select a.attname::text, t.typname::text, postgis_typmod_srid(a.atttypmod), postgis_typmod_type(a.atttypmod),
                    coalesce(col_description(a.attrelid, a.attnum), '')
             from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
             join pg_type t on t.oid = a.atttypid
             where n.nspname = $1 and c.relname = $2 and a.attnum > 0 and not a.attisdropped order by a.attnum",
            &[&schema, &table],
        )
        .await?;
    let mut state = State {
        revision: 0,
        number: 0,
        source: Source { schema: schema.into(), table: table.into(), key, geometry, registered: true },
        archive: None,
        geometry_type: None,
        srid: 0,
        fields: vec![],
        feature_count: None,
        edits: 0,
        bbox: None,
    };
    let mut keyed = false;
    for column in &columns {
        let (name, udt): (String, String) = (column.get(0), column.get(1));
        keyed |= name == state.source.key && matches!(udt.as_str(), "int2" | "int4" | "int8");
        if Some(&name) == state.source.geometry.as_ref() {
            state.srid = column.get(2);
            state.geometry_type = Some(column.get(3));
        } else if name != state.source.key && !matches!(udt.as_str(), "geometry" | "geography" | "bytea" | "raster") {
            let title: String = column.get(4);
            let title = if title.is_empty() { name.clone() } else { title };
            let kind = FieldType::of_postgres(&udt);
            state.fields.push(Field { name, kind, title_zh: title.clone(), title_en: title });
        }
    }
    if state.source.geometry.is_none() {
        state.srid = STORAGE_SRID;
    }
    Ok((keyed && state.srid > 0).then_some(state))
}
