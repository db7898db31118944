//! What the matcher answers, on a small base whose truth can be seen at a glance.

use onemap_address::element::Element::*;
use onemap_address::find::{AUTO, Answer, Candidate, Fault, Finder, Level, Query, Source, Verdict};
use onemap_address::record::{Address, Validity};
use onemap_address::segment::{Builder, Error, Segment};
use roaring::RoaringTreemap;

/// id, district, town, community, road, lane, number, compound, building, unit, room, poi
const ROWS: &[[&str; 12]] = &[
    ["1", "市南区", "珠海路街道", "余荫社区", "香港西路", "", "2号", "", "", "", "", ""],
    ["2", "市南区", "珠海路街道", "余荫社区", "香港西路", "", "4号", "", "", "", "", ""],
    ["3", "市南区", "珠海路街道", "余荫社区", "香港西路", "", "10号", "", "", "", "", ""],
    ["4", "市南区", "珠海路街道", "余荫社区", "香港西路", "", "3-1号", "", "", "", "", ""],
    ["5", "市北区", "台东街道", "汇一社区", "台东六路", "", "22号", "博雅景园", "", "", "", ""],
    ["6", "市北区", "台东街道", "汇一社区", "台东六路", "", "22号", "博雅景园", "18号楼", "", "", ""],
    ["7", "市北区", "台东街道", "汇一社区", "台东六路", "", "22号", "博雅景园", "18号楼", "2单元", "1002室", ""],
    ["8", "市北区", "台东街道", "汇一社区", "台东六路", "", "22号", "博雅景园", "18号楼", "1单元", "1002室", ""],
    ["9", "莱西市", "望城街道", "西马家屯村", "", "", "55号", "", "", "", "", ""],
    ["10", "李沧区", "楼山街道", "楼山一社区", "永平路", "14巷", "26号", "", "", "", "", "福馨家园小学"],
    ["11", "李沧区", "楼山街道", "楼山一社区", "永平路", "14巷", "26号", "", "", "", "", ""],
    ["12", "黄岛区", "薛家岛街道", "荣盛社区", "人民路", "", "8号", "", "", "", "", ""],
    ["13", "莱西市", "水集街道", "祥源社区", "人民路", "", "8号", "", "", "", "", ""],
    ["14", "市北区", "四方街道", "省人社区", "海伦一路", "", "49-55号", "", "", "", "", ""],
    ["15", "市北区", "四方街道", "省人社区", "镇江路", "豐營巷38弄", "6号", "", "", "", "", ""],
];

fn base() -> Builder {
    let mut b = Builder::new();
    for (k, r) in ROWS.iter().enumerate() {
        let elements = [District, Town, Community, Road, Lane, Roadno, Compound, Houseno, Cellno, Roomno, Poi]
            .into_iter()
            .zip(&r[1..]);
        let mut a =
            Address::new(k as u64 + 1, 120.3 + k as f64 * 0.002, 36.07).with(Province, "山东省").with(City, "青岛市");
        for (element, text) in elements {
            a = a.with(element, text);
        }
        a.key = r[0];
        b.push(&a).unwrap();
    }
    b
}

fn ask(text: &str) -> Answer {
    ask_with(text, None)
}

fn ask_with(text: &str, hidden: Option<&RoaringTreemap>) -> Answer {
    let segment = base().finish().unwrap();
    let sources = [Source { segment: &segment, hidden, visible: None, by_area: false, priority: 0, tag: 7 }];
    Finder::new().search(&sources, &Query { text, limit: 5, ..Query::default() })
}

/// The key of the best answer and its level.
fn best(text: &str) -> (String, Level) {
    let a = ask(text);
    a.candidates.first().map_or((String::new(), Level::None), |c| (c.key.clone().unwrap_or_default(), c.match_level))
}

#[test]
fn the_right_door_however_it_is_written() {
    for text in [
        "山东省青岛市市南区香港西路2号",
        "香港西路2号",
        "青岛市市南区香港西路２號",
        "山东青岛市南香港西路二号",
        "山东省青岛市市南区珠海路街道香港西路2#",
        "山东省,青岛市,市南区,香港西路,2号",
        "中国山东省青岛市青岛市市南区香港西路2号",
        "市南区香港西路2",
        "市南区香港西2号",
        "市南区香港西大街2号",
        "市南区湘港西路2号",
        "市南区港西路2号",
        "市南区xianggangxilu2号",
        "香港西路2号 青岛市市南区",
        "香港西路2号（麻烦放快递柜）王先生13812345678",
        "李小明，青岛市市南区香港西路2号",
        "青岛市市南区香港西路2号；青岛市李沧区永平路14巷26号",
    ] {
        assert_eq!(best(text), ("1".to_owned(), Level::Number), "{text}");
    }
    for text in ["香港西路3-1号", "香港西路3号之1", "香港西路3附1号", "香港西路3號-1"] {
        assert_eq!(best(text).0, "4", "{text}");
    }
}

#[test]
fn the_right_room_however_it_is_written() {
    let room = ("7".to_owned(), Level::Room);
    for inside in ["18号楼2单元1002室", "18-2-1002", "18栋2门1002", "18#2单元1002户", "十八号楼二单元1002", "18 2 1002"]
    {
        assert_eq!(best(&format!("市北区台东6路22号博雅景园{inside}")), room, "{inside}");
    }
    assert_eq!(best("青岛市市北区博雅景园18号楼2单元1002室"), room);
    assert_eq!(best("台东六路22号博雅景园18号楼"), ("6".to_owned(), Level::Building));
    assert_eq!(best("台东六路22号博雅景园"), ("5".to_owned(), Level::Compound));
}

#[test]
fn villages_lanes_and_places() {
    assert_eq!(best("莱西市西马家屯村二组55号").0, "9");
    assert_eq!(best("莱西市西马家屯村委会55号").0, "9");
    assert_eq!(best("莱西市四马家屯村55号").0, "9");
    assert_eq!(best("李沧区永平路14巷26号").0, "11");
    assert_eq!(best("李沧区福馨家园小学"), ("10".to_owned(), Level::Poi));
    assert_eq!(best("镇江路丰营巷38弄6号").0, "15");
}

#[test]
fn a_number_that_does_not_exist_is_never_exact() {
    let a = ask("市南区香港西路6号");
    let c = &a.candidates[0];
    assert_eq!((c.match_level, c.id), (Level::Interpolated, None));
    assert!(a.faults.contains(&Fault::NumberNotFound));
    // Between 4号 and 10号, a third of the way, on their side of the road.
    assert!((c.lon - (120.302 + 0.002 / 3.0)).abs() < 1e-5, "{}", c.lon);
    assert_eq!(best("市南区香港西路2000号").1, Level::Road);
    assert!(best("市南区造铁鸟路87号").1 <= Level::Street);
    // 49-55号 stands for the odd numbers between.
    assert_eq!(best("海伦一路51号").0, "14");
    assert!(best("海伦一路52号").1 <= Level::Interpolated);
}

#[test]
fn former_divisions_are_the_present_ones_and_said_so() {
    let a = ask("山东省青岛市四方区台东六路22号博雅景园");
    assert_eq!(a.candidates[0].key.as_deref(), Some("5"));
    assert!(a.faults.contains(&Fault::OldName) && !a.faults.contains(&Fault::DivisionConflict));
    assert!(!ask("山东省青岛市市北区台东六路22号博雅景园").faults.contains(&Fault::OldName));
}

#[test]
fn two_places_that_fit_alike_are_ambiguous() {
    let a = ask("人民路8号");
    assert!(a.faults.contains(&Fault::Ambiguous));
    assert!(a.candidates.len() >= 2 && a.candidates[0].key != a.candidates[1].key);
    assert_eq!(best("黄岛区人民路8号").0, "12");
    assert_eq!(best("莱西市人民路8号").0, "13");
}

#[test]
fn elsewhere_and_nothing_are_said_so() {
    for text in ["浙江省杭州市余杭区文一西路969号", "烟台市芝罘区人民路8号", "威海环翠区香港西路2号"]
    {
        let a = ask(text);
        assert!(a.candidates.is_empty() && a.faults == [Fault::OtherPlace], "{text}: {:?}", a.candidates);
    }
    for text in ["暂无固定住所", "见身份证", "*", "11111", "😀😀", "\u{0}\u{1}"] {
        assert!(ask(text).candidates.is_empty(), "{text}");
    }
    assert_eq!(ask("  ").faults, [Fault::Empty]);
    assert_eq!(ask(&"路".repeat(3000)).faults, [Fault::TooLong]);
}

#[test]
fn what_was_found_of_each_element_is_told() {
    let a = ask("青岛市黄岛区湘港西路2号");
    let verdict = |e| a.candidates[0].elements.iter().find(|n| n.element == e).map(|n| n.verdict);
    assert_eq!(verdict(District), Some(Verdict::Conflict));
    assert_eq!(verdict(Road), Some(Verdict::Similar));
    assert_eq!(verdict(Roadno), Some(Verdict::Agree));
    assert_eq!(verdict(Province), Some(Verdict::Absent));
    assert!(a.faults.contains(&Fault::DivisionConflict) && a.faults.contains(&Fault::Typo));
    assert_eq!(a.candidates[0].source, 7);
}

#[test]
fn hidden_rows_are_not_there_at_all() {
    let hidden: RoaringTreemap = [1, 2, 3].into_iter().collect();
    let a = ask_with("市南区香港西路2号", Some(&hidden));
    assert!(a.candidates.iter().all(|c| c.match_level <= Level::Road && c.lon > 120.305), "{:?}", a.candidates);
    let segment = base().finish().unwrap();
    let all: RoaringTreemap = (1..=15).collect();
    let sources =
        [Source { segment: &segment, hidden: Some(&all), visible: None, by_area: false, priority: 0, tag: 0 }];
    let mut finder = Finder::new();
    for text in ["市南区香港西路6号", "台东六路22号", "市南区", "福馨家园小学"] {
        let query = Query { text, limit: 5, ..Query::default() };
        assert!(finder.search(&sources, &query).candidates.is_empty(), "{text}");
        assert!(finder.suggest(&sources, &query).is_empty(), "{text}");
    }
    assert!(finder.reverse(&sources, 120.3, 36.07, 500.0, 5).is_empty());
}

#[test]
fn typing_is_completed() {
    let segment = base().finish().unwrap();
    let sources = [Source { segment: &segment, hidden: None, visible: None, by_area: false, priority: 0, tag: 0 }];
    let mut finder = Finder::new();
    let mut first = |text| {
        finder
            .suggest(&sources, &Query { text, limit: 5, ..Query::default() })
            .first()
            .map(|c| c.label.clone())
            .unwrap_or_default()
    };
    for text in ["香港", "xianggang", "xgxl", "青岛市市南区香港"] {
        assert!(first(text).contains("香港西路"), "{text}");
    }
    assert!(first("boya").contains("博雅景园"));
    assert_eq!(first("zzzz"), "");
}

#[test]
fn the_nearest_come_first() {
    let segment = base().finish().unwrap();
    let sources = [Source { segment: &segment, hidden: None, visible: None, by_area: false, priority: 0, tag: 0 }];
    let near = Finder::new().reverse(&sources, 120.3005, 36.07, 400.0, 10);
    let keys: Vec<_> = near.iter().filter_map(|(c, _)| c.key.as_deref()).collect();
    assert_eq!(keys, ["1", "2", "3"]);
    assert!(near.windows(2).all(|w| w[0].1 <= w[1].1) && (near[0].1 - 45.0).abs() < 1.0);
}

#[test]
fn a_damaged_index_is_not_used() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("base.idx");
    base().write(&path, 42).unwrap();
    let whole = std::fs::read(&path).unwrap();
    let segment = Segment::open(&path).unwrap();
    assert_eq!((segment.stamp(), segment.rows()), (42, ROWS.len() as u64));
    segment.verify().unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    for at in (0..whole.len()).step_by(97).chain([8, 16, 24, 32]) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x55;
        std::fs::write(&path, &bytes).unwrap();
        // A stamp is the caller's to compare; the rest of the head and all content are told apart.
        let found = Segment::open(&path).and_then(|s| s.verify().map(|()| s.stamp()));
        assert!(!matches!(found, Ok(42)) || (40..64).contains(&at), "a change at {at} goes unnoticed");
    }
    for length in [0, 10, 64, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&path, &whole[..length]).unwrap();
        assert!(matches!(Segment::open(&path), Err(Error::Damaged(_))), "{length}");
    }
}

/// Two roads that cross, one that does not, a wide one with two lines, and one that is only known by its doors.
fn streets() -> Segment {
    let mut b = Builder::new();
    let roads: [(&str, &[(f64, f64)]); 6] = [
        ("香港中路", &[(120.38, 36.060), (120.39, 36.061), (120.40, 36.062)]),
        ("山东路", &[(120.39, 36.080), (120.39, 36.061), (120.39, 36.050)]),
        ("福州路", &[(120.40, 36.080), (120.40, 36.070)]),
        ("宁夏路", &[(120.38, 36.075), (120.39, 36.075), (120.40, 36.075)]),
        ("江西路", &[(120.381, 36.074), (120.381, 36.0750), (120.381, 36.078)]),
        ("江西路", &[(120.3812, 36.074), (120.3812, 36.0750), (120.3812, 36.078)]),
    ];
    let in_area = |id, lon, lat| Address::new(id, lon, lat).with(City, "青岛市").with(District, "市南区");
    for (k, (name, line)) in roads.iter().enumerate() {
        let (lon, lat) = line[line.len() / 2];
        b.push_line(&in_area(k as u64 + 1, lon, lat).with(Road, name), line.iter().copied()).unwrap();
    }
    // 宁夏路 and 江西路 share two vertices, as a road of two lines does.
    let twice = [(120.381, 36.0750), (120.3812, 36.0750)];
    b.push_line(&in_area(10, 120.381, 36.075).with(Road, "宁夏路"), twice.into_iter()).unwrap();
    for (id, road, number, lon, lat) in [
        (20, "东海路", "1", 120.3700, 36.0600),
        (21, "东海路", "3", 120.3720, 36.0600),
        (22, "南海路", "2", 120.3721, 36.0601),
        (23, "南海路", "8", 120.3721, 36.0660),
    ] {
        b.push(&in_area(id, lon, lat).with(Road, road).with(Roadno, number)).unwrap();
    }
    b.finish().unwrap()
}

fn meets(text: &str) -> Option<Candidate> {
    let segment = streets();
    let sources = [Source { segment: &segment, hidden: None, visible: None, by_area: false, priority: 0, tag: 1 }];
    let found = Finder::new().search(&sources, &Query { text, limit: 3, ..Query::default() });
    found.candidates.into_iter().next().filter(|c| c.match_level == Level::Intersection)
}

#[test]
fn two_streets_meet_where_their_lines_do() {
    for text in [
        "青岛市市南区香港中路与山东路交叉口",
        "山东路香港中路路口",
        "香港中路/山东路交汇处东北角",
        "香港中路（山东路口）",
        "香港中路靠近山东路",
        "香港中路和山东路",
    ] {
        let c = meets(text).unwrap_or_else(|| panic!("{text}"));
        assert!((c.lon - 120.39).abs() < 1e-6 && (c.lat - 36.061).abs() < 1e-6, "{text}: {} {}", c.lon, c.lat);
        assert_eq!((c.coordinate_level, c.id), (Level::Intersection, None), "{text}");
        assert!(c.label.starts_with("青岛市市南区") && c.label.ends_with("交叉口"), "{}", c.label);
        assert!(c.score > 0.9 || !text.ends_with("口"), "{text}: {}", c.score);
    }
}

#[test]
fn streets_that_do_not_meet_are_no_crossing() {
    assert!(meets("香港中路与福州路交叉口").is_none());
    assert!(meets("香港中路与不存在路交叉口").is_none());
    assert!(meets("香港中路山东路").is_none(), "nothing says that they meet");
}

#[test]
fn a_wide_road_meets_another_once() {
    let segment = streets();
    let sources = [Source { segment: &segment, hidden: None, visible: None, by_area: false, priority: 0, tag: 1 }];
    let found = Finder::new().search(&sources, &Query { text: "宁夏路江西路路口", limit: 5, ..Query::default() });
    assert_eq!(found.candidates.iter().filter(|c| c.match_level == Level::Intersection).count(), 1);
}

#[test]
fn between_doors_a_crossing_is_a_guess_that_says_so() {
    let c = meets("东海路与南海路路口").unwrap();
    assert!((c.lon - 120.37205).abs() < 1e-4 && (c.lat - 36.06005).abs() < 1e-4);
    assert_eq!(c.coordinate_level, Level::Interpolated);
    assert!(c.score < AUTO);
}

#[test]
fn a_crossing_of_a_hidden_street_is_not_found() {
    let segment = streets();
    let hidden: RoaringTreemap = [2].into_iter().collect();
    let sources =
        [Source { segment: &segment, hidden: Some(&hidden), visible: None, by_area: false, priority: 0, tag: 1 }];
    let query = Query { text: "香港中路与山东路交叉口", limit: 3, ..Query::default() };
    let found = Finder::new().search(&sources, &query);
    assert!(found.candidates.iter().all(|c| c.match_level != Level::Intersection && !c.label.contains("山东路")));
}

#[test]
fn a_road_that_is_cut_where_another_meets_it_is_seen_by_either_piece() {
    let mut b = Builder::new();
    let meeting = (120.39, 36.061);
    for (id, name, lines) in [
        (1, "香港中路", [(120.38, 36.06), meeting]),
        (2, "香港中路", [meeting, (120.40, 36.06)]),
        (3, "山东路", [(120.39, 36.08), meeting]),
    ] {
        let address = Address::new(id, lines[0].0, lines[0].1).with(City, "青岛市").with(Road, name);
        b.push_line(&address, lines.into_iter()).unwrap();
    }
    let segment = b.finish().unwrap();
    let found = |hidden: &[u64], by_area: bool| {
        let hidden: RoaringTreemap = hidden.iter().copied().collect();
        let sources =
            [Source { segment: &segment, hidden: Some(&hidden), visible: None, by_area, priority: 0, tag: 1 }];
        let query = Query { text: "香港中路与山东路交叉口", limit: 5, ..Query::default() };
        let found = Finder::new().search(&sources, &query);
        found.candidates.iter().filter(|c| c.match_level == Level::Intersection).count()
    };
    assert_eq!([found(&[], false), found(&[1], false), found(&[2], false), found(&[1, 2], false)], [1, 1, 1, 0]);
    assert_eq!(found(&[], true), 0, "that the lines' points are in an area says nothing of their crossing");
}

/// A door that held until day 100, and, further on, one of the same number that holds since.
fn renumbered() -> Segment {
    let mut b = Builder::new();
    for (id, number, lon, valid) in [
        (1, "12", 120.30, Validity::new(None, Some(100))),
        (2, "12", 120.31, Validity::new(Some(101), None)),
        (3, "14", 120.32, Validity::new(None, Some(100))),
        (4, "16", 120.33, Validity::ALWAYS),
    ] {
        let mut a = Address::new(id, lon, 36.0).with(City, "青岛市").with(Road, "台东路").with(Roadno, number);
        a.valid = valid;
        b.push(&a).unwrap();
    }
    b.finish().unwrap()
}

#[test]
fn what_holds_no_more_comes_behind_and_says_so() {
    let segment = renumbered();
    let sources = [Source { segment: &segment, hidden: None, visible: None, by_area: false, priority: 0, tag: 1 }];
    let on = |day: Option<i32>, text: &str| {
        let mut finder = Finder::new();
        finder.day = day;
        finder.search(&sources, &Query { text, limit: 3, ..Query::default() })
    };
    let id = |a: &Answer| a.candidates[0].id;
    assert_eq!(id(&on(Some(200), "青岛市台东路12号")), Some(2));
    assert_eq!(id(&on(Some(50), "青岛市台东路12号")), Some(1));
    let gone = on(Some(200), "青岛市台东路14号");
    assert_eq!(id(&gone), Some(3));
    assert!(gone.faults.contains(&Fault::Expired) && gone.candidates[0].score < AUTO);
    assert_eq!(gone.candidates[0].valid.last(), Some(100));
    for (day, text) in [(Some(50), "青岛市台东路14号"), (None, "青岛市台东路14号"), (Some(200), "青岛市台东路16号")]
    {
        let holds = on(day, text);
        assert!(!holds.faults.contains(&Fault::Expired) && holds.candidates[0].score > AUTO, "{day:?} {text}");
    }
    let mut finder = Finder::new();
    finder.day = Some(200);
    let near = finder.reverse(&sources, 120.32, 36.0, 300.0, 3);
    assert!(near.iter().all(|(c, _)| c.id != Some(3)), "reverse tells what is there now");
}

#[test]
fn places_worked_out_from_what_holds_no_more_say_so() {
    let mut b = Builder::new();
    let ended = Validity::new(None, Some(100));
    let in_city = |id, lon| Address::new(id, lon, 36.0).with(City, "青岛市");
    for (id, number, lon) in [(1, "2", 120.30), (2, "6", 120.31)] {
        let mut a = in_city(id, lon).with(Road, "台东路").with(Roadno, number);
        a.valid = ended;
        b.push(&a).unwrap();
    }
    for (id, name, valid) in [(3, "香港中路", Validity::ALWAYS), (4, "山东路", ended)] {
        let mut a = in_city(id, 120.39).with(Road, name);
        a.valid = valid;
        b.push_line(&a, [(120.39, 36.0), (120.39 + id as f64 / 100.0, 36.0)].into_iter()).unwrap();
    }
    let segment = b.finish().unwrap();
    let sources = [Source { segment: &segment, hidden: None, visible: None, by_area: false, priority: 0, tag: 1 }];
    for (text, level) in [
        ("青岛市台东路4号", Level::Interpolated),
        ("青岛市台东路", Level::Road),
        ("青岛市香港中路与山东路交叉口", Level::Intersection),
    ] {
        for (day, expired) in [(50, false), (200, true)] {
            let mut finder = Finder::new();
            finder.day = Some(day);
            let a = finder.search(&sources, &Query { text, limit: 3, ..Query::default() });
            assert_eq!(a.candidates[0].match_level, level, "{text}");
            assert_eq!(a.faults.contains(&Fault::Expired), expired, "{text} on day {day}: {:?}", a.faults);
        }
    }
}
