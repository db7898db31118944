//! Connection pools. Each pool acts as one database role: the second net below the rules of `access`.

use std::time::Duration;

use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime, Timeouts};
use tokio_postgres::NoTls;

use crate::error::{Error, Result};

/// Prepared statements kept per connection.
const MOST_STATEMENTS: usize = 500;

/// What a pool's connections may do (see `V1__core.sql`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Owns everything; migrations only.
    Owner,
    /// Requests: reads layer tables, reads and writes the platform's own tables.
    App,
    /// Imports: creates and fills layer tables.
    Importer,
}

#[derive(Clone)]
pub struct Database {
    app: Pool,
    importer: Pool,
    url: tokio_postgres::Config,
}

impl Database {
    /// Opens the pools lazily: nothing is connected yet.
    pub fn new(url: &str, connections: usize, statement_timeout: u64) -> Result<Database> {
        let config: tokio_postgres::Config = url.parse().map_err(|e| {
            Error::invalid("database_url", "数据库地址无法解析", "the database URL cannot be parsed").because(e)
        })?;
        Ok(Database {
            app: pool(&config, Role::App, connections, statement_timeout)?,
            importer: pool(&config, Role::Importer, (connections / 2).max(2), 0)?,
            url: config,
        })
    }

    /// A connection for a request.
    pub async fn app(&self) -> Result<Object> {
        Ok(self.app.get().await?)
    }

    /// A connection that may create and fill layer tables, without a statement timeout.
    pub async fn importer(&self) -> Result<Object> {
        Ok(self.importer.get().await?)
    }

    /// A single connection of the owner, outside the pools: migrations and LISTEN.
    pub async fn owner(
        &self,
    ) -> Result<(
        tokio_postgres::Client,
        tokio_postgres::Connection<tokio_postgres::Socket, tokio_postgres::tls::NoTlsStream>,
    )> {
        let mut config = self.url.clone();
        // Our schema bears the user's name in the embedded cluster: without this, "$user" would put it before public.
        config.options("-c search_path=public");
        config.application_name("onemap owner").connect_timeout(Duration::from_secs(10));
        Ok(config.connect(NoTls).await?)
    }

    /// What tells this database from every other: revisions of another have the same numbers, and files on a node's disk are made
    /// from revisions. Asked until it answers.
    pub async fn identity(&self) -> String {
        // Not everywhere is the cluster's own number told.
        let whole = "select oid::bigint, (select system_identifier from pg_control_system()) from pg_database
             where datname = current_database()";
        let part = "select oid::bigint, 0::bigint from pg_database where datname = current_database()";
        loop {
            if let Ok(client) = self.app().await {
                for sql in [whole, part] {
                    if let Ok(row) = client.query_one(sql, &[]).await {
                        return format!("{}/{}", row.get::<_, i64>(1), row.get::<_, i64>(0));
                    }
                }
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    pub fn status(&self) -> deadpool_postgres::Status {
        self.app.status()
    }
}

fn pool(config: &tokio_postgres::Config, role: Role, size: usize, statement_timeout: u64) -> Result<Pool> {
    let mut config = config.clone();
    config.application_name("onemap").connect_timeout(Duration::from_secs(10));
    // jit costs more than it saves on short queries; the timeouts are the outer limit of every request. A plan that suits every
    // box and every limit suits none, so each is planned by its values. Times without a zone in shared tables are China's.
    config.options(format!("-c statement_timeout={statement_timeout} -c idle_in_transaction_session_timeout=600000 -c jit=off -c search_path=public \
        -c plan_cache_mode=force_custom_plan -c timezone=Asia/Shanghai"));
    let manager = Manager::from_config(config, NoTls, ManagerConfig { recycling_method: RecyclingMethod::Fast });
    let set_role = match role {
        Role::Owner => "reset role",
        Role::App => "set role onemap_app",
        Role::Importer => "set role onemap_import",
    };
    Pool::builder(manager)
        .max_size(size)
        .runtime(Runtime::Tokio1)
        .timeouts(Timeouts {
            wait: Some(Duration::from_secs(20)),
            create: Some(Duration::from_secs(15)),
            recycle: None,
        })
        .pre_recycle(Hook::sync_fn(|client, _| {
            // Each revision has statements of its own: those of the old ones must not gather for ever.
            if client.statement_cache.size() > MOST_STATEMENTS {
                client.statement_cache.clear();
            }
            Ok(())
        }))
        .post_create(Hook::async_fn(move |client, _| {
            Box::pin(async move { client.batch_execute(set_role).await.map_err(HookError::Backend) })
        }))
        .build()
        .map_err(Error::internal)
}
