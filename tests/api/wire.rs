//! The real transport over real sockets: what each kind of trouble is called, and what never happens by itself.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parhelion::api::http::{RealTransport, Request, SendErrorKind, Transport, Url};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Serves `reply` to every connection, then closes it; counts the connections that sent something.
async fn serve(reply: impl Into<Vec<u8>>) -> (Url, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}/x", listener.local_addr().unwrap())).unwrap();
    let (reply, count) = (reply.into(), Arc::new(AtomicUsize::new(0)));
    let counter = count.clone();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut buffer = [0; 4096];
            if socket.read(&mut buffer).await.unwrap_or(0) > 0 {
                counter.fetch_add(1, Ordering::Relaxed);
                let _ = socket.write_all(&reply).await;
                let _ = socket.shutdown().await;
                while socket.read(&mut buffer).await.unwrap_or(0) > 0 {}
            }
        }
    });
    (url, count)
}

async fn send(url: &Url) -> Result<parhelion::api::http::Response, SendErrorKind> {
    let request =
        Request::post(url.clone(), "application/json", b"{}".to_vec()).total(Duration::from_secs(20));
    RealTransport::new().send(request).await.map_err(|error| {
        assert!(!error.detail.is_empty() && !error.detail.contains("127.0.0.1"), "no URL in '{error}'");
        error.kind
    })
}

#[tokio::test]
async fn answers_come_whole_and_redirects_are_not_followed() {
    let (url, _) =
        serve("HTTP/1.1 201 Created\r\nretry-after: 5\r\ncontent-length: 8\r\n\r\n{\"id\":1}").await;
    let response = send(&url).await.unwrap();
    assert_eq!(
        (response.status, response.header("Retry-After"), response.body.as_slice()),
        (201, Some("5"), &b"{\"id\":1}"[..])
    );
    let (url, count) = serve("HTTP/1.1 302 Found\r\nlocation: /y\r\ncontent-length: 0\r\n\r\n").await;
    assert_eq!(send(&url).await.unwrap().status, 302);
    assert_eq!(count.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_broken_answer_is_a_reset_and_is_sent_once() {
    for reply in [
        "",
        "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"id\":1}",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{\"id\"\r\n",
        "garbage\r\n\r\n",
    ] {
        let (url, count) = serve(reply).await;
        assert_eq!(send(&url).await.unwrap_err(), SendErrorKind::Reset, "{reply:?}");
        assert_eq!(count.load(Ordering::Relaxed), 1, "{reply:?}");
    }
}

#[tokio::test]
async fn nothing_is_sent_to_whom_cannot_be_reached() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let refused = Url::parse(&format!("http://127.0.0.1:{port}/")).unwrap();
    assert_eq!(send(&refused).await.unwrap_err(), SendErrorKind::Connect);
    // Something that does not speak TLS.
    let (url, _) = serve("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").await;
    let url = Url::parse(&url.as_str().replace("http://", "https://")).unwrap();
    assert_eq!(send(&url).await.unwrap_err(), SendErrorKind::Tls);
}

#[tokio::test]
async fn silence_ends_in_a_time_out() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
    let request = Request::get(url).total(Duration::from_millis(50));
    let error = RealTransport::new().send(request).await.unwrap_err();
    assert_eq!(error.kind, SendErrorKind::Timeout);
    assert!(error.may_have_arrived());
}

#[tokio::test]
async fn a_body_beyond_32_mib_is_cut_off_even_when_packed() {
    // Stored blocks of zeros: a gzip stream without needing a compressor.
    let mut gzip = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    for _ in 0..520 {
        gzip.extend([0, 0xff, 0xff, 0, 0]);
        gzip.extend(std::iter::repeat_n(0_u8, 0xffff));
    }
    let mut reply = Vec::new();
    write!(reply, "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n", gzip.len())
        .unwrap();
    reply.extend(gzip);
    let (url, _) = serve(reply).await;
    assert_eq!(send(&url).await.unwrap_err(), SendErrorKind::TooLarge);
}
