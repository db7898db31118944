//! The reading process from outside: the binary as the server starts it, over real files.

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use onemap::error::{Error, Result};
use onemap::upload::geometry::Geometry;
use onemap::upload::open::Options;
use onemap::upload::parent;
use onemap::upload::report::{Confidence, CrsChoice, Datum, Inspection, ReadPlan, ReadReport, SourceLayer};
use onemap::upload::sandbox::Limits;
use std::io::Write;
use std::path::{Path, PathBuf};
use tokio::sync::mpsc;

fn exe() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_onemap"))
}

/// The shared data sets, where they are at hand.
fn shared(part: &str) -> Option<PathBuf> {
    let root = std::env::var_os("ONEMAP_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let path = root.join("data").join(part);
    if !path.exists() {
        println!("skipped: {} is not there", path.display());
    }
    path.exists().then_some(path)
}

/// A job: the file, its work folder, its options.
struct Upload {
    path: PathBuf,
    options: Options,
    _work: tempfile::TempDir,
}

impl Upload {
    fn new(path: impl Into<PathBuf>) -> Upload {
        let work = tempfile::tempdir().unwrap();
        let options = Options { work: work.path().join("work"), ..Options::default() };
        Upload { path: path.into(), options, _work: work }
    }

    fn of(name: &str, bytes: &[u8]) -> Upload {
        let mut upload = Upload::new("");
        upload.path = upload._work.path().join(name);
        std::fs::write(&upload.path, bytes).unwrap();
        upload
    }

    async fn inspect(&self) -> Result<Inspection> {
        parent::inspect(exe(), &self.path, &self.options, &Limits::default(), |_| {}).await
    }

    async fn read(&self, plan: &ReadPlan) -> Result<(ReadReport, Vec<u8>)> {
        let (send, mut receive) = mpsc::channel::<Bytes>(4);
        let options = &self.options;
        let limits = Limits::default();
        let reading = parent::read(exe(), &self.path, plan, options, &limits, send, |_| {});
        let collecting = async {
            let mut all = Vec::new();
            while let Some(piece) = receive.recv().await {
                all.extend_from_slice(&piece);
            }
            all
        };
        let (report, bytes) = tokio::join!(reading, collecting);
        report.map(|r| (r, bytes))
    }

    /// Inspects, then reads the first layer as found.
    async fn load(&self) -> Result<(SourceLayer, ReadReport, Vec<Vec<Option<Vec<u8>>>>)> {
        let inspection = self.inspect().await?;
        let layer = inspection.layers.into_iter().next().unwrap();
        let plan = layer.plan().unwrap();
        let (report, bytes) = self.read(&plan).await?;
        Ok((layer, report, rows(&bytes)))
    }
}

/// Takes a COPY stream apart; it must be whole.
fn rows(mut bytes: &[u8]) -> Vec<Vec<Option<Vec<u8>>>> {
    fn take<'a>(bytes: &mut &'a [u8], n: usize) -> &'a [u8] {
        let (head, rest) = bytes.split_at(n);
        *bytes = rest;
        head
    }
    assert!(take(&mut bytes, 19).starts_with(b"PGCOPY\n\xff\r\n\0"));
    let mut out = Vec::new();
    loop {
        let columns = i16::from_be_bytes(take(&mut bytes, 2).try_into().unwrap());
        if columns < 0 {
            assert!(bytes.is_empty());
            return out;
        }
        let row = (0..columns).map(|_| {
            let length = i32::from_be_bytes(take(&mut bytes, 4).try_into().unwrap());
            (length >= 0).then(|| take(&mut bytes, length as usize).to_vec())
        });
        out.push(row.collect());
    }
}

fn text(row: &[Option<Vec<u8>>], column: usize) -> String {
    String::from_utf8(row[column].clone().unwrap()).unwrap()
}

fn geometry(row: &[Option<Vec<u8>>]) -> Option<Geometry> {
    row.last().unwrap().as_ref().map(|bytes| {
        assert_eq!(bytes[5..9], 4490u32.to_le_bytes());
        let mut g = Geometry::default();
        g.read_wkb(bytes).unwrap();
        g
    })
}

fn assert_qingdao(bbox: Option<[f64; 4]>, what: &str) {
    let b = bbox.unwrap_or_else(|| panic!("{what}: no extent"));
    let inside = b[0] > 119.4 && b[1] > 35.4 && b[2] < 121.2 && b[3] < 37.3;
    assert!(inside && b[2] - b[0] > 1.0, "{what}: {b:?} is not Qingdao");
}

#[tokio::test(flavor = "multi_thread")]
async fn qingdao_in_many_disguises_lands_on_qingdao() {
    let Some(folder) = shared("odd-files/qingdao-derived") else { return };
    for (file, name_field) in [
        ("qingdao.kml", Some("name")),
        ("qingdao_3857.fgb", Some("name")),
        ("qingdao_wkt_gbk.csv", Some("name")),
        ("mif_gbk/qingdao.mif", Some("name")),
        ("shp_gbk_cgcs2000_gk120/区县.shp", Some("name")),
        ("shp_gbk_cgcs2000_zone40_noprj/区县.shp", Some("name")),
    ] {
        let (layer, report, rows) = Upload::new(folder.join(file)).load().await.unwrap();
        assert_qingdao(report.bbox_4490, file);
        assert_qingdao(layer.bbox_4490, file);
        assert_eq!(rows.len(), 10, "{file}");
        let place = layer.fields.iter().filter(|f| !f.is_geometry).position(|f| Some(f.name.as_str()) == name_field);
        let names: Vec<String> = rows.iter().map(|r| text(r, place.unwrap() + 1)).collect();
        assert!(names.iter().any(|n| n == "崂山区"), "{file}: {names:?}");
        assert_eq!(layer.crs.needs_confirmation, layer.crs.confidence == Confidence::Guessed, "{file}");
    }
    let mut dxf = Upload::new(folder.join("qingdao_gk120.dxf"));
    dxf.options.area = Some([119.5, 35.5, 121.0, 37.2]);
    let (layer, report, _) = dxf.load().await.unwrap();
    assert_eq!((layer.crs.epsg, layer.crs.confidence), (Some(4549), Confidence::Guessed));
    assert_qingdao(report.bbox_4490, "dxf");
}

#[tokio::test(flavor = "multi_thread")]
async fn chinese_names_stay_whole() {
    let Some(folder) = shared("odd-files") else { return };
    let (layer, _, rows) = Upload::new(folder.join("cn-gbk-chongqing/区县界_area.shp")).load().await.unwrap();
    assert_eq!((layer.name.as_str(), layer.encoding.name.as_str()), ("区县界_area", "gb18030"));
    let all: Vec<String> = rows.iter().flatten().flatten().filter_map(|v| String::from_utf8(v.clone()).ok()).collect();
    assert!(all.iter().any(|t| t == "渝中区") && all.iter().any(|t| t == "巫山县"), "{all:?}");
    let poly = "geotools/data__src__main__resources__org__geotools__test-data__shapes/chinese_poly.shp";
    let (layer, _, rows) = Upload::new(folder.join(poly)).load().await.unwrap();
    let all: Vec<String> = rows[0].iter().flatten().filter_map(|v| String::from_utf8(v.clone()).ok()).collect();
    let han = |t: &String| t.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
    assert!(all.iter().any(han), "{all:?} {:?}", layer.encoding);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gcj02_copy_of_shandong_lands_on_the_cgcs2000_copy() {
    let Some(folder) = shared("admin-shandong") else { return };
    let mut amap = Upload::new(folder.join("shandong_amap_gcj02.gpkg"));
    amap.options.reference = Some(folder.join("shandong_tianditu_cgcs2000.gpkg"));
    let found = amap.inspect().await.unwrap();
    let counties = found.layers.iter().find(|l| l.name == "county").unwrap();
    assert_eq!(counties.datum_suspicion.datum, Datum::Gcj02, "{:?}", counties.datum_suspicion);
    let mut straight = Upload::new(folder.join("shandong_tianditu_cgcs2000.gpkg"));
    straight.options.reference = Some(folder.join("shandong_tianditu_cgcs2000.gpkg"));
    let known = straight.inspect().await.unwrap();
    let districts = known.layers.iter().find(|l| l.name == "district").unwrap();
    assert_eq!(districts.datum_suspicion.datum, Datum::None);
    let centre = |rows: &[Vec<Option<Vec<u8>>>]| {
        let g: Vec<Geometry> = rows.iter().filter_map(|r| geometry(r)).collect();
        let places: Vec<(f64, f64)> = g.iter().filter_map(onemap::upload::datum::centroid).collect();
        let n = places.len() as f64;
        (places.iter().map(|p| p.0).sum::<f64>() / n, places.iter().map(|p| p.1).sum::<f64>() / n)
    };
    let (_, reference) = straight.read(&districts.plan().unwrap()).await.unwrap();
    let (_, corrected) = amap.read(&counties.plan().unwrap()).await.unwrap();
    let (_, shifted) = amap.read(&ReadPlan { datum: Datum::None, ..counties.plan().unwrap() }).await.unwrap();
    let metres = |a: (f64, f64), b: (f64, f64)| ((a.0 - b.0) * 90_000.0).hypot((a.1 - b.1) * 111_000.0);
    let reference = centre(&rows(&reference));
    let (good, bad) = (metres(centre(&rows(&corrected)), reference), metres(centre(&rows(&shifted)), reference));
    println!("mean offset: {bad:.0} m as uploaded, {good:.0} m corrected");
    assert!(good < 150.0 && bad > 2.0 * good, "{good} {bad}");
}

fn odd_files(folder: &Path, out: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            odd_files(&path, out);
        } else {
            out.push(path);
        }
    }
}

/// What became of one odd file, in a line.
async fn fate(path: &Path) -> String {
    let upload = Upload::new(path);
    let inspection = match upload.inspect().await {
        Ok(inspection) => inspection,
        Err(e) => {
            assert!(!e.detail.zh.is_empty() && !e.detail.en.is_empty());
            assert!(!crashed(&e), "{}: {e}", path.display());
            return format!("refused: {}", e.detail.en);
        }
    };
    let mut done = Vec::new();
    // Some have dozens of layers alike: the first few stand for them.
    for layer in inspection.layers.iter().take(4) {
        let plan = layer.plan();
        let plan = plan.unwrap_or_else(|| ReadPlan { crs: CrsChoice::Epsg(4490), ..layer_plan(layer) });
        let (report, bytes) = match upload.read(&plan).await {
            Ok(done) => done,
            Err(e) => panic!("{} {}: {e}", path.display(), layer.name),
        };
        assert_eq!(rows(&bytes).len() as u64, report.rows, "{}", path.display());
        assert_eq!(report.rows + report.failed_rows.count, layer.feature_count, "{}", path.display());
        done.push(format!("{}: {} rows, {:?} {:?}", layer.name, report.rows, layer.crs.epsg, layer.crs.confidence));
    }
    format!("loaded {}: {}", inspection.format, done.join("; "))
}

/// A plan for a layer whose CRS is unknown, as a person would complete it.
fn layer_plan(layer: &SourceLayer) -> ReadPlan {
    let mut known = layer.clone();
    known.crs.epsg = Some(4490);
    known.plan().unwrap()
}

fn crashed(e: &Error) -> bool {
    e.detail.en.contains("crashed") || e.detail.en.contains("internal error")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_odd_file_loads_or_is_refused_with_a_cause() {
    let Some(folder) = shared("odd-files") else { return };
    let mut files = Vec::new();
    odd_files(&folder, &mut files);
    let companions = ["dbf", "shx", "prj", "cpg", "qpj", "cst", "sbn", "sbx", "mid", "xsd", "gfs", "md"];
    files.retain(|p| !companions.contains(&p.extension().unwrap_or_default().to_string_lossy().as_ref()));
    files.retain(|p| !p.to_string_lossy().ends_with(".shp.xml"));
    let mut log = std::env::var_os("ONEMAP_ODD_LOG").map(|p| std::fs::File::create(p).unwrap());
    let (mut loaded, mut refused) = (0, 0);
    // Two at a time: each is a process of its own.
    let fates = stream::iter(files.iter().map(|path| async move { (path, fate(path).await) }));
    let fates: Vec<_> = fates.buffered(2).collect().await;
    for (path, fate) in fates {
        if fate.starts_with("loaded") {
            loaded += 1
        } else {
            refused += 1
        }
        if let Some(log) = &mut log {
            writeln!(log, "{}\t{fate}", path.strip_prefix(&folder).unwrap().display()).unwrap();
        }
    }
    println!("{loaded} loaded, {refused} refused with their causes");
    assert!(loaded >= 190, "only {loaded} loaded");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_reading_leaves_no_trailer() {
    let good = br#"{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"n":1},"geometry":{"type":"Point","coordinates":[120,36]}}]}"#;
    let upload = Upload::of("a.geojson", good);
    let plan = upload.inspect().await.unwrap().layers[0].plan().unwrap();
    std::fs::write(&upload.path, &good[..good.len() - 3]).unwrap();
    let (send, mut receive) = mpsc::channel::<Bytes>(4);
    let limits = Limits::default();
    let result = parent::read(exe(), &upload.path, &plan, &upload.options, &limits, send, |_| {}).await;
    assert!(result.unwrap_err().detail.en.contains("ends too early"));
    let mut all = Vec::new();
    while let Some(piece) = receive.recv().await {
        all.extend_from_slice(&piece);
    }
    assert!(!all.ends_with(&(-1i16).to_be_bytes()));
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_end_a_reading_with_a_cause() {
    let big: String = (0..40_000).map(|i| format!("{{\"k{i}\":{i}}},")).collect();
    let feature = format!("{{\"type\":\"Feature\",\"geometry\":null,\"properties\":{{\"a\":[{big}0]}}}}");
    let many = format!("{{\"type\":\"FeatureCollection\",\"features\":[{feature}]}}");
    let upload = Upload::of("a.geojson", many.as_bytes());
    let memory = Limits { memory_bytes: 12 << 20, ..Limits::default() };
    let e = parent::inspect(exe(), &upload.path, &upload.options, &memory, |_| {}).await.unwrap_err();
    assert!(e.detail.en.contains("more memory than the limit of 12 MB"), "{e}");
    let wall = Limits { seconds: 0, ..Limits::default() };
    let e = parent::inspect(exe(), &upload.path, &upload.options, &wall, |_| {}).await.unwrap_err();
    assert!(e.detail.en.contains("longer than the limit"), "{e}");
}

#[tokio::test(flavor = "multi_thread")]
async fn mixed_and_broken_input_is_counted_not_dropped() {
    let csv = "名称,经度,纬度,代码,数\n甲,120.1,36.1,007,1\n乙,abc,36.1,010,2.5\n丙,,,011,x\n丁,inf,36,012,4\n";
    let (gbk, _, _) = encoding_rs::GBK.encode(csv);
    let (layer, report, rows) = Upload::of("门牌.csv", &gbk).load().await.unwrap();
    assert_eq!((layer.name.as_str(), layer.encoding.name.as_str()), ("门牌", "gb18030"));
    assert_eq!(
        layer.fields.iter().map(|f| f.name.as_str()).collect::<Vec<_>>(),
        ["名称", "经度", "纬度", "代码", "数"]
    );
    assert_eq!(text(&rows[0], 4), "007");
    assert_eq!(rows.len(), 4);
    assert_eq!((report.null_geometry, report.unreadable_geometry.rows, report.not_finite.rows), (1, vec![2], vec![4]));
    let json = r#"{"type":"FeatureCollection","features":[
        {"type":"Feature","properties":{"v":1},"geometry":{"type":"Polygon","coordinates":[[[120,36],[121,37],[121,36],[120,37],[120,36]]]}},
        {"type":"Feature","properties":{"v":"x"},"geometry":{"type":"LineString","coordinates":[[120,36]]}},
        {"type":"Feature","properties":{"v":null},"geometry":{"type":"Point","coordinates":[120,36,5]}},
        {"type":"Feature","properties":null,"geometry":{"type":"Point","coordinates":["a","b"]}}]}"#;
    let (layer, report, rows) = Upload::of("a.json", json.as_bytes()).load().await.unwrap();
    assert!(layer.geometry.mixed && layer.has_z);
    assert_eq!(
        (layer.geometry.invalid.rows.as_slice(), layer.geometry.degenerate.rows.as_slice()),
        (&[1][..], &[2][..])
    );
    assert_eq!(
        (report.repaired.rows.as_slice(), report.degenerate.count, report.unreadable_geometry.count),
        (&[1][..], 1, 1)
    );
    let shapes: Vec<bool> = rows.iter().map(|r| geometry(r).is_some()).collect();
    assert_eq!(shapes, [true, false, true, false]);
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_input_is_refused_by_name() {
    let kml = r#"<?xml version="1.0"?><!DOCTYPE kml [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><kml xmlns="http://www.opengis.net/kml/2.2"><Placemark><name>&b;</name></Placemark></kml>"#;
    let e = Upload::of("a.kml", kml.as_bytes()).inspect().await.unwrap_err();
    assert!(e.detail.en.contains("defines entities"), "{e}");
    let upload = Upload::of("a.txt", b"");
    let mut zip = zip::ZipWriter::new(std::fs::File::create(upload.path.with_extension("zip")).unwrap());
    zip.add_symlink("a.geojson", "/etc/passwd", zip::write::SimpleFileOptions::default()).unwrap();
    zip.finish().unwrap();
    let upload = Upload { path: upload.path.with_extension("zip"), ..upload };
    let e = upload.inspect().await.unwrap_err();
    assert!(e.detail.en.contains("symbolic link"), "{e}");
    let deep = format!(
        "{{\"type\":\"Feature\",\"properties\":{{}},\"geometry\":{{\"type\":\"Point\",\"coordinates\":{}",
        "[".repeat(100_000)
    );
    let e = Upload::of("deep.geojson", deep.as_bytes()).inspect().await.unwrap_err();
    assert!(e.detail.en.contains("ends too early"), "{e}");
    let vrt = r#"<OGRVRTDataSource><OGRVRTLayer name="x"><SrcDataSource>/etc/passwd</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>"#;
    let e = Upload::of("a.gml", vrt.as_bytes()).inspect().await.unwrap_err();
    assert!(e.detail.en.contains("OGRVRTDataSource"), "{e}");
}
