//! Part 8: the order that was asked for, and pages in it. Every row is seen once, whatever is equal, missing or edited meanwhile.

use super::{ITEMS, href, ids};
use crate::world::{As, ROWS, World};
use serde_json::Value;

/// Follows `rel` to the end.
async fn walk(world: &World, path: &str, rel: &str) -> Vec<Vec<i64>> {
    let mut pages = vec![];
    let mut next = Some(path.to_owned());
    while let Some(path) = next {
        let page = world.json(As::Anonymous, &path).await;
        pages.push(ids(&page));
        assert!(pages.len() <= ROWS as usize, "the pages end");
        next = href(&page, rel).map(|h| h.strip_prefix(&world.url).unwrap().to_owned());
    }
    pages
}

/// What the database itself says of the order.
async fn expected(world: &World, order: &str) -> Vec<i64> {
    let client = world.app.database.app().await.unwrap();
    let rows = client.query(&format!("select fid from data.r1 order by {order}, fid"), &[]).await.unwrap();
    rows.iter().map(|r| r.get(0)).collect()
}

async fn with_gaps() -> World {
    let world = World::new().await;
    world
        .sql(
            "update data.r1 set floors = null where fid % 7 = 0;
             update data.r1 set height = null where fid % 5 = 0;
             update data.r1 set height = 'NaN' where fid % 11 = 1;
             update data.r1 set listed = null where fid % 4 = 0;
             update data.r1 set built = '2020-01-01' where fid % 3 = 0;
             update data.r1 set built = null where fid % 6 = 0;
             update data.r1 set name = '' where fid % 9 = 0;
             update data.r1 set name = null where fid % 10 = 0;
             update data.r1 set name = repeat('长', 300) || fid where fid % 13 = 0",
        )
        .await;
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn sorted_pages_hold_every_row_once_in_the_order_asked_for() {
    let world = with_gaps().await;
    let text = "left(name, 120) collate \"C\"";
    for (sortby, order) in [
        ("floors", "floors asc nulls last".to_owned()),
        ("-floors", "floors desc nulls last".into()),
        ("%2Bheight", "height asc nulls last".into()),
        ("-height,floors", "height desc nulls last, floors asc nulls last".into()),
        ("kind,-listed,+built", "kind asc nulls last, listed desc nulls last, built asc nulls last".into()),
        ("name", format!("{text} asc nulls last")),
        ("-name,built", format!("{text} desc nulls last, built asc nulls last")),
    ] {
        let expected = expected(&world, &order).await;
        for limit in [1, 7, 100, 1000] {
            let pages = walk(&world, &format!("{ITEMS}?limit={limit}&sortby={sortby}"), "next").await;
            assert_eq!(pages.concat(), expected, "{sortby} by {limit}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_lead_back_the_way_they_came() {
    let world = with_gaps().await;
    for query in [
        "limit=9",
        "limit=9&sortby=-floors,name",
        "limit=30&kind=住宅&sortby=height",
        "limit=9&bbox=120,36,120.05,36.05",
    ] {
        let path = format!("{ITEMS}?{query}");
        let forwards = walk(&world, &path, "next").await;
        let mut last = path.clone();
        while let Some(next) = href(&world.json(As::Anonymous, &last).await, "next") {
            last = next.strip_prefix(&world.url).unwrap().to_owned();
        }
        let mut backwards = walk(&world, &last, "prev").await;
        backwards.reverse();
        assert_eq!(backwards, forwards, "{query}");
        let first = world.json(As::Anonymous, &path).await;
        assert!(href(&first, "prev").is_none(), "nothing comes before the first page");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_between_pages_neither_repeat_nor_skip_what_they_do_not_touch() {
    let world = with_gaps().await;
    let path = format!("{ITEMS}?limit=40&sortby=floors");
    let first = world.json(As::Anonymous, &path).await;
    let seen = ids(&first);
    // The page's last row goes, one of it moves to the end, one of the rest moves before it.
    let (last, moved) = (seen[39], seen[10]);
    let rest = expected(&world, "floors asc nulls last").await.split_off(40);
    let (early, lost) = (rest[0], rest[1]);
    world
        .sql(&format!(
            "delete from data.r1 where fid in ({last}, {lost}); update data.r1 set floors = 1000 where fid = {moved};
             update data.r1 set floors = -1 where fid = {early}"
        ))
        .await;
    let next = href(&first, "next").unwrap().strip_prefix(&world.url).unwrap().to_owned();
    let later = walk(&world, &next, "next").await.concat();
    let untouched =
        |ids: &[i64]| ids.iter().filter(|id| ![last, moved, early, lost].contains(id)).copied().collect::<Vec<_>>();
    assert_eq!(untouched(&later), untouched(&rest));
    assert!(!later.contains(&lost) && !later.contains(&early));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_has_one_sign_at_most() {
    let world = World::new().await;
    for (sortby, status) in
        [("-floors", 200), ("%2Bfloors", 200), ("+floors", 200), ("--floors", 400), ("%2B-floors", 400)]
    {
        let response = world.get(As::Anonymous, &format!("{ITEMS}?limit=1&sortby={sortby}")).await;
        assert_eq!(response.status(), status, "{sortby}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_of_another_order_is_refused() {
    let world = World::new().await;
    let page = world.json(As::Anonymous, &format!("{ITEMS}?limit=5&sortby=floors")).await;
    let next = href(&page, "next").unwrap();
    let cursor = next.split("cursor=").nth(1).unwrap();
    for query in ["sortby=-floors", "sortby=floors,name", ""] {
        let response = world.get(As::Anonymous, &format!("{ITEMS}?{query}&cursor={cursor}")).await;
        assert_eq!(response.status(), 400, "{query}");
        let problem: Value = response.json().await.unwrap();
        assert_eq!(problem["parameter"], "cursor");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sortables_name_what_may_be_sorted_by() {
    let world = World::new().await;
    world.grant("fields", "array['name', 'kind']").await;
    let health = As::Key("health");
    let sortables = world.json(health, "/ogc/collections/conditional/sortables").await;
    let names: Vec<_> = sortables["properties"].as_object().unwrap().keys().collect();
    assert_eq!(names, ["kind", "name"]);
    for name in names {
        let page = world.get(health, &format!("/ogc/collections/conditional/items?sortby=-{name}")).await;
        assert_eq!(page.status(), 200);
    }
    let hidden = world.get(health, "/ogc/collections/conditional/items?sortby=floors").await;
    let missing = world.get(health, "/ogc/collections/conditional/items?sortby=nothing").await;
    assert_eq!((hidden.status(), missing.status()), (400.try_into().unwrap(), 400.try_into().unwrap()));
    let (hidden, missing): (Value, Value) = (hidden.json().await.unwrap(), missing.json().await.unwrap());
    let said = |v: &Value| v["detail"].as_str().unwrap().replace("floors", "x").replace("nothing", "x");
    assert_eq!(said(&hidden), said(&missing), "a hidden field is as one that does not exist");
}
