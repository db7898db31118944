//! From an inspected file to a staged revision: plan, read in the child, COPY, compare.

use std::path::PathBuf;
use std::pin::Pin;

use bytes::Bytes;
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio_stream::wrappers::ReceiverStream;
use uuid::Uuid;

use super::diff;
use super::parent;
use super::receive::{Uploads, upload_id};
use super::report::{Confidence, CrsChoice, Datum, Inspection, ReadPlan, ReadReport, SourceLayer};
use super::sandbox::Limits;
use super::tileset;
use crate::access::datastore::Datastore;
use crate::access::gate::Gate;
use crate::access::grant::{Edit, Grant};
use crate::db::pool::Database;
use crate::error::{Error, Kind, Result};
use crate::geo::crs::STORAGE_SRID;
use crate::job::{Job, Task, problem_to_json};
use crate::layer::archive::{Archives, stage};
use crate::layer::model::{ShareClass, Title};
use crate::layer::registry::{self, NewLayer, Shape, Staged};

/// What is to become of one layer of a file. What is left out is as the inspection found it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoadRequest {
    /// The layer to load into; it is made when there is none.
    pub layer: String,
    /// The layer inside the file; needed when it has several.
    pub source_layer: Option<String>,
    pub title: Option<Title>,
    pub theme: Option<String>,
    pub share_class: Option<ShareClass>,
    /// The EPSG code of the source's coordinates.
    pub crs: Option<u32>,
    pub datum: Option<Datum>,
    pub swap_axes: Option<bool>,
    pub encoding: Option<String>,
    /// The field that identifies a feature from one revision to the next.
    pub key: Option<String>,
    /// Take guesses (CRS, datum) as they are instead of asking.
    #[serde(default)]
    pub accept_guesses: bool,
}

impl LoadRequest {
    /// The source layer and how to read it; an error says what must be decided first.
    pub fn plan<'a>(&self, inspection: &'a Inspection) -> Result<(&'a SourceLayer, ReadPlan)> {
        let source = self.source(inspection)?;
        self.confirmed(source)?;
        // Without a coordinate any CRS is as good.
        let crs = self.crs.or(source.bbox.is_none().then_some(STORAGE_SRID as u32));
        let mut plan = match (crs, source.plan()) {
            (_, Some(plan)) => plan,
            (Some(epsg), None) => SourceLayer {
                crs: super::report::CrsFound { epsg: Some(epsg), ..source.crs.clone() },
                ..source.clone()
            }
            .plan()
            .ok_or_else(|| Error::internal("a layer with a CRS has no plan"))?,
            (None, None) => return Err(unknown_crs()),
        };
        if let Some(epsg) = self.crs {
            plan.crs = CrsChoice::Epsg(epsg);
        }
        plan.datum = self.datum.unwrap_or(plan.datum);
        plan.swap_axes = self.swap_axes.unwrap_or(plan.swap_axes);
        plan.encoding = self.encoding.clone();
        if let Some(key) = &self.key {
            if !plan.fields.iter().any(|f| f.field.name == *key) {
                return Err(Error::invalid("key", format!("没有字段 {key}"), format!("there is no field {key}")));
            }
            plan.key = Some(key.clone());
        }
        Ok((source, plan))
    }

    fn source<'a>(&self, inspection: &'a Inspection) -> Result<&'a SourceLayer> {
        let names = || inspection.layers.iter().map(|l| l.name.as_str()).collect::<Vec<_>>().join("、");
        match &self.source_layer {
            Some(name) => inspection.layers.iter().find(|l| l.name == *name).ok_or_else(|| {
                Error::invalid(
                    "source_layer",
                    format!("文件中没有图层 {name}"),
                    format!("the file has no layer {name}"),
                )
                .hint(format!("可选：{}", names()), format!("it has: {}", names()))
            }),
            None => match &inspection.layers[..] {
                [only] => Ok(only),
                [] => {
                    Err(Error::invalid("file", "文件中没有可载入的图层", "the file holds no layer that can be loaded"))
                }
                _ => Err(Error::invalid(
                    "source_layer",
                    "文件中有多个图层，请选择一个",
                    "the file has several layers: choose one",
                )
                .hint(format!("可选：{}", names()), format!("it has: {}", names()))),
            },
        }
    }

    /// A guess is not a fact: somebody has to say yes to it.
    fn confirmed(&self, source: &SourceLayer) -> Result<()> {
        if self.accept_guesses {
            return Ok(());
        }
        let crs = &source.crs;
        let guessed = matches!(crs.confidence, Confidence::Guessed | Confidence::Unknown);
        if self.crs.is_none() && guessed && source.bbox.is_some() {
            let told = |zh: bool| -> String {
                let texts = crs.reasons.iter().map(|n| if zh { n.zh.as_str() } else { n.en.as_str() });
                texts.collect::<Vec<_>>().join("；")
            };
            return Err(Error::invalid(
                "crs",
                format!("坐标参考系需要确认：{}。{}", crs.name, told(true)),
                format!("the CRS must be confirmed: {}. {}", crs.name, told(false)),
            )
            .hint("请在 crs 中给出 EPSG 代码", "name the EPSG code in `crs`"));
        }
        if self.swap_axes.is_none() && source.axes.swapped {
            let reason = source.axes.reason.clone().unwrap_or_default();
            return Err(Error::invalid(
                "swap_axes",
                format!("坐标轴可能颠倒，需要确认：{}", reason.zh),
                format!("the axes may be swapped; this must be confirmed: {}", reason.en),
            )
            .hint("请在 swap_axes 中给出 true 或 false", "say true or false in `swap_axes`"));
        }
        let suspicion = &source.datum_suspicion;
        if self.datum.is_none() && suspicion.datum != Datum::None {
            let reason = suspicion.reason.clone().unwrap_or_default();
            return Err(Error::invalid(
                "datum",
                format!("坐标可能经过加密偏移，需要确认：{}", reason.zh),
                format!("the coordinates may be shifted ones; this must be confirmed: {}", reason.en),
            )
            .hint("请在 datum 中给出 none、gcj02 或 bd09", "say none, gcj02 or bd09 in `datum`"));
        }
        Ok(())
    }
}

fn no_rows(source: &SourceLayer) -> Error {
    let told = |zh: bool| -> String {
        source.notes.iter().map(|n| if zh { n.zh.as_str() } else { n.en.as_str() }).collect::<Vec<_>>().join("；")
    };
    Error::invalid(
        "file",
        format!("文件中没有可载入的要素。{}", told(true)),
        format!("the file holds no feature that can be loaded. {}", told(false)),
    )
    .hint("请检查文件是否完整", "check whether the file is complete")
}

fn unknown_crs() -> Error {
    Error::invalid("crs", "坐标参考系未知", "the CRS is unknown")
        .hint("请在 crs 中给出 EPSG 代码", "name the EPSG code in `crs`")
}

/// Loads a layer of an inspected file.
pub struct LoadJob {
    pub uploads: Uploads,
    pub database: Database,
    pub store: Datastore,
    pub gate: Gate,
    pub archives: Archives,
}

impl LoadJob {
    async fn load(&self, task: &Task) -> Result<Value> {
        let id = upload_id(&task.input)?;
        let request: LoadRequest = serde_json::from_value(task.input["request"].clone())?;
        let department = task.principal.department.as_deref().unwrap_or_default().to_owned();
        let info = self.uploads.get(&department, id).await?;
        let inspection = self.inspection(id, &request, info.inspection.unwrap_or_default()).await?;
        let (source, plan) = request.plan(&inspection)?;
        let grant = self.layer(task, &department, &request, source, &info.filename).await?;
        self.uploads.set_state(id, "loading", None).await?;
        if source.tiles.is_some() {
            return self.stage_tiles(task, id, &grant, source, &info.filename).await;
        }
        let (staged, report) = self.stage(task, id, &grant, (source, &plan), &info.filename).await?;
        task.progress().set("compare", staged.rows as u64, Some(staged.rows as u64));
        let diff = diff::against_current(&self.store, &grant, staged.number, plan.key.as_deref()).await?;
        self.uploads.set_loaded(id, grant.layer(), staged.number).await?;
        Ok(
            json!({"layer": grant.layer(), "revision": staged.number, "rows": staged.rows, "report": report, "diff": diff}),
        )
    }

    /// The inspection as kept; with another encoding the names of fields may be others, so it is made anew.
    async fn inspection(&self, id: Uuid, request: &LoadRequest, kept: Value) -> Result<Inspection> {
        match &request.encoding {
            None => Ok(serde_json::from_value(kept)?),
            Some(encoding) => {
                let path = self.uploads.path(id).await?;
                let options = super::open::Options { encoding: Some(encoding.clone()), ..self.uploads.options(id) };
                parent::inspect(&self.uploads.reader, &path, &options, &self.uploads.limits, |_| ()).await
            }
        }
    }

    /// The granted layer, made when there is none. Asked now, not when the job was put.
    async fn layer(
        &self,
        task: &Task,
        department: &str,
        request: &LoadRequest,
        source: &SourceLayer,
        filename: &str,
    ) -> Result<Grant<Edit>> {
        self.gate.reload(&self.database).await?;
        match self.gate.open(&task.principal, &request.layer) {
            Err(e) if e.kind == Kind::NotFound => {}
            other => return other,
        }
        self.gate.publisher(&task.principal)?;
        let new = NewLayer {
            id: request.layer.clone(),
            theme: request.theme.clone(),
            title: request.title.clone().unwrap_or(Title { zh: source.name.clone(), en: source.name.clone() }),
            description: Title::default(),
            // Sharing is a decision: until it is made, the layer is its department's own.
            class: request.share_class.unwrap_or(ShareClass::NotShared),
            anonymous: false,
            style: None,
            source: filename.to_owned(),
            synthetic: false,
        };
        registry::create_layer(&self.database, &task.principal, department, &new).await?;
        self.gate.reload(&self.database).await?;
        self.gate.open(&task.principal, &request.layer)
    }

    /// Packs an archive of finished tiles and takes it in.
    async fn stage_tiles(
        &self,
        task: &Task,
        id: Uuid,
        grant: &Grant<Edit>,
        source: &SourceLayer,
        filename: &str,
    ) -> Result<Value> {
        let path = self.uploads.path(id).await?;
        let options = self.uploads.options(id);
        let packed = Unfinished(tileset::waiting(&options.work));
        // Packed anew, an archive is about as large as it came; tiles that were not compressed become smaller.
        let room = std::fs::metadata(&path)?.len().saturating_mul(2).saturating_add(64 << 20);
        let limits = Limits { file_bytes: room.max(self.uploads.limits.file_bytes), ..self.uploads.limits };
        let (progress, total) = (task.progress().clone(), source.tiles.as_ref().map(|t| t.tiles));
        let tiles = parent::pack(&self.uploads.reader, &path, &source.dataset, &options, &limits, |p| {
            progress.set("tiles", p.done, total);
        })
        .await?;
        let shape = Shape {
            fields: tiles.fields,
            geometry: Some(tiles.geometry),
            key_field: None,
            note: filename.to_owned(),
            report: None,
        };
        let archive = &tiles.archive;
        let staged = stage::stage(&self.store, grant, &shape, archive, tiles.bbox, (&packed.0, &self.archives)).await?;
        self.uploads.set_loaded(id, grant.layer(), staged.number).await?;
        Ok(json!({"layer": grant.layer(), "revision": staged.number, "rows": 0, "tiles": archive, "diff": null}))
    }

    /// Reads and copies at once; only a whole stream is committed.
    async fn stage(
        &self,
        task: &Task,
        id: Uuid,
        grant: &Grant<Edit>,
        (source, plan): (&SourceLayer, &ReadPlan),
        filename: &str,
    ) -> Result<(Staged, ReadReport)> {
        let path = self.uploads.path(id).await?;
        let (send, receive) = tokio::sync::mpsc::channel::<Bytes>(8);
        let (verdict, whole) = tokio::sync::oneshot::channel::<Result<()>>();
        let progress = task.progress().clone();
        let options = super::open::Options { encoding: plan.encoding.clone(), ..self.uploads.options(id) };
        let reading = async {
            let read = parent::read(&self.uploads.reader, &path, plan, &options, &self.uploads.limits, send, |p| {
                progress.set("load", p.done, Some(p.total));
            })
            .await;
            // The COPY may only end well once the reader has. A revision without a row is a file that could not be read, and
            // publishing it would empty the layer.
            let read = read.and_then(|report| if report.rows == 0 { Err(no_rows(source)) } else { Ok(report) });
            let _ = verdict.send(match &read {
                Ok(_) => Ok(()),
                Err(_) => Err(Error::internal("the reader failed")),
            });
            read
        };
        let last_word = futures_util::stream::once(whole).filter_map(|said| async {
            match said {
                Ok(Ok(())) => None,
                Ok(Err(e)) => Some(Err(e)),
                Err(_) => Some(Err(Error::internal("the reader went away"))),
            }
        });
        let rows = ReceiverStream::new(receive).map(Ok).chain(last_word);
        let shape = Shape {
            fields: plan.fields.iter().map(|f| f.field.clone()).collect(),
            geometry: Some(plan.target.postgis().to_owned()),
            key_field: plan.key.clone(),
            note: filename.to_owned(),
            report: None,
        };
        let (report, staged) = tokio::join!(reading, registry::stage(&self.store, grant, &shape, rows));
        // The reader's word first: it knows what is wrong with the file; the COPY's failure follows from it.
        let report = report?;
        Ok((staged?, report))
    }
}

/// A file that is removed unless it went elsewhere.
struct Unfinished(PathBuf);

impl Drop for Unfinished {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

impl Job for LoadJob {
    fn kind(&self) -> &'static str {
        "upload.load"
    }

    fn run<'a>(&'a self, task: &'a Task) -> Pin<Box<dyn Future<Output = Result<Value>> + Send + 'a>> {
        Box::pin(self.load(task))
    }

    fn gave_up<'a>(&'a self, task: &'a Task, error: &'a Error) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(async move {
            if let Ok(id) = upload_id(&task.input) {
                // The file was inspected and stays so: it can be loaded again with other choices.
                let _ = self.uploads.set_state(id, "inspected", Some(&problem_to_json(error))).await;
            }
        })
    }
}
