use super::*;

fn zone(code: &str, name: &str, parent: &str) -> Zone {
    let text = |t: &str| (!t.is_empty()).then(|| t.to_owned());
    Zone { code: text(code), name: text(name), parent: text(parent) }
}

fn qingdao() -> Directory {
    Directory::new(vec![
        zone("370202", "市南区", "青岛市"),
        zone("370203", "市北区", "青岛市"),
        zone("370211", "黄岛区", "青岛市"),
        zone("370202003000", "香港中路街道", "市南区"),
        zone("370203020000", "阜新路街道", "市北区"),
        zone("370285004000", "水集街道", "莱西市"),
        zone("370283001", "东阁街道", "平度市"),
        zone("370283101", "古岘镇", "平度市"),
        zone("370281108", "李哥庄镇", "胶州市"),
        zone("370203001001", "新华社区居委会", "市北区"),
        zone("370211001001", "新华社区居委会", "黄岛区"),
    ])
}

#[test]
fn codes_of_every_length_find_their_division() {
    let d = qingdao();
    for (code, found) in [
        ("370202", 0),
        ("370202000000", 0),
        (" 370202.0 ", 0),
        ("３７０２０２", 0),
        ("370202003", 3),
        ("370202003000", 3),
        ("370203001001", 9),
    ] {
        assert_eq!(d.code(code), Match::One(found, How::Code), "{code}");
    }
    for none in ["", "37020", "0370202", "3702O2", "abc", "370299", "3702020030001"] {
        assert_eq!(d.code(none), Match::None, "{none}");
    }
    assert_eq!(canonical("370000").unwrap(), "37");
    assert_eq!(canonical("110100000000").unwrap(), "1101");
}

#[test]
fn codes_of_earlier_years_are_led_on() {
    let d = qingdao();
    // Jiaonan (370284) became part of Huangdao in 2012, Sifang (370205) of Shibei.
    assert_eq!(d.code("370284"), Match::One(2, How::FormerCode));
    assert_eq!(d.code("370205000000"), Match::One(1, How::FormerCode));
}

#[test]
fn names_are_found_with_and_without_their_ends() {
    let d = qingdao();
    assert_eq!(d.name("市南区", None), Match::One(0, How::Name));
    assert_eq!(d.name(" 市南 ", None), Match::One(0, How::ShortName));
    assert_eq!(d.name("香港中路", None), Match::One(3, How::ShortName));
    assert_eq!(d.name("香港中路街道办事处", None), Match::One(3, How::ShortName));
    assert_eq!(d.name("古岘", None), Match::One(7, How::ShortName));
    assert_eq!(d.name("市南区香港中路街道", None), Match::One(3, How::ShortName));
    assert_eq!(d.name("市南香港中路", None), Match::One(3, How::ShortName));
    assert_eq!(d.name("香港路", None), Match::None);
}

#[test]
fn a_name_of_several_divisions_is_resolved_by_its_parent_or_not_at_all() {
    let d = qingdao();
    assert_eq!(d.name("新华社区", None), Match::Several(vec![9, 10]));
    assert_eq!(d.name("新华社区", Some("黄岛")), Match::One(10, How::ShortName));
    assert_eq!(d.name("新华社区居委会", Some("370203")), Match::One(9, How::Name));
    assert_eq!(d.name("黄岛区新华社区", None), Match::One(10, How::ShortName));
    // A parent that contradicts is not overlooked.
    assert_eq!(d.name("香港中路街道", Some("市北区")), Match::None);
}

#[test]
fn what_is_not_found_gets_the_likest_as_suggestions() {
    let d = qingdao();
    assert_eq!(d.suggestions("香港中路街到", By::Name, 3), [3]);
    assert_eq!(d.suggestions("370283102", By::Code, 2)[0], 7);
    assert!(d.suggestions("朝阳区望京街道", By::Name, 3).is_empty());
}

#[test]
fn distances_are_levenshteins() {
    let of = |a: &str, b: &str| name::distance(&a.chars().collect::<Vec<_>>(), &b.chars().collect::<Vec<_>>());
    assert_eq!((of("kitten", "sitting"), of("", "ab"), of("街道", "街道")), (3, 2, 0));
}
