//! Tables and views of the same database, shared as they stand.

use deadpool_postgres::Object;

use super::registry::{NewLayer, insert_layer};
use crate::access::principal::Principal;
use crate::db::pool::Database;
use crate::error::{Error, Result};

/// Shares a table or view of the same database as it stands. The application role must be able to read it.
pub async fn register(
    database: &Database,
    by: &Principal,
    department: &str,
    new: &NewLayer,
    table: &RegisteredTable,
) -> Result<()> {
    let mut client = database.app().await?;
    let reads = client
        .query_opt(
            "select has_table_privilege('onemap_app', c.oid, 'select') from pg_class c
             join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1 and c.relname = $2
             and not exists (select 1 from pg_depend d where d.objid = c.oid and d.deptype = 'e')",
            &[&table.schema, &table.table],
        )
        .await?
        .map(|r| r.get::<_, bool>(0));
    if reads != Some(true) {
        return Err(Error::invalid(
            "table",
            "没有该表，或应用角色无权读取",
            "there is no such table, or the application may not read it",
        )
        .hint(
            "请由数据库管理员执行 grant usage on schema … / grant select on … to onemap_app",
            "have the database's administrator grant usage on its schema and select on it to onemap_app",
        ));
    }
    check_columns(&client, table).await?;
    let transaction = client.transaction().await?;
    insert_layer(&transaction, by, department, new).await?;
    transaction
        .execute(
            "update onemap.layer set registered_schema = $2, registered_table = $3, registered_key = $4,
                 registered_geometry = $5 where id = $1",
            &[&new.id, &table.schema, &table.table, &table.key, &table.geometry],
        )
        .await?;
    transaction.commit().await?;
    Ok(())
}

/// A registered table needs an integer key, and a geometry column (if it is given one) that says its SRID.
async fn check_columns(client: &Object, table: &RegisteredTable) -> Result<()> {
    let columns = client
        .query(
            "select a.attname::text, t.typname::text, postgis_typmod_srid(a.atttypmod) from pg_attribute a
             join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
             join pg_type t on t.oid = a.atttypid
             where n.nspname = $1 and c.relname = $2 and a.attnum > 0 and not a.attisdropped",
            &[&table.schema, &table.table],
        )
        .await?;
    let column = |name: &str| columns.iter().find(|c| c.get::<_, &str>(0) == name);
    let kind = column(&table.key).map(|c| c.get::<_, String>(1));
    if !matches!(kind.as_deref(), Some("int2" | "int4" | "int8")) {
        return Err(Error::invalid("key", "主键必须是该表的整数列", "the key must be an integer column of the table")
            .hint("请指定唯一且建有索引的整数列", "name an integer column that is unique and indexed"));
    }
    let Some(geometry) = &table.geometry else { return Ok(()) };
    let found = column(geometry).filter(|c| c.get::<_, &str>(1) == "geometry");
    if found.is_none() {
        return Err(Error::invalid("geometry", "该表没有这个几何列", "the table has no such geometry column"));
    }
    if found.is_some_and(|c| c.get::<_, Option<i32>>(2).unwrap_or(0) <= 0) {
        return Err(Error::invalid(
            "geometry",
            "几何列没有声明坐标系（SRID）",
            "the geometry column does not say its SRID",
        )
        .hint(
            "请用 alter table … alter column … type geometry(类型, SRID) 声明",
            "declare it by alter table … alter column … type geometry(Type, SRID)",
        ));
    }
    Ok(())
}

/// A table or view to be shared as it stands.
#[derive(Debug, Clone)]
pub struct RegisteredTable {
    pub schema: String,
    pub table: String,
    /// A unique integer column.
    pub key: String,
    pub geometry: Option<String>,
}
