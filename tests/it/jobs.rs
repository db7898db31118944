//! Jobs outlive the one who works on them.

use onemap::access::principal::Principal;
use serde_json::json;

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_workers_job_is_taken_again_and_given_up_at_last() {
    let world = World::new().await;
    let by = Principal::operator("housing");
    let queue = world.app.queue.clone();
    // A kind that no worker of this server knows: only this test takes it.
    let id = queue.put(&by, "test.kind", &json!({})).await.unwrap();
    for attempt in 1..=3 {
        let taken = queue.take(&["test.kind"]).await.unwrap().expect("a job");
        assert_eq!((taken.id, taken.attempts), (id, attempt));
        assert!(queue.take(&["test.kind"]).await.unwrap().is_none(), "it is taken once");
        world.sql("update onemap.job set heartbeat_at = now() - interval '1 minute'").await;
    }
    assert_eq!(queue.take(&["test.kind"]).await.unwrap().unwrap().attempts, 4, "the worker then gives it up");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_jobs_are_put_than_a_department_may_have() {
    let world = World::new().await;
    let (housing, health) = (Principal::operator("housing"), Principal::operator("health"));
    let input = json!({});
    let put = || world.app.queue.put_at_most(&housing, "test.kind", 2, &input);
    // At once: counted one by one they would all find room.
    let puts = [put(), put(), put(), put(), put()];
    let outcomes = futures_util::future::join_all(puts).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 2);
    assert!(world.app.queue.put_at_most(&health, "test.kind", 2, &input).await.is_ok(), "each has its own");
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_seen_by_their_department_alone() {
    let world = World::new().await;
    let id = world.app.queue.put(&Principal::operator("housing"), "test.kind", &json!({})).await.unwrap();
    assert!(world.app.queue.get("health", id).await.is_err());
    assert_eq!(world.app.queue.get("housing", id).await.unwrap().state, "queued");
    assert_eq!(world.app.queue.cancel("housing", id).await.unwrap().state, "cancelled");
}
