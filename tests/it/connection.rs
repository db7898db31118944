//! What never becomes a request, or should not have been sent: refused at once, with a document.

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::world::World;

/// Sends bytes as they are; the status, the head and the body that come back.
async fn send(world: &World, bytes: &[u8]) -> (u16, String, String) {
    let mut stream = TcpStream::connect(world.url.trim_start_matches("http://")).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = vec![];
    let _ = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or_default();
    (status, head.to_ascii_lowercase(), body.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_request_gets_a_problem_document() {
    let world = World::new().await;
    let long = format!("GET /ogc?x={} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", "a".repeat(70_000));
    let many = format!("GET /ogc HTTP/1.1\r\nhost: x\r\n{}\r\n", "x-a: 1\r\n".repeat(500));
    for (bytes, expected) in [(long.as_str(), 414), (many.as_str(), 431), ("nonsense\r\n\r\n", 400)] {
        let (status, head, body) = send(&world, bytes.as_bytes()).await;
        assert_eq!(status, expected, "{head}");
        assert!(
            head.contains("content-type: application/problem+json") && head.contains("connection: close"),
            "{head}"
        );
        let document: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(document["status"], expected);
        assert!(document["hint"].is_string() && document["request_id"].is_string(), "{body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_announced_too_large_is_refused_before_it_is_sent() {
    let world = World::new().await;
    let head = "POST /address/parse HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nconnection: close\r\n\
                content-length: 4294967301\r\n\r\n";
    let (status, head, body) = send(&world, head.as_bytes()).await;
    assert_eq!(status, 413, "{head}");
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap()["type"], "/problems/too-large");
}
