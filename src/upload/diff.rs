//! What a new revision changes, by key: counted in the database, without moving rows.

use serde::{Deserialize, Serialize};

use crate::access::datastore::Datastore;
use crate::access::grant::{Edit, Grant};
use crate::db::sql::Ident;
use crate::error::Result;
use crate::layer::model::Field;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diff {
    /// The field by which rows were matched.
    pub key: String,
    pub added: i64,
    pub removed: i64,
    pub changed: i64,
    pub unchanged: i64,
    /// Rows without a key value or with one that repeats; they cannot be matched.
    pub unmatched: i64,
    pub fields_added: Vec<String>,
    pub fields_removed: Vec<String>,
}

/// Compares a staged revision with the published one. None without a published one or a key that both have.
pub async fn against_current(
    store: &Datastore,
    grant: &Grant<Edit>,
    staged: i32,
    key: Option<&str>,
) -> Result<Option<Diff>> {
    let Some(key) = key else { return Ok(None) };
    let client = store.write(grant).await?;
    let rows = client
        .query(
            "select r.table_name, r.fields, r.geometry_type is not null, r.number = $2 from onemap.revision r
             join onemap.layer l on l.id = r.layer_id
             where l.id = $1 and (r.number = $2 or r.id = l.current_revision) and r.archive is null order by r.number = $2",
            &[&grant.layer(), &staged],
        )
        .await?;
    let [old, new] = &rows[..] else { return Ok(None) };
    let fields = |row: &tokio_postgres::Row| serde_json::from_value::<Vec<Field>>(row.get(1));
    let (before, after) = (fields(old)?, fields(new)?);
    let key_kind = |fields: &[Field]| fields.iter().find(|f| f.name == key).map(|f| f.kind);
    if key_kind(&before).is_none() || key_kind(&before) != key_kind(&after) {
        return Ok(None);
    }
    let common: Vec<&Field> =
        after.iter().filter(|f| before.iter().any(|b| b.name == f.name && b.kind == f.kind)).collect();
    let geometry = old.get::<_, bool>(2) && new.get::<_, bool>(2);
    let sql = comparison(old.get(0), new.get(0), key, &common, geometry);
    let row = client.query_one(&sql, &[]).await?;
    let names = |from: &[Field], other: &[Field]| -> Vec<String> {
        from.iter().filter(|f| other.iter().all(|o| o.name != f.name)).map(|f| f.name.clone()).collect()
    };
    Ok(Some(Diff {
        key: key.to_owned(),
        added: row.get(0),
        removed: row.get(1),
        changed: row.get(2),
        unchanged: row.get(3),
        unmatched: row.get(4),
        fields_added: names(&after, &before),
        fields_removed: names(&before, &after),
    }))
}

/// One pass: both tables reduced to the rows whose key is present and unique, joined in full.
fn comparison(old: &str, new: &str, key: &str, common: &[&Field], geometry: bool) -> String {
    let mut columns: Vec<String> = common.iter().map(|f| Ident(&f.name).to_string()).collect();
    if geometry {
        columns.push("geom".into());
    }
    let tuple = |table: &str| {
        let list: Vec<String> = columns.iter().map(|c| format!("{table}.{c}")).collect();
        format!("row({})", list.join(", "))
    };
    let (key, old, new) = (Ident(key), Ident(old), Ident(new));
    let unique = |table: &Ident<'_>| {
        format!(
            "select * from (select t.*, count(*) over (partition by {key}) as times from data.{table} t
             where {key} is not null) u where times = 1"
        )
    };
    format!(
        "with o as ({}), n as ({}) select count(*) filter (where o.fid is null), count(*) filter (where n.fid is null),
             count(*) filter (where o.fid is not null and n.fid is not null and {} is distinct from {}),
             count(*) filter (where o.fid is not null and n.fid is not null and {} is not distinct from {}),
             (select count(*) from data.{new}) - (select count(*) from n)
         from o full join n on o.{key} = n.{key}",
        unique(&old),
        unique(&new),
        tuple("o"),
        tuple("n"),
        tuple("o"),
        tuple("n"),
    )
}
