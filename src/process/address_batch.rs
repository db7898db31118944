//! A table or a layer of addresses, matched as a durable job.

use bytes::Bytes;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{About, Call, Future, Input, Mode, Outcome, Output, Process, wrong};
use crate::address::jobs::intake::OfLayer;
use crate::address::jobs::{Start, matching};
use crate::error::{Error, Result};
use crate::job::queue::JobInfo;

/// Characters of a table given with the request. Larger ones are a matter for /address/jobs.
const MOST_TABLE: usize = 300_000;

pub struct AddressBatch(About);

impl AddressBatch {
    pub fn new() -> Self {
        let input = |name, title, description, schema| Input { name, title, description, required: false, schema };
        AddressBatch(About {
            id: "address-batch",
            version: "1.0.0",
            title: ("批量地址匹配", "Address batch"),
            description: (
                "匹配一张表（CSV 文本）或本单位一个图层的全部地址，作为任务执行；更大的文件请用 /address/jobs 上传。",
                "Matches all addresses of a table (CSV text) or of a layer of one's own, as a job. Larger files are sent to /address/jobs.",
            ),
            keywords: &["地址", "geocoding", "CSV"],
            mode: Mode::Job,
            inputs: vec![
                input(
                    "table",
                    ("表", "Table"),
                    (
                        "CSV 文本，首行为列名；与 layer 二选一",
                        "CSV text whose first line names the columns; this or `layer`",
                    ),
                    json!({"type": "string", "minLength": 1, "maxLength": MOST_TABLE, "contentMediaType": "text/csv"}),
                ),
                input(
                    "layer",
                    ("图层", "Layer"),
                    ("本单位的图层；与 table 二选一", "a layer of one's own; this or `table`"),
                    json!({"type": "string"}),
                ),
                input(
                    "columns",
                    ("地址列", "Columns"),
                    (
                        "组成地址的列，按顺序；省略则自动识别",
                        "the columns that make the address, in order; found out when left out",
                    ),
                    json!({"type": "array", "minItems": 1, "maxItems": 30, "items": {"type": "string"}}),
                ),
                input(
                    "sources",
                    ("地址源", "Sources"),
                    ("只在这些图层中查找", "only in these layers"),
                    json!({"type": "array", "maxItems": 50, "items": {"type": "string"}}),
                ),
                input(
                    "auto",
                    ("自动采用阈值", "Accept from"),
                    ("得分不低于此值的自动采用", "scores from here on are accepted"),
                    json!({"type": "number", "minimum": 0, "maximum": 1}),
                ),
                input(
                    "reject",
                    ("舍弃阈值", "Reject below"),
                    ("得分低于此值的舍弃", "scores below are rejected"),
                    json!({"type": "number", "minimum": 0, "maximum": 1}),
                ),
            ],
            outputs: vec![Output {
                name: "rows",
                title: ("匹配后的表", "The rows with what was found"),
                description: ("CSV 文件的地址", "the address of a CSV file"),
                schema: json!({"type": "string", "contentMediaType": "text/csv"}),
            }],
        })
    }

    async fn start(call: Call<'_>) -> Result<Outcome> {
        let (jobs, department) = (&call.parts.address_jobs, call.department()?);
        let chosen = call.texts("columns");
        // Before a file is kept for somebody who cannot have a job.
        if !matches!(call.by.who, crate::access::principal::Who::Person { .. }) {
            return Err(Error::forbidden("此操作需要以个人身份登录", "this needs a person's session"));
        }
        let draft = match (call.text("table"), call.text("layer")) {
            (Some(table), None) => {
                let pieces = [Ok::<_, std::io::Error>(Bytes::from(table.to_owned()))];
                let body = futures_util::stream::iter(pieces);
                jobs.receive(call.by, department, ("table.csv", Some("UTF-8".into())), body).await?
            }
            (None, Some(layer)) => {
                let wanted = OfLayer { layer: layer.to_owned(), columns: chosen.clone().unwrap_or_default() };
                jobs.of_layer(call.by, department, &wanted).await?
            }
            _ => return Err(wrong("table", "table 与 layer 须且只须给出一个", "give either `table` or `layer`")),
        };
        let id =
            draft["id"].as_str().and_then(|id| id.parse::<Uuid>().ok()).ok_or_else(|| Error::internal("no draft"))?;
        match Self::begin(&call, id, &draft, chosen).await {
            Ok(queued) => Ok(Outcome::Job(queued)),
            Err(e) => {
                // Nobody would look for a draft that a process left behind.
                jobs.remove(call.by, department, id).await?;
                Err(e)
            }
        }
    }

    async fn begin(call: &Call<'_>, id: Uuid, draft: &Value, chosen: Option<Vec<String>>) -> Result<Uuid> {
        let (jobs, department) = (&call.parts.address_jobs, call.department()?);
        let guessed = || {
            draft["guess"]["address"]
                .as_array()
                .map(|names| names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect::<Vec<_>>())
        };
        let columns = chosen.or_else(guessed).filter(|columns| !columns.is_empty()).ok_or_else(|| {
            wrong(
                "columns",
                "不能识别哪些列组成地址，请指定",
                "which columns make the address was not found out: name them",
            )
        })?;
        let start = Start {
            columns,
            sources: call.texts("sources"),
            auto: call.number("auto").map(|value| value as f32),
            reject: call.number("reject").map(|value| value as f32),
        };
        jobs.start(call.by, department, id, &start).await?;
        jobs.queued(department, id).await
    }
}

impl Process for AddressBatch {
    fn about(&self) -> &About {
        &self.0
    }

    fn run<'a>(&'a self, call: Call<'a>) -> Future<'a, Outcome> {
        Box::pin(Self::start(call))
    }

    fn kind(&self) -> Option<&'static str> {
        Some(matching::KIND)
    }

    fn outputs(&self, job: &JobInfo) -> Map<String, Value> {
        let id = job.input["address_job"].as_str().unwrap_or_default();
        let rows = json!({"href": format!("/address/jobs/{id}/export?format=csv"), "type": "text/csv"});
        [("rows".to_owned(), rows)].into_iter().collect()
    }
}
