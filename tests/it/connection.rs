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

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_reaches_whoever_is_still_sending() {
    let world = World::new().await;
    let mut stream = TcpStream::connect(world.url.trim_start_matches("http://")).await.unwrap();
    let piece = vec![b' '; 1 << 20];
    let head =
        "POST /address/parse HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 8388608\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    // As a program that writes all of its request before it looks for an answer; the answer is there from the first piece on.
    for _ in 0..8 {
        stream.write_all(&piece).await.expect("the connection is held until all is sent");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    // Nor is the connection spoilt for what comes next.
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut answers = String::new();
    stream.read_to_string(&mut answers).await.unwrap();
    assert!(answers.starts_with("HTTP/1.1 413 ") && answers.contains("/problems/too-large"), "{answers}");
    assert!(answers.contains("HTTP/1.1 200 OK"), "{answers}");
}
