//! The one composition root: what the program is made of, and how it stays in step with the database.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::sync::watch;
use tokio_postgres::AsyncMessage;

use crate::access::datastore::Datastore;
use crate::access::gate::Gate;
use crate::access::login::Login;
use crate::access::oidc::Oidc;
use crate::access::recorder::Recorder;
use crate::address::aliases::Aliases;
use crate::address::jobs::matching::MatchJob;
use crate::address::jobs::{self, AddressJobs};
use crate::address::{self, Addresses};
use crate::annotation::photos::Photos;
use crate::approval::Approvals;
use crate::catalogue::Catalogue;
use crate::config::{Config, Network};
use crate::db::migrate;
use crate::db::pool::Database;
use crate::error::Result;
use crate::evidence::Evidence;
use crate::evidence::export::ExportJob as EvidenceExportJob;
use crate::feature::bookmarks::Bookmarks;
use crate::feature::extent::Extents;
use crate::feature::output::Downloads;
use crate::job::queue::Queue;
use crate::job::worker::Worker;
use crate::layer::archive::Archives;
use crate::layer::catalog::Catalog;
use crate::notice::Notices;
use crate::picture::Pictures;
use crate::process::job::ProcessJob;
use crate::process::{self, Processes};
use crate::spatial::overlay::job::{OverlayJob, Overlays};
use crate::spatial::{self, Spatial};
use crate::style::glyphs::Glyphs;
use crate::style::store::Styles;
use crate::theme::job::ThemeJob;
use crate::theme::{self, Themes};
use crate::tile::edits::Edits;
use crate::tile::export::job::ExportJob;
use crate::tile::export::kept::Exports;
use crate::tile::keeper::Keeper;
use crate::tile::render::Tiles;
use crate::upload::load::LoadJob;
use crate::upload::receive::{InspectJob, Uploads};

pub struct Parts {
    pub config: Config,
    pub database: Database,
    pub store: Datastore,
    pub gate: Gate,
    pub catalog: Catalog,
    pub login: Login,
    /// The provider at which people may sign in, where there is one.
    pub oidc: Option<Oidc>,
    /// Where records of accesses wait to be written.
    pub recorder: Recorder,
    pub evidence: Evidence,
    /// Whose word on the caller's address is taken.
    pub proxies: Vec<Network>,
    pub edits: Edits,
    pub bookmarks: Bookmarks,
    pub tiles: Tiles,
    pub extents: Extents,
    pub pictures: Pictures,
    pub archives: Archives,
    pub exports: Exports,
    pub downloads: Downloads,
    pub queue: Queue,
    pub uploads: Uploads,
    pub glyphs: Glyphs,
    pub styles: Styles,
    pub addresses: Addresses,
    pub aliases: Aliases,
    pub address_jobs: AddressJobs,
    pub spatial: Spatial,
    pub overlays: Overlays,
    pub processes: Processes,
    pub photos: Photos,
    pub themes: Themes,
    pub approvals: Approvals,
    pub catalogue: Catalogue,
    pub notices: Notices,
}

/// Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>);

impl std::ops::Deref for App {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl App {
    /// Migrates, reads the snapshots, and is ready to serve.
    pub async fn new(config: Config, database_url: &str) -> Result<App> {
        let database = Database::new(database_url, config.database_connections, config.statement_timeout)?;
        migrate::run(&database).await?;
        let recorder = Recorder::default();
        let evidence = Evidence::open(database.clone(), recorder.clone(), &config).await?;
        let (gate, catalog) = (Gate::default(), Catalog::default());
        let store = Datastore::new(database.clone(), gate.clone());
        let queue = Queue::new(database.clone());
        let archives = Archives::new(&config.data);
        let edits = Edits::new(database.clone());
        let stand_on = address::Parts {
            database: database.clone(),
            store: store.clone(),
            gate: gate.clone(),
            catalog: catalog.clone(),
            edits: edits.clone(),
        };
        let addresses = Addresses::new(stand_on, &config);
        let aliases = Aliases::new(database.clone(), store.clone(), gate.clone(), catalog.clone());
        let stand_on = jobs::Parts {
            database: database.clone(),
            store: store.clone(),
            gate: gate.clone(),
            catalog: catalog.clone(),
            queue: queue.clone(),
            addresses: addresses.clone(),
            aliases: aliases.clone(),
        };
        let address_jobs = AddressJobs::new(stand_on, &config);
        let styles = Styles::new(database.clone());
        let stand_on = theme::Parts {
            database: database.clone(),
            store: store.clone(),
            gate: gate.clone(),
            catalog: catalog.clone(),
            queue: queue.clone(),
            styles: styles.clone(),
        };
        let themes = Themes::new(stand_on);
        let stand_on = spatial::Parts {
            store: store.clone(),
            gate: gate.clone(),
            catalog: catalog.clone(),
            edits: edits.clone(),
            addresses: addresses.clone(),
            themes: themes.clone(),
        };
        let spatial = Spatial::new(stand_on);
        let stand_on = process::Parts {
            database: database.clone(),
            store: store.clone(),
            gate: gate.clone(),
            catalog: catalog.clone(),
            queue: queue.clone(),
            addresses: addresses.clone(),
            address_jobs: address_jobs.clone(),
            spatial: spatial.clone(),
        };
        let tiles = Tiles::new(store.clone(), archives.clone(), edits.clone(), &config);
        let approvals = Approvals::new(database.clone(), store.clone(), gate.clone(), catalog.clone(), &config);
        let app = App(Arc::new(Parts {
            approvals,
            catalogue: Catalogue::new(database.clone()),
            notices: Notices::new(database.clone(), &config),
            processes: Processes::new(stand_on),
            photos: Photos::new(store.clone(), &config),
            overlays: Overlays::new(spatial.clone(), queue.clone(), &config),
            spatial,
            address_jobs,
            addresses,
            aliases,
            gate,
            catalog,
            login: Login::new(database.clone(), &config)?,
            oidc: Oidc::new(&config)?,
            recorder,
            evidence,
            proxies: config.trusted_proxies.clone(),
            extents: Extents::new(store.clone()),
            pictures: Pictures::new(tiles.clone(), &config),
            tiles,
            archives,
            exports: Exports::new(&config.data),
            downloads: Downloads::new(&config.data, config.database_connections),
            edits,
            bookmarks: Bookmarks::default(),
            uploads: Uploads::new(database.clone(), queue.clone(), &config),
            queue,
            glyphs: Glyphs::new(config.data.join("glyphs")),
            styles,
            themes,
            store,
            database,
            config,
        }));
        app.refresh().await?;
        app.edits.sync().await?;
        Ok(app)
    }

    /// Reads the snapshots anew, for a request that must see what it just wrote.
    pub async fn refresh(&self) -> Result<()> {
        self.gate.reload(&self.database).await?;
        self.catalog.reload(&self.database).await?;
        self.styles.reload().await?;
        self.tiles.indexes().look_again();
        // After the catalogue: what a source's mapping names must be known by then.
        self.addresses.reload().await?;
        Ok(())
    }

    /// Starts what goes on beside the requests: following the database's notices, keeping the tile and address indexes, terms and
    /// deadlines of requests, drafts of address jobs, notifications, `workers` job workers.
    pub fn start(&self, workers: usize, stop: &watch::Receiver<bool>) -> Vec<tokio::task::JoinHandle<()>> {
        let edits = self.edits.clone().follow(stop.clone());
        let mut tasks = vec![tokio::spawn(follow(self.clone(), stop.clone())), tokio::spawn(edits)];
        tasks.push(tokio::spawn(self.evidence.clone().write(stop.clone())));
        tasks.push(tokio::spawn(self.keeper().run(stop.clone())));
        tasks.push(tokio::spawn(self.login.clone().keep_count(stop.clone())));
        tasks.push(tokio::spawn(self.addresses.clone().keep(stop.clone())));
        tasks.push(tokio::spawn(self.notices.clone().follow(stop.clone())));
        tasks.push(tokio::spawn(self.notices.clone().deliver(stop.clone())));
        tasks.push(tokio::spawn(self.address_jobs.clone().expire(stop.clone())));
        tasks.push(tokio::spawn(self.approvals.clone().sweep(stop.clone())));
        let workers = (0..workers).map(|_| self.worker()).chain([self.address_worker()]);
        for worker in workers {
            let stop = stop.clone();
            tasks.push(tokio::spawn(async move { worker.run(stop).await }));
        }
        tasks
    }

    fn keeper(&self) -> Keeper {
        Keeper {
            indexes: self.tiles.indexes().clone(),
            database: self.database.clone(),
            store: self.store.clone(),
            gate: self.gate.clone(),
            catalog: self.catalog.clone(),
            edits: self.edits.clone(),
        }
    }

    /// A worker for address jobs alone, one at a time: each takes every core for minutes, and uploads must not wait for that.
    fn address_worker(&self) -> Worker {
        Worker {
            queue: self.queue.clone(),
            login: self.login.clone(),
            recorder: self.recorder.clone(),
            jobs: vec![Arc::new(MatchJob { jobs: self.address_jobs.clone() })],
        }
    }

    /// A worker that knows every other kind of job.
    pub fn worker(&self) -> Worker {
        Worker {
            queue: self.queue.clone(),
            login: self.login.clone(),
            recorder: self.recorder.clone(),
            jobs: vec![
                Arc::new(InspectJob { uploads: self.uploads.clone() }),
                Arc::new(LoadJob {
                    uploads: self.uploads.clone(),
                    database: self.database.clone(),
                    store: self.store.clone(),
                    gate: self.gate.clone(),
                    archives: self.archives.clone(),
                }),
                Arc::new(ExportJob {
                    database: self.database.clone(),
                    store: self.store.clone(),
                    gate: self.gate.clone(),
                    catalog: self.catalog.clone(),
                    tiles: self.tiles.clone(),
                    exports: self.exports.clone(),
                }),
                Arc::new(EvidenceExportJob { evidence: self.evidence.clone() }),
                Arc::new(OverlayJob { overlays: self.overlays.clone() }),
                Arc::new(ProcessJob { processes: self.processes.clone() }),
                Arc::new(ThemeJob { themes: self.themes.clone() }),
            ],
        }
    }
}

/// Reads the snapshots anew whenever the database says that something changed, and after each lost connection.
async fn follow(app: App, mut stop: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            _ = stop.changed() => return,
            ended = listen(&app) => {
                if let Err(e) = ended {
                    tracing::warn!("the connection for notices is away: {e}");
                }
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        }
    }
}

async fn listen(app: &App) -> Result<()> {
    let (client, mut connection) = app.database.owner().await?;
    let (send, mut notices) = tokio::sync::mpsc::channel::<()>(1);
    let driver = tokio::spawn(async move {
        let mut messages = futures_util::stream::poll_fn(move |cx| connection.poll_message(cx));
        while let Some(Ok(message)) = messages.next().await {
            if let AsyncMessage::Notification(_) = message {
                // A full channel means that a reload is due anyway.
                let _ = send.try_send(());
            }
        }
    });
    client.batch_execute("listen onemap_catalog").await?;
    app.refresh().await?;
    app.login.forget();
    while notices.recv().await.is_some() {
        app.login.forget();
        if let Err(e) = app.refresh().await {
            tracing::warn!("the catalogue could not be read anew: {e}");
            tokio::time::sleep(Duration::from_millis(300)).await;
            app.refresh().await?;
        }
    }
    drop(client);
    let _ = driver.await;
    Ok(())
}
