//! Single features of a published revision, written over the API: created, replaced, merged, deleted. Each in one transaction with its
//! audit row; triggers put it into the log of edits.

use postgres_types::{FromSql, Type};
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio_postgres::Row;

use super::catalog::Published;
use super::marks;
use super::model::{Field, FieldType, State};
use super::select::{self, Selection};
use crate::access::audit::{self, Entry};
use crate::access::datastore::Datastore;
use crate::access::grant::{Amend, Edit, Grant, Mark, Read};
use crate::access::principal::Principal;
use crate::db::sql::{Bind, Sql};
use crate::error::{Error, Result};
use crate::geo::crs::{CRS84, STORAGE_SRID};

/// What is to be written of a feature.
pub struct Content {
    /// Fields with their new values; none is null.
    pub values: Vec<(Field, Option<Bind>)>,
    /// The geometry as GeoJSON, when it is written at all.
    pub geometry: Option<Option<String>>,
}

impl Content {
    fn is_empty(&self) -> bool {
        self.values.is_empty() && self.geometry.is_none()
    }
}

/// What its editor may change of a layer.
pub enum Pen {
    /// Every feature.
    Publisher(Grant<Edit>),
    /// Of an annotation layer the marks that bear the editor's name.
    Annotator(Grant<Mark>),
    /// Of another department's layer what a grant shows, and of it nothing beyond the grant's rows and area.
    Grantee(Grant<Amend>),
}

impl Pen {
    pub fn layer(&self) -> &str {
        match self {
            Pen::Publisher(grant) => grant.layer(),
            Pen::Annotator(grant) => grant.layer(),
            Pen::Grantee(grant) => grant.layer(),
        }
    }
    pub fn principal(&self) -> &Principal {
        match self {
            Pen::Publisher(grant) => grant.principal(),
            Pen::Annotator(grant) => grant.principal(),
            Pen::Grantee(grant) => grant.principal(),
        }
    }
    /// A connection to write with.
    pub async fn client(&self, store: &Datastore) -> Result<deadpool_postgres::Object> {
        match self {
            Pen::Publisher(grant) => store.write(grant).await,
            Pen::Annotator(grant) => store.mark(grant).await,
            Pen::Grantee(grant) => store.amend(grant).await,
        }
    }
}

/// What is done to a feature that exists.
pub enum Change {
    Replace(Content),
    Merge(Content),
    Delete,
}

/// A layer under its editor's hands. Grant and pen are of one principal on this layer.
pub struct Editing<'a> {
    pub store: &'a Datastore,
    pub layer: &'a Published,
    pub read: &'a Grant<Read>,
    pub pen: &'a Pen,
}

pub type Transaction<'a> = deadpool_postgres::Transaction<'a>;

impl Editing<'_> {
    /// Adds a feature; its id.
    pub async fn create(&self, content: Content) -> Result<i64> {
        let content = self.completed(content, true)?;
        let mut client = self.pen.client(self.store).await?;
        let transaction = self.begin(&mut client).await?;
        self.check_geometry(&transaction, &content).await?;
        let sql = insert(self.layer.state(), &content);
        let row = query(&transaction, &sql).await?.ok_or_else(|| Error::internal("no id came back"))?;
        let id: i64 = row.try_get(0)?;
        self.stay_within(&transaction, id, true).await?;
        self.end(transaction, "create", id, &content).await?;
        Ok(id)
    }

    /// Of a mark, what the server writes into it stands beside what the editor did.
    fn completed(&self, content: Content, new: bool) -> Result<Content> {
        match self.layer.annotation {
            true => marks::completed(self.layer.state(), content, self.pen.principal(), new),
            false => Ok(content),
        }
    }

    /// Changes a feature, if it is in one of the states that the caller expects.
    pub async fn change(&self, id: i64, expected: Option<&[String]>, change: Change) -> Result<()> {
        let (action, content) = match change {
            Change::Replace(content) => ("replace", self.completed(content, false)?),
            // A merge of nothing changes nothing.
            Change::Merge(content) if content.is_empty() => ("merge", content),
            Change::Merge(content) => ("merge", self.completed(content, false)?),
            Change::Delete => ("delete", Content { values: vec![], geometry: None }),
        };
        let mut client = self.pen.client(self.store).await?;
        let transaction = self.begin(&mut client).await?;
        self.lock_feature(&transaction, id, expected).await?;
        self.check_geometry(&transaction, &content).await?;
        let state = self.layer.state();
        let sql = if action == "delete" { Some(delete(state, id)) } else { update(state, id, &content) };
        let Some(sql) = sql else { return Ok(()) };
        // Of what crosses the area's edge the shape is not the grantee's to change, nor to delete.
        let shape = action == "delete" || content.geometry.is_some();
        if shape {
            self.stay_within(&transaction, id, true).await?;
        }
        query(&transaction, &sql).await?;
        if action != "delete" {
            self.stay_within(&transaction, id, shape).await?;
        }
        self.end(transaction, action, id, &content).await
    }

    /// Refuses a feature that a grantee's grant does not show, or (`whole`) does not show whole: before it is changed, and as it has become.
    async fn stay_within(&self, transaction: &Transaction<'_>, id: i64, whole: bool) -> Result<()> {
        if !matches!(self.pen, Pen::Grantee(_)) {
            return Ok(());
        }
        let sql = select::shows(self.layer, self.read, id, whole);
        match query(transaction, &sql).await? {
            Some(_) => Ok(()),
            None => Err(Error::forbidden(
                "修改超出授权的记录或范围",
                "the change reaches beyond the rows or the area of the grant",
            )),
        }
    }

    /// Ends a transaction in which something was done to what hangs on a feature: writes the content and the audit row, commits.
    pub async fn attach(&self, transaction: Transaction<'_>, action: &str, id: i64, content: &Content) -> Result<()> {
        if let Some(sql) = update(self.layer.state(), id, content) {
            query(&transaction, &sql).await?;
        }
        self.end(transaction, action, id, content).await
    }

    /// A transaction in which the layer keeps the revision that the caller saw.
    pub async fn begin<'c>(&self, client: &'c mut deadpool_postgres::Object) -> Result<Transaction<'c>> {
        if self.layer.state().source.registered {
            return Err(Error::conflict(
                "该图层是登记的数据库表，不能经接口修改",
                "this layer is a table shared as it stands; it is not changed here",
            )
            .hint("请在其所属的数据库中修改", "change it in the database, where it belongs"));
        }
        if self.layer.state().archive.is_some() {
            return Err(Error::conflict(
                "该图层是瓦片归档，没有可修改的要素",
                "this layer is a tile archive: it has no features to change",
            )
            .hint("请上传新的归档", "upload a new archive"));
        }
        let transaction = client.transaction().await?;
        transaction.batch_execute("set local lock_timeout = '5s'; set local statement_timeout = '20s'").await?;
        let current = "select current_revision from onemap.layer where id = $1 for key share";
        let row = transaction.query_opt(current, &[&self.pen.layer()]).await?;
        match row.and_then(|row| row.get::<_, Option<i64>>(0)) == Some(self.layer.state().revision) {
            true => Ok(transaction),
            false => Err(Error::conflict(
                "该图层刚刚发布了另一个版本",
                "another revision of this layer was published just now",
            )),
        }
    }

    /// Holds the feature until the end, and looks whether it is as expected and one that the pen may change.
    pub async fn lock_feature(
        &self,
        transaction: &Transaction<'_>,
        id: i64,
        expected: Option<&[String]>,
    ) -> Result<()> {
        let fields: Vec<&Field> = self.layer.state().fields.iter().collect();
        let wanted = Selection { id: Some(id), srid: Some(CRS84.srid), ..Selection::default() };
        let mut sql = select::features(self.layer, self.read, &fields, &wanted);
        sql.push(" for update");
        let row = query(transaction, &sql).await?.ok_or_else(missing)?;
        if let Pen::Annotator(grant) = self.pen {
            marks::check_author(&row, grant.principal())?;
        }
        let digest = digest(&row)?;
        match expected.is_none_or(|tags| tags.contains(&digest)) {
            true => Ok(()),
            false => Err(Error::outdated(
                "该要素已被他人修改，与 If-Match 不符",
                "the feature is not in the state that If-Match names",
            )
            .hint(
                "请重新读取该要素（不带 crs 参数），用新的 ETag 再试",
                "read the feature again (without `crs`) and use its new ETag",
            )),
        }
    }

    async fn check_geometry(&self, transaction: &Transaction<'_>, content: &Content) -> Result<()> {
        let Some(Some(json)) = &content.geometry else { return Ok(()) };
        let mut sql = Sql::new("select st_isvalid(g), st_isvalidreason(g) from (select ");
        geometry(&mut sql, self.layer.state(), json);
        sql.push(" as g) given");
        let row = query(transaction, &sql).await?.ok_or_else(|| Error::internal("no row"))?;
        if row.try_get::<_, Option<bool>>(0)? == Some(true) {
            return Ok(());
        }
        let reason: Option<&str> = row.try_get(1)?;
        let reason = reason.unwrap_or_default();
        Err(Error::invalid("geometry", format!("几何无效：{reason}"), format!("the geometry is not valid: {reason}"))
            .hint("请修正自相交、重复或未闭合的环", "mend rings that cross themselves or each other"))
    }

    async fn end(&self, transaction: Transaction<'_>, action: &str, id: i64, content: &Content) -> Result<()> {
        let fields: Vec<&str> = content.values.iter().map(|(field, _)| field.name.as_str()).collect();
        let geometry = content.geometry.is_some();
        let mut detail = json!({"revision": self.layer.state().number, "fields": fields, "geometry": geometry});
        if let Pen::Grantee(grant) = self.pen {
            detail["grant"] = grant.number().into();
        }
        let object_id = format!("{}/{id}", self.pen.layer());
        let entry = Entry { action, object_kind: "feature", object_id: &object_id, detail };
        audit::write(&*transaction, self.pen.principal(), entry).await?;
        Ok(transaction.commit().await?)
    }
}

pub fn missing() -> Error {
    Error::not_found("没有这个要素", "there is no such feature")
}

async fn query(transaction: &Transaction<'_>, sql: &Sql) -> Result<Option<Row>> {
    let statement = transaction.prepare_typed_cached(sql.text(), &sql.types()).await?;
    let values: Vec<_> = sql.values().collect();
    Ok(transaction.query_opt(&statement, &values).await?)
}

fn insert(state: &State, content: &Content) -> Sql {
    let mut sql = Sql::new("insert into ");
    sql.table("data", &state.source.table);
    let assigned = assigned(state, content);
    if assigned.is_empty() {
        sql.push(" default values");
    } else {
        sql.push(" (");
        separated(&mut sql, &assigned, |sql, (name, _)| {
            sql.ident(name);
        });
        sql.push(") values (");
        separated(&mut sql, &assigned, |sql, (_, value)| value.write(sql, state));
        sql.push(")");
    }
    sql.push(" returning fid");
    sql
}

fn update(state: &State, id: i64, content: &Content) -> Option<Sql> {
    let assigned = assigned(state, content);
    if assigned.is_empty() {
        return None;
    }
    let mut sql = Sql::new("update ");
    sql.table("data", &state.source.table).push(" set ");
    separated(&mut sql, &assigned, |sql, (name, value)| {
        sql.ident(name).push(" = ");
        value.write(sql, state);
    });
    sql.push(" where fid = ").bind(Bind::Integer(id));
    Some(sql)
}

fn delete(state: &State, id: i64) -> Sql {
    let mut sql = Sql::new("delete from ");
    sql.table("data", &state.source.table).push(" where fid = ").bind(Bind::Integer(id));
    sql
}

fn separated<T>(sql: &mut Sql, items: &[T], mut write: impl FnMut(&mut Sql, &T)) {
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            sql.push(", ");
        }
        write(sql, item);
    }
}

enum Assigned<'a> {
    Value(FieldType, Option<&'a Bind>),
    Geometry(Option<&'a str>),
}

/// Columns with what they are set to.
fn assigned<'a>(state: &'a State, content: &'a Content) -> Vec<(&'a str, Assigned<'a>)> {
    let values = content.values.iter().map(|(f, value)| (f.name.as_str(), Assigned::Value(f.kind, value.as_ref())));
    let geometry = content.geometry.as_ref().zip(state.source.geometry.as_deref());
    values.chain(geometry.map(|(json, column)| (column, Assigned::Geometry(json.as_deref())))).collect()
}

impl Assigned<'_> {
    fn write(&self, sql: &mut Sql, state: &State) {
        match self {
            Assigned::Value(_, None) | Assigned::Geometry(None) => {
                sql.push("null");
            }
            Assigned::Geometry(Some(json)) => geometry(sql, state, json),
            Assigned::Value(kind, Some(value)) => {
                sql.bind((*value).clone()).push(match kind {
                    FieldType::Date => "::date",
                    FieldType::Timestamp => "::timestamptz",
                    _ => "",
                });
            }
        }
    }
}

/// GeoJSON as the layer's own type: in its CRS, as a multi-part when the layer has such, with or without heights.
fn geometry(sql: &mut Sql, state: &State, json: &str) {
    let kind = state.geometry_type.as_deref().unwrap_or_default();
    sql.push(match &kind[kind.trim_end_matches(['Z', 'M']).len()..] {
        "Z" => "st_force3dz(",
        "M" => "st_force3dm(",
        "ZM" => "st_force4d(",
        _ => "st_force2d(",
    });
    sql.push(if kind.starts_with("Multi") { "st_multi(" } else { "(" });
    sql.push("st_setsrid(st_geomfromgeojson(").bind(Bind::Text(json.to_owned())).push("), ");
    sql.integer(i64::from(STORAGE_SRID)).push(")))");
}

/// A feature's state, as a reader of `select::features` sees it: the same for the same values.
pub fn digest(row: &Row) -> Result<String> {
    let mut hash = Sha256::new();
    for column in 0..row.len() {
        let value: Option<Raw<'_>> = row.try_get(column)?;
        hash.update(value.as_ref().map_or(-1, |v| v.0.len() as i64).to_be_bytes());
        hash.update(value.map_or(&[][..], |v| v.0));
    }
    Ok(hex::encode(&hash.finalize()[..12]))
}

/// A value as it travels, of whatever type.
struct Raw<'a>(&'a [u8]);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Raw(raw))
    }
    fn accepts(_: &Type) -> bool {
        true
    }
}
