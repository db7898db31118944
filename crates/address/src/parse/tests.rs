//! One case for each kind of text.

use proptest::prelude::*;

use super::*;
use crate::element::Element::*;

/// The elements as `text/name`, without what is redundant.
fn labelled(text: &str) -> String {
    let parts = parse(text).parts;
    let kept = parts.iter().filter(|p| p.element != Redundant);
    kept.map(|p| format!("{}/{}", p.text, p.element.name())).collect::<Vec<_>>().join(" ")
}

fn taken(text: &str) -> String {
    let fields = fields(text);
    let named = Element::ALL.into_iter().filter(|&e| !fields[e as usize].is_empty());
    named.map(|e| format!("{}={}", e.name(), fields[e as usize])).collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn is(text: &str, wanted: &str) {
    assert_eq!(labelled(text), wanted, "{text}");
}

#[test]
fn the_whole_hierarchy() {
    is(
        "山东省青岛市即墨区大信街道新兴路28号丽沙花都22号楼3单元1802室",
        "山东省/province 青岛市/city 即墨区/district 大信街道/town 新兴路/road 28号/roadno 丽沙花都/poi 22号楼/houseno 3单元/cellno 1802室/roomno",
    );
    is(
        "山东省青岛市城阳区惜福镇街道雨南村96号",
        "山东省/province 青岛市/city 城阳区/district 惜福镇街道/town 雨南村/community 96号/roadno",
    );
    is("市南区香港中路29号", "市南区/district 香港中路/road 29号/roadno");
}

#[test]
fn offsets_are_those_of_the_given_text() {
    let parsed = parse("　青岛市，市南區香港中路２９號");
    let road = parsed.parts.iter().find(|p| p.element == Road).unwrap();
    assert_eq!((road.text.as_str(), road.start, road.end), ("香港中路", 8, 12));
    assert_eq!(parsed.parts.last().unwrap().text, "２９號");
}

#[test]
fn full_width_and_traditional_characters() {
    is(
        "臺北市士林區福德里下樹林街１之１０號",
        "臺北市/city 士林區/district 福德里/community 下樹林街/road １之１０號/roadno",
    );
    assert_eq!(parse("臺北市士林區福德里下樹林街１之１０號").standard, "台湾省台北市士林区福德里下树林街1-10号");
}

#[test]
fn numerals_of_all_kinds() {
    is(
        "市南区山东路六号三号楼二单元五层",
        "市南区/district 山东路/road 六号/roadno 三号楼/houseno 二单元/cellno 五层/floorno",
    );
    assert_eq!(parse("市南区山东路一百二十三号三号楼").standard, "山东省青岛市市南区山东路123号3号楼");
    is("李沧区京口路甲28号", "李沧区/district 京口路/road 甲28号/roadno");
    is("李沧区京口路28号甲", "李沧区/district 京口路/road 28号甲/roadno");
    is("李沧区京口路28-3号", "李沧区/district 京口路/road 28-3号/roadno");
    is("李沧区京口路28号之3", "李沧区/district 京口路/road 28号之3/roadno");
    is("李沧区京口路28#", "李沧区/district 京口路/road 28#/roadno");
}

#[test]
fn buildings_by_any_word() {
    for (word, unit) in [("号楼", "单元"), ("栋", "单元"), ("幢", "单元"), ("座", "单元")] {
        is(&format!("天兆家园5{word}2{unit}301"), &format!("天兆家园/poi 5{word}/houseno 2{unit}/cellno 301/roomno"));
    }
    is("时代广场B座15层", "时代广场/poi B座/houseno 15层/floorno");
}

#[test]
fn building_unit_room_by_dashes() {
    is("天兆家园5-2-301", "天兆家园/poi 5/houseno 2/cellno 301/roomno");
    is("天兆家园5-301室", "天兆家园/poi 5/houseno 301室/roomno");
    is("天兆家园5号楼2-301", "天兆家园/poi 5号楼/houseno 2/cellno 301/roomno");
    assert_eq!(parse("天兆家园5-2-301").standard, "天兆家园5号楼2单元301室");
}

#[test]
fn villages_and_their_groups() {
    is(
        "平度市李园街道大于家埠村3组88号",
        "平度市/district 李园街道/town 大于家埠村/community 3组/village_group 88号/roadno",
    );
    is("莱西市姜山镇李家屯村五队", "莱西市/district 姜山镇/town 李家屯村/community 五队/village_group");
}

#[test]
fn crossings_and_what_lies_beside() {
    is("市北区江苏路与延安路交叉口", "市北区/district 江苏路/road 延安路/road 交叉口/intersection");
    is("江苏路延安路路口东北角", "江苏路/road 延安路/road 路口/intersection 东北角/assist");
    is("市南区人民医院对面", "市南区/district 人民医院/poi 对面/assist");
    is("香港中路家乐福旁边", "香港中路/road 家乐福/poi 旁边/assist");
    is("胶州路向东200米", "胶州路/road 向东/assist 200米/distance");
}

#[test]
fn lanes_of_shanghai_and_taiwan() {
    is(
        "上海市黄浦区柳林路105弄30号501室",
        "上海市/city 黄浦区/district 柳林路/road 105弄/roadno 30号/houseno 501室/roomno",
    );
    assert_eq!(
        taken("上海市黄浦区柳林路105弄30号501室"),
        "city=上海市 district=黄浦区 road=柳林路 lane=105弄 roadno=30号 roomno=501室"
    );
    assert_eq!(
        taken("臺北市大安區民輝里仁愛路三段5巷3弄12之1號二樓"),
        "city=臺北市 district=大安區 community=民輝里 road=仁愛路三段 lane=5巷3弄 roadno=12之1號 floorno=二樓"
    );
    assert_eq!(
        taken("臺北市大安區龍泉里15鄰龍泉街62號之1"),
        "city=臺北市 district=大安區 community=龍泉里 village_group=15鄰 road=龍泉街 roadno=62號之1"
    );
    assert_eq!(taken("臺北市士林區中山北路六段臨40號"), "city=臺北市 district=士林區 road=中山北路六段 roadno=臨40號");
}

#[test]
fn brackets_phones_and_notes_are_no_address() {
    is("青岛市市南区香港中路29号（到了打电话）13800001111", "青岛市/city 市南区/district 香港中路/road 29号/roadno");
    is("香港中路29号天虹商场(市南店)", "香港中路/road 29号/roadno 天虹商场(市南店)/poi");
    is("地址：市南区香港中路29号，电联", "市南区/district 香港中路/road 29号/roadno");
    is("合肥路40号（麻烦放快递柜", "合肥路/road 40号/roadno");
    is("青岛路24巷2号王先生18770299965", "青岛路/road 24巷/road 2号/roadno");
    is("暂无固定住所", "");
    let parsed = parse("香港中路29号 0532-88886666");
    assert_eq!(parsed.parts.last().map(|p| (p.element, p.text.as_str())), Some((Redundant, "0532-88886666")));
}

#[test]
fn divisions_said_twice() {
    is(
        "山东青岛市北区山东省青岛市市北区上清路23号",
        "山东省/province 青岛市/city 市北区/district 上清路/road 23号/roadno",
    );
    is("青岛青岛市市南区单县路57号", "青岛市/city 市南区/district 单县路/road 57号/roadno");
    assert_eq!(parse("青岛青岛市市南区单县路57号").standard, "山东省青岛市市南区单县路57号");
}

#[test]
fn short_and_former_names() {
    is("山东青岛市南单县路57号", "山东/province 青岛/city 市南/district 单县路/road 57号/roadno");
    is("内蒙古赤峰红山区昭乌达路8号", "内蒙古/province 赤峰/city 红山区/district 昭乌达路/road 8号/roadno");
    is("青岛市四方区嘉定路5号", "青岛市/city 四方区/district 嘉定路/road 5号/roadno");
    assert_eq!(parse("青岛市四方区嘉定路5号").standard, "山东省青岛市市北区嘉定路5号");
    is("上海市南华路276号", "上海市/city 南华路/road 276号/roadno");
    assert_eq!(parse("即墨市鹤山路1号").standard, "山东省青岛市即墨区鹤山路1号");
}

#[test]
fn two_addresses_in_one_text() {
    let parts = parse("青岛市市南区香港中路29号，青岛市李沧区京口路28号").parts;
    let roads: Vec<&str> = parts.iter().filter(|p| p.element == Road).map(|p| p.text.as_str()).collect();
    assert_eq!(roads, ["香港中路", "京口路"]);
    assert_eq!(parts.iter().filter(|p| p.element == District).count(), 2);
}

#[test]
fn zones_and_parts_of_a_place() {
    is("胶州市经济技术开发区长江路5号", "胶州市/district 经济技术开发区/devzone 长江路/road 5号/roadno");
    is("国际商贸城二区三楼", "国际商贸城/poi 二区/subpoi 三楼/floorno");
    is("丽沙花都二期8号楼", "丽沙花都/poi 二期/subpoi 8号楼/houseno");
    assert_eq!(taken("丽沙花都二期8号楼"), "compound=丽沙花都 subpoi=二期 houseno=8号楼");
}

#[test]
fn what_is_no_address_stays_unexplained_or_is_nothing() {
    assert_eq!(parse(""), Parsed::default());
    assert!(parse("\u{0}\u{7}").parts.iter().all(|p| p.element != Road));
    let long = "路".repeat(20_000);
    let parsed = parse(&long);
    assert!(parsed.parts.iter().all(|p| p.end <= LONGEST));
    assert_eq!(parsed.remainder.chars().count() + parsed.parts.iter().map(|p| p.end - p.start).sum::<usize>(), 20_000);
}

/// Texts of the characters that mean something here, and any others.
fn texts() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("山东省".to_owned()),
        Just("青岛市".to_owned()),
        Just("市南".to_owned()),
        Just("中路".to_owned()),
        Just("村".to_owned()),
        Just("号".to_owned()),
        Just("号楼".to_owned()),
        Just("-".to_owned()),
        Just("之".to_owned()),
        Just("（".to_owned()),
        Just(")".to_owned()),
        Just("交叉口".to_owned()),
        Just("段".to_owned()),
        "[0-9一二三十a-zＡ-Ｚ０-９]{1,4}",
        "[路街巷弄村里镇乡区县市店厂园城号楼栋单元室组队旁东西南北门口与和]{1,3}",
        any::<String>(),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn parts_are_pieces_of_the_text_in_order(text in texts()) {
        let chars: Vec<char> = text.chars().collect();
        let parsed = parse(&text);
        let mut at = 0;
        for part in &parsed.parts {
            prop_assert!(part.start >= at && part.end > part.start && part.end <= chars.len());
            prop_assert_eq!(&part.text, &chars[part.start..part.end].iter().collect::<String>());
            at = part.end;
        }
        for field in fields(&text) {
            prop_assert!(text.contains(field));
        }
    }
}
