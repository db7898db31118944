use super::*;
use crate::city;
use crate::row::Field;

fn texts(world: &World, name: &str, count: usize) -> Vec<Query> {
    let noise = all().into_iter().find(|n| n.name == name).unwrap();
    let mut random = Random::new(1);
    (0..count).filter_map(|_| make(world, &noise, &mut random)).collect()
}

#[test]
fn kinds_have_different_names() {
    let names: std::collections::BTreeSet<&str> = all().iter().map(|n| n.name).collect();
    assert_eq!(names.len(), all().len());
}

#[test]
fn every_kind_suits_the_city_and_tells_its_truth() {
    let base = city::mainland(1, 4_000);
    let world = World::of(&base);
    // A floor of a door is asked for only where the base has no rooms; lanes of a number are rare but there.
    for noise in all().into_iter().filter(|n| n.name != "door_floor") {
        let mut random = Random::new(5);
        let Some(query) = make(&world, &noise, &mut random) else { panic!("{} suits no row", noise.name) };
        assert_eq!(query.truth.is_empty(), query.expect != Expect::Row, "{}: {}", noise.name, query.text);
        assert_eq!(query.set == Set::Unanswerable, query.expect != Expect::Row, "{}", noise.name);
    }
}

#[test]
fn the_same_seed_gives_the_same_texts() {
    let base = city::mainland(1, 2_000);
    let world = World::of(&base);
    let texts = |seed| sample(&world, seed, 2).into_iter().map(|q| q.text).collect::<Vec<_>>();
    assert_eq!(texts(3), texts(3));
    assert_ne!(texts(3), texts(4));
}

#[test]
fn spoilt_texts_differ_from_the_standard_form() {
    let base = city::mainland(2, 4_000);
    let world = World::of(&base);
    for noise in all().iter().filter(|n| n.set == Set::Hard) {
        for query in texts(&world, noise.name, 5) {
            let row = &base.rows[query.truth[0] as usize];
            assert_ne!(query.text, Draft::of(row).text(), "{}", noise.name);
        }
    }
}

#[test]
fn what_is_left_unsaid_makes_more_rows_right() {
    let base = city::mainland(3, 20_000);
    let world = World::of(&base);
    let several = texts(&world, "only_road", 200).iter().filter(|q| q.truth.len() > 1).count();
    assert!(several > 0, "a road and number of two districts");
    for query in texts(&world, "dash_building_room", 20) {
        let rooms: std::collections::BTreeSet<&str> =
            query.truth.iter().map(|&at| base.rows[at as usize].get(Field::Room)).collect();
        assert_eq!(rooms.len(), 1, "{}", query.text);
    }
}

#[test]
fn missing_numbers_are_missing() {
    let base = city::mainland(4, 4_000);
    let world = World::of(&base);
    for name in ["none_number", "none_gap"] {
        for query in texts(&world, name, 20) {
            assert!(!base.rows.iter().any(|row| row.full() == query.text), "{}", query.text);
        }
    }
}
