//! The pages for people: they need no script, load nothing from elsewhere, and say what is wrong where it was typed.

use super::ITEMS;
use crate::world::{As, World};

async fn page(world: &World, path: &str) -> (u16, String) {
    let request = world
        .request(reqwest::Method::GET, path)
        .header("accept", "text/html,*/*;q=0.8")
        .header("accept-language", "zh-CN");
    let response = request.send().await.unwrap();
    let policy = response.headers().get("content-security-policy").map(|v| v.to_str().unwrap().to_owned());
    let status = response.status().as_u16();
    if status < 500 {
        assert!(policy.unwrap().contains("default-src 'none'"), "{path}");
    }
    (status, response.text().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_load_nothing_from_elsewhere() {
    let world = World::new().await;
    for path in [
        "/ogc",
        "/ogc/collections",
        "/ogc/collections/open",
        ITEMS,
        "/ogc/collections/open/items/1",
        "/ogc/api",
        "/ogc/conformance",
        "/ogc/collections/open/schema",
        "/ogc/tileMatrixSets",
        "/ogc/tileMatrixSets/CGCS2000Quad",
    ] {
        let (status, text) = page(&world, path).await;
        assert_eq!(status, 200, "{path}");
        for attribute in ["src=", "<link rel=stylesheet href=", "<link rel=icon href="] {
            for loaded in text.split(attribute).skip(1) {
                assert!(
                    loaded.trim_start_matches('"').starts_with('/'),
                    "{path} loads {}",
                    &loaded[..loaded.len().min(60)]
                );
            }
        }
        assert!(!text.contains("onclick") && !text.contains("javascript:"), "{path}");
    }
    let script = world.get(As::Anonymous, "/ogc/page.js").await;
    assert!(script.headers()["content-type"].to_str().unwrap().starts_with("text/javascript"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_features_can_be_turned_sorted_and_filtered() {
    let world = World::new().await;
    let (_, text) = page(&world, &format!("{ITEMS}?limit=10")).await;
    assert!(text.contains("rel=next") && !text.contains("rel=prev") && text.contains("sortby=floors"));
    assert!(text.contains("data-features=") && text.contains("data-feature=\"1\""));
    let (_, sorted) = page(&world, &format!("{ITEMS}?limit=10&sortby=floors")).await;
    assert!(sorted.contains("sortby=-floors") && sorted.contains('▲'));
    let (_, filtered) = page(&world, &format!("{ITEMS}?filter=floors%3D3")).await;
    assert!(filtered.contains("value=\"floors=3\"") && filtered.contains("data-feature=\"4\""));
    assert!(!filtered.contains("data-feature=\"5\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_filter_is_said_where_it_was_typed() {
    let world = World::new().await;
    let (status, text) = page(&world, &format!("{ITEMS}?f=html&filter=%3Cb%3Efloors+%3E")).await;
    assert_eq!(status, 400);
    assert!(text.contains("class=wrong") && text.contains("value=\"&lt;b&gt;floors &gt;\""), "{text}");
    // A program gets a problem.
    let response = world.get(As::Anonymous, &format!("{ITEMS}?filter=floors+%3E")).await;
    assert_eq!(response.headers()["content-type"], "application/problem+json");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_in_the_address_goes_along_in_links_forms_and_maps() {
    let world = World::new().await;
    world.grant("", "").await;
    let key = crate::world::key_of("health");
    let (status, text) = page(&world, &format!("/ogc/collections/conditional/items?limit=10&key={key}")).await;
    assert_eq!(status, 200);
    assert!(text.contains(&format!("<input type=hidden name=\"key\" value=\"{key}\">")));
    for marked in ["rel=next href=\"", "data-features=\"", "data-base=\""] {
        let address = text.split(marked).nth(1).unwrap().split('"').next().unwrap();
        assert!(address.contains(&format!("key={key}")), "{marked} {address}");
    }
}
