//! A department's whole catalogue out of a file and into one. An import is one transaction: all of its rows are taken, or none and every
//! row's faults are told.

use std::collections::HashMap;

use bytes::Bytes;
use futures_util::Stream;
use onemap_formats::{Sheets, Value};
use serde::Serialize;
use serde_json::json;
use tokio_postgres::GenericClient;

use super::model::{FROM, columns, record};
use super::table::{COLUMNS, Entry, Fault, Header, cells};
use super::{Catalogue, VISIBLE, write};
use crate::access::principal::Principal;
use crate::error::{Error, Result, Said};
use crate::upload::workbook;

/// The largest file of an import, and what a workbook may unpack to.
pub const MOST_BYTES: usize = 8 << 20;
const MOST_UNPACKED: u64 = 64 << 20;
/// Rows of one import.
const MOST_ROWS: usize = 10_000;
/// Faults that are told at once.
const MOST_FAULTS: usize = 500;
/// Records that are read at once for an export.
const PAGE: i64 = 1_000;

/// What an import came to.
#[derive(Debug, Clone, Serialize)]
pub struct Imported {
    pub rows: usize,
    pub created: usize,
    pub changed: usize,
    /// Nothing was kept: it was only looked at, or there are faults.
    pub kept: bool,
    pub faults: Vec<Fault>,
    /// There are more than are told.
    pub more_faults: bool,
}

/// A file's form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Csv,
    Workbook,
}

impl Catalogue {
    /// Takes a file of the department's resources: rows with a code change that record, rows without one make a new one. With `dry` it is
    /// only looked at.
    pub async fn import(&self, by: &Principal, department: &str, bytes: Bytes, dry: bool) -> Result<Imported> {
        if bytes.len() > MOST_BYTES {
            return Err(Error::too_large("文件最大 8 MiB", "the file is larger than 8 MiB"));
        }
        let table = tokio::task::spawn_blocking(move || rows_of(&bytes)).await.map_err(Error::internal)??;
        let rows = table.len().saturating_sub(1);
        if rows > MOST_ROWS {
            return Err(Error::too_large("一次最多导入 10000 行", "an import has 10,000 rows at most")
                .hint("请分成几个文件", "split the file"));
        }
        let (entries, mut faults) = understood(&table);
        let mut client = self.database.app().await?;
        let transaction = client.transaction().await?;
        let known = known(&*transaction, by, department, &entries, &mut faults).await?;
        faults.sort_by_key(|f| f.row);
        let created = entries.iter().filter(|e| e.code.is_none()).count();
        let mut outcome = Imported {
            rows,
            created,
            changed: entries.len() - created,
            kept: faults.is_empty() && !dry,
            more_faults: faults.len() > MOST_FAULTS,
            faults,
        };
        outcome.faults.truncate(MOST_FAULTS);
        if outcome.kept {
            for entry in &entries {
                keep(&*transaction, department, entry, &known).await?;
            }
            let detail = json!({"rows": rows, "created": created});
            write::trail(&*transaction, by, "import", department, detail).await?;
            transaction.commit().await?;
        }
        Ok(outcome)
    }

    /// The department's records as a file, in the form that an import reads.
    pub fn export(
        &self,
        by: &Principal,
        department: &str,
        form: Form,
    ) -> Result<impl Stream<Item = Result<Bytes>> + Send + use<>> {
        let header: Vec<String> = COLUMNS.iter().map(|(zh, _)| (*zh).to_owned()).collect();
        let writer = match form {
            Form::Csv => {
                let mut begun = "\u{feff}".as_bytes().to_vec();
                begun.extend(csv_line(&header)?);
                Writer::Csv(begun)
            }
            Form::Workbook => Writer::Workbook(Box::new(Sheets::new("信息资源目录", header)?)),
        };
        let state = Export {
            catalogue: self.clone(),
            caller: by.department.as_deref().map(str::to_owned),
            department: department.to_owned(),
            after: 0,
            writer: Some(writer),
        };
        Ok(futures_util::stream::try_unfold(state, |mut export| async move {
            let Some(writer) = export.writer.take() else { return Ok(None) };
            export.page(writer).await.map(|bytes| Some((bytes, export)))
        }))
    }
}

enum Writer {
    Csv(Vec<u8>),
    Workbook(Box<Sheets>),
}

struct Export {
    catalogue: Catalogue,
    caller: Option<String>,
    department: String,
    after: i64,
    /// None: everything is written.
    writer: Option<Writer>,
}

impl Export {
    async fn page(&mut self, mut writer: Writer) -> Result<Bytes> {
        let sql = format!(
            "select {}, r.id {FROM} where {VISIBLE} and r.department_id = $2 and r.id > $3 order by r.id limit $4",
            columns()
        );
        let client = self.catalogue.database.app().await?;
        let rows = client.query(&sql, &[&self.caller, &self.department, &self.after, &PAGE]).await?;
        drop(client);
        for row in &rows {
            self.after = row.try_get("id")?;
            let cells = cells(&record(row)?);
            match &mut writer {
                Writer::Csv(out) => out.extend(csv_line(&cells)?),
                Writer::Workbook(sheets) => sheets.row(cells.iter().map(|c| Value::Text(c)))?,
            }
        }
        let last = (rows.len() as i64) < PAGE;
        let bytes = match &mut writer {
            Writer::Csv(out) => std::mem::take(out),
            Writer::Workbook(sheets) => {
                if last {
                    sheets.finish(&[])?;
                }
                let mut out = vec![];
                sheets.drain(&mut out);
                out
            }
        };
        self.writer = (!last).then_some(writer);
        Ok(bytes.into())
    }
}

fn csv_line(cells: &[String]) -> Result<Vec<u8>> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(vec![]);
    writer.write_record(cells).map_err(Error::internal)?;
    writer.into_inner().map_err(|e| Error::internal(e.to_string()))
}

/// The rows of a file: a workbook by its first bytes, else CSV in UTF-8 or GB18030.
fn rows_of(bytes: &[u8]) -> Result<Vec<Vec<String>>> {
    if bytes.starts_with(b"PK\x03\x04") { rows_of_workbook(bytes) } else { rows_of_csv(bytes) }
}

fn rows_of_csv(bytes: &[u8]) -> Result<Vec<Vec<String>>> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => std::borrow::Cow::Borrowed(text),
        Err(_) => {
            let (text, _, broken) = encoding_rs::GB18030.decode(bytes);
            if broken {
                return Err(Error::invalid(
                    "file",
                    "文件既不是 UTF-8 也不是 GBK 编码",
                    "the file is neither UTF-8 nor GBK",
                ));
            }
            text
        }
    };
    if text.contains('\0') {
        return Err(Error::invalid("file", "文件含有 NUL 字符", "the file holds a NUL character"));
    }
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut rows = vec![];
    for row in reader.records() {
        let row = row.map_err(|e| {
            let line = e.position().map_or(0, csv::Position::line);
            Error::invalid("file", format!("第 {line} 行无法读取"), format!("line {line} cannot be read"))
        })?;
        rows.push(row.iter().map(str::to_owned).collect());
        if rows.len() > MOST_ROWS + 1 {
            break;
        }
    }
    Ok(rows)
}

fn rows_of_workbook(bytes: &[u8]) -> Result<Vec<Vec<String>>> {
    let sheet = workbook::first_sheet(bytes, MOST_UNPACKED).map_err(|fault| match fault {
        workbook::Fault::Unreadable => Error::invalid("file", "工作簿无法读取", "the workbook cannot be read"),
        workbook::Fault::TooLarge => {
            Error::too_large("工作簿展开后过大", "the workbook is too large when it is unpacked")
        }
    })?;
    // A sheet may begin anywhere; its rows are those of the file's lines only when nothing is above them.
    Ok(sheet.rows().take(MOST_ROWS + 2).map(|row| row.iter().map(workbook::text).collect()).collect())
}

/// What could be read of each row, and what could not.
fn understood(table: &[Vec<String>]) -> (Vec<Entry>, Vec<Fault>) {
    let Some(first) = table.first() else {
        let problem = Said::new("文件是空的", "the file is empty");
        return (vec![], vec![Fault { row: 1, column: String::new(), problem }]);
    };
    let header = match Header::read(first) {
        Ok(header) => header,
        Err(faults) => return (vec![], faults),
    };
    let (mut entries, mut faults) = (vec![], vec![]);
    for (i, cells) in table.iter().enumerate().skip(1) {
        if cells.iter().all(|c| c.trim().is_empty()) {
            continue;
        }
        match header.entry(i + 1, cells) {
            Ok(entry) => entries.push(entry),
            Err(found) => faults.extend(found),
        }
    }
    let mut seen: HashMap<&str, usize> = HashMap::new();
    for entry in &entries {
        let Some(code) = entry.code.as_deref() else { continue };
        if let Some(other) = seen.insert(code, entry.row) {
            let problem = Said::new(format!("代码与第 {other} 行重复"), format!("row {other} has the same code"));
            faults.push(Fault { row: entry.row, column: COLUMNS[0].0.to_owned(), problem });
        }
    }
    (entries, faults)
}

/// The department's codes among those named, and whether each is a layer's. Themes, codes and related codes that are not known become
/// faults; what another department does not share is not known.
async fn known(
    client: &impl GenericClient,
    by: &Principal,
    department: &str,
    entries: &[Entry],
    faults: &mut Vec<Fault>,
) -> Result<HashMap<String, bool>> {
    let codes: Vec<&str> = entries.iter().filter_map(|e| e.code.as_deref()).collect();
    let sql = "select code, layer_id is not null from onemap.catalogue_record where department_id = $1 and code = any($2) for update";
    let own: HashMap<String, bool> =
        client.query(sql, &[&department, &codes]).await?.iter().map(|r| (r.get(0), r.get(1))).collect();
    let themes: Vec<String> =
        client.query("select id from onemap.theme", &[]).await?.iter().map(|r| r.get(0)).collect();
    let related: Vec<String> = entries.iter().flat_map(|e| &e.written.related).map(|c| c.replace('-', "/")).collect();
    let sql = format!("select r.code from onemap.catalogue_record r where {VISIBLE} and r.code = any($2)");
    let found: std::collections::HashSet<String> =
        client.query(&sql, &[&by.department.as_deref(), &related]).await?.iter().map(|r| r.get(0)).collect();
    for entry in entries {
        let mut fault = |column: &str, zh: String, en: String| {
            faults.push(Fault { row: entry.row, column: column.to_owned(), problem: Said::new(zh, en) });
        };
        if let Some(code) = entry.code.as_deref().filter(|c| !own.contains_key(*c)) {
            fault(
                "信息资源代码",
                format!("本单位没有代码为 {code} 的资源"),
                format!("your department has no resource {code}"),
            );
        }
        if let Some(theme) = entry.written.theme.as_deref().filter(|t| !themes.iter().any(|id| id == t)) {
            let theme: String = theme.chars().take(60).collect();
            fault("主题", format!("没有主题 {theme}"), format!("there is no theme {theme}"));
        }
        for code in entry.written.related.iter().filter(|c| !found.contains(&c.replace('-', "/"))) {
            fault(
                "关联资源代码",
                format!("目录中没有资源 {code}"),
                format!("there is no resource {code} in the catalogue"),
            );
        }
        let is_layer = entry.code.as_ref().and_then(|c| own.get(c)).copied();
        if is_layer.is_some_and(|is| is != entry.layer) {
            fault(
                "资源类型",
                "与目录中的资源类型不符".into(),
                "the resource is of another kind in the catalogue".into(),
            );
        }
    }
    Ok(own)
}

async fn keep(
    client: &impl GenericClient,
    department: &str,
    entry: &Entry,
    known: &HashMap<String, bool>,
) -> Result<()> {
    match &entry.code {
        Some(code) if known.get(code) == Some(&true) => write::update_added(client, code, &entry.written).await,
        Some(code) => write::update(client, code, &entry.written).await,
        None => write::insert(client, department, &entry.written).await.map(|_| ()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_by_what_they_are() {
        let text = "信息资源名称,共享类型\r\n\"学校,幼儿园\",无条件共享\r\n";
        let (gbk, _, _) = encoding_rs::GBK.encode(text);
        for bytes in [text.as_bytes(), &gbk] {
            let rows = rows_of(bytes).unwrap();
            assert_eq!(rows[1], ["学校,幼儿园", "无条件共享"]);
        }
        let mut sheets = Sheets::new("目录", vec!["信息资源名称".into(), "共享类型".into()]).unwrap();
        sheets.row([Value::Text("学校"), Value::Text("不予共享")]).unwrap();
        sheets.finish(&[]).unwrap();
        let mut bytes = vec![];
        sheets.drain(&mut bytes);
        assert_eq!(rows_of(&bytes).unwrap()[1], ["学校", "不予共享"]);
        assert!(rows_of(b"PK\x03\x04nonsense").is_err());
        assert!(rows_of(b"a,b\n\0,1\n").is_err());
    }

    #[test]
    fn a_code_that_occurs_twice_is_a_fault() {
        let row = |cells: &[&str]| cells.iter().map(|c| (*c).to_owned()).collect::<Vec<_>>();
        let table = [
            row(&["code", "name", "share_class"]),
            row(&["301001/1", "a", "unconditional"]),
            row(&["", "", ""]),
            row(&["301001-1", "b", "unconditional"]),
        ];
        let (entries, faults) = understood(&table);
        assert_eq!((entries.len(), faults.len(), faults[0].row), (2, 1, 4));
    }
}
