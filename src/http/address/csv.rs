//! `/address/search/csv`: a file of addresses in, the same file with what was found out. Addok's multipart form.
//!
//! The file is taken to the disk and read over first: most clients send everything before they read anything, and a wrong row is to
//! be a 400, not the end of an answer under way.

use std::path::PathBuf;

use axum::body::{Body, Bytes};
use axum::extract::Multipart;
use axum::extract::multipart::{Field, MultipartError};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use tokio::io::AsyncWriteExt;
use tokio::sync::Semaphore;
use tokio_stream::wrappers::ReceiverStream;

use super::{Datum, readable, take_sources};
use crate::address::rows::{self, Columns};
use crate::address::table::Table;
use crate::error::{Error, Result};
use crate::http::ask::{Answer, Ask};
use crate::http::attachment;

/// Bytes of a file. Larger ones are a matter for jobs.
const MOST_BYTES: u64 = 100 << 20;
/// Of all other parts of the form together.
const MOST_FORM: usize = 64 << 10;
/// Files under way at a time, for the disk's sake.
static UNDER_WAY: Semaphore = Semaphore::const_new(8);

/// The form's parts.
#[derive(Default)]
struct Form {
    file: Option<Spooled>,
    filename: String,
    columns: Vec<String>,
    results: Vec<String>,
    encoding: Option<String>,
    delimiter: Option<u8>,
}

/// A file that goes with the request.
struct Spooled(PathBuf);

impl Drop for Spooled {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

pub async fn search_csv(
    mut ask: Ask,
    multipart: Result<Multipart, axum::extract::multipart::MultipartRejection>,
) -> Answer {
    let datum = Datum::take(&mut ask.parameters)?;
    let sources = take_sources(&mut ask.parameters)?;
    let division = ask.parameters.take("division")?;
    std::mem::take(&mut ask.parameters).finish()?;
    let multipart = multipart.map_err(|_| {
        Error::invalid("data", "请求内容不是 multipart 表单", "the body is no multipart form").hint(
            "例如 curl -F data=@地址.csv -F columns=地址 …",
            "for example curl -F data=@file.csv -F columns=address …",
        )
    })?;
    let turn = UNDER_WAY.try_acquire().map_err(|_| {
        Error::busy("正在处理的文件过多", "too many files are under way").hint("请稍后重试", "try again in a moment")
    })?;
    let form = Form::read(&ask, multipart).await?;
    let Some(file) = form.file else {
        return Err(Error::invalid("data", "缺少文件 data", "the file `data` is missing").into());
    };
    let (encoding, delimiter) = (form.encoding, form.delimiter);
    let path = file.0.clone();
    let table = tokio::task::spawn_blocking(move || Table::open(&path, encoding.as_deref(), delimiter));
    let table = table.await.map_err(Error::internal)??;
    let columns = Columns::of(&table, &form.columns, &form.results)?;
    let readable = readable(&ask, sources.as_deref()).await?;
    let task = rows::Task {
        table,
        columns,
        readable,
        division: division.filter(|d| !d.trim().is_empty()),
        place: Box::new(move |lon, lat| datum.out(lon, lat)),
    };
    let (send, receive) = tokio::sync::mpsc::channel::<Result<Bytes>>(4);
    let finders = ask.app.addresses.finders().clone();
    tokio::spawn(async move {
        // Until the answer is written.
        let _held = (file, turn);
        if let Err(e) = task.run(&finders, &send).await {
            tracing::warn!("an answer in csv ended early: {e}");
            let _ = send.send(Err(e)).await;
        }
    });
    let mut response = Response::new(Body::from_stream(ReceiverStream::new(receive)));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    let stem = form.filename.rsplit_once('.').map_or(&form.filename[..], |(stem, _)| stem);
    let stem = if stem.is_empty() { "addresses" } else { stem };
    attachment::name(&mut response, ("addresses.geocoded", &format!("{stem}.geocoded")), "csv");
    Ok(response)
}

impl Form {
    async fn read(ask: &Ask, mut multipart: Multipart) -> Result<Form> {
        let mut form = Form::default();
        let mut left = MOST_FORM;
        while let Some(field) = multipart.next_field().await.map_err(broken)? {
            let name = field.name().unwrap_or_default().to_owned();
            match name.as_str() {
                "data" => {
                    form.filename = field.file_name().unwrap_or_default().chars().take(200).collect();
                    if form.file.replace(spool(ask, field).await?).is_some() {
                        return Err(Error::invalid("data", "一次一个文件", "one file at a time"));
                    }
                }
                "columns" => form.columns.push(text(field, &mut left).await?),
                "result_columns" => form.results.push(text(field, &mut left).await?),
                "encoding" => form.encoding = Some(text(field, &mut left).await?),
                "delimiter" => form.delimiter = Some(delimiter(&text(field, &mut left).await?)?),
                other => {
                    let shown: String = other.chars().take(60).collect();
                    return Err(Error::invalid(
                        &shown,
                        format!("表单中的未知项 {shown}"),
                        format!("the form's part {shown} is unknown here"),
                    )
                    .hint(
                        "可用：data、columns、result_columns、encoding、delimiter",
                        "its parts are data, columns, result_columns, encoding, delimiter",
                    ));
                }
            }
        }
        Ok(form)
    }
}

async fn spool(ask: &Ask, mut field: Field<'_>) -> Result<Spooled> {
    let folder = ask.app.addresses.files();
    tokio::fs::create_dir_all(folder).await?;
    let spooled = Spooled(folder.join(uuid::Uuid::now_v7().simple().to_string()));
    let mut file = tokio::fs::File::create(&spooled.0).await?;
    let mut size = 0;
    while let Some(piece) = field.chunk().await.map_err(broken)? {
        size += piece.len() as u64;
        if size > MOST_BYTES {
            return Err(Error::too_large("文件超过 100 MiB", "the file is larger than 100 MiB")
                .hint("更大的文件请用 POST /address/jobs", "use POST /address/jobs for larger ones"));
        }
        file.write_all(&piece).await?;
    }
    file.flush().await?;
    Ok(spooled)
}

async fn text(mut field: Field<'_>, left: &mut usize) -> Result<String> {
    let mut bytes = vec![];
    while let Some(piece) = field.chunk().await.map_err(broken)? {
        *left = left.checked_sub(piece.len()).ok_or_else(|| Error::too_large("表单过大", "the form is too large"))?;
        bytes.extend_from_slice(&piece);
    }
    String::from_utf8(bytes).map_err(|_| Error::invalid("columns", "列名应为 UTF-8", "names of columns are UTF-8"))
}

fn delimiter(text: &str) -> Result<u8> {
    match text {
        "," => Ok(b','),
        ";" => Ok(b';'),
        "|" => Ok(b'|'),
        "\t" | "\\t" | "tab" => Ok(b'\t'),
        _ => Err(Error::invalid("delimiter", "分隔符应为 , ; | 或 tab", "a delimiter is , ; | or tab")),
    }
}

fn broken(e: MultipartError) -> Error {
    Error::invalid("data", "multipart 表单不完整或格式不正确", "the multipart form is cut short or malformed")
        .because(e)
}
