//! The client against servers of a few lines.

use std::{convert::Infallible, io::Write, net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use http_body_util::{BodyExt, Full};
use hyper::{
    Request as Asked, Response, body::Incoming, http::request::Parts, server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::*;

type Reply = Response<Full<Bytes>>;

/// Serves until the test ends.
async fn serve(answer: impl Fn(Parts, Bytes) -> Reply + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let answer = Arc::new(answer);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let answer = Arc::clone(&answer);
            let service = service_fn(move |request: Asked<Incoming>| {
                let answer = Arc::clone(&answer);
                async move {
                    let (head, body) = request.into_parts();
                    let body = body.collect().await.unwrap().to_bytes();
                    Ok::<_, Infallible>(answer(head, body))
                }
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    address
}

fn reply(text: impl Into<Bytes>) -> Reply {
    Response::new(Full::new(text.into()))
}

fn moved(status: u16, to: &str) -> Reply {
    Response::builder().status(status).header("location", to).body(Full::default()).unwrap()
}

fn client() -> Client {
    Client::new(ClientOptions::default()).unwrap()
}

#[tokio::test]
async fn a_packed_answer_is_unpacked_within_the_limit() {
    let address = serve(|head, _| {
        assert_eq!(head.headers["accept-encoding"], "gzip");
        let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
        packer.write_all(&[b'a'; 5000]).unwrap();
        let body = Full::new(packer.finish().unwrap().into());
        Response::builder().header("content-encoding", "gzip").body(body).unwrap()
    })
    .await;
    let mut request = Request::get(format!("http://{address}/"));
    let answer = client().send(request.clone()).await.unwrap();
    assert_eq!(answer.body.len(), 5000);
    assert!(answer.packed_bytes < 200 && answer.header("content-encoding").is_empty());
    request.body_bytes_max = 4999;
    assert!(matches!(client().send(request).await, Err(Error::TooLarge(4999))));
}

#[tokio::test]
async fn redirects_are_followed_and_secrets_stay_at_home() {
    let other = serve(|head, body| {
        let secret = head.headers.contains_key("authorization");
        reply(format!("{} {secret} {}", head.method, body.len()))
    })
    .await;
    let address = serve(move |head, _| match head.uri.path() {
        "/away" => moved(302, &format!("http://{other}/")),
        "/kept" => moved(307, "/here"),
        "/here" => reply(format!("{} {}", head.method, head.headers.contains_key("authorization"))),
        _ => moved(301, "/around"),
    })
    .await;
    let post = |path: &str| {
        let request = Request::post(format!("http://{address}{path}"), "body");
        request.header("authorization", "Bearer x").unwrap()
    };
    let text = async |path| {
        String::from_utf8(client().send(post(path)).await.unwrap().body.to_vec()).unwrap()
    };
    assert_eq!(text("/away").await, "GET false 0");
    assert_eq!(text("/kept").await, "POST true");
    assert!(matches!(client().send(post("/around")).await, Err(Error::Redirects(_))));
    let stays = Client::new(ClientOptions { stays: true, ..ClientOptions::default() }).unwrap();
    assert_eq!(stays.send(post("/away")).await.unwrap().status, 302);
}

#[tokio::test]
async fn link_local_addresses_are_refused_and_redirects_to_them_too() {
    let address = serve(|_, _| moved(302, "http://169.254.169.254/latest/meta-data")).await;
    for url in [format!("http://{address}/"), "http://169.254.169.254/".into()] {
        let error = client().send(Request::get(url)).await.unwrap_err().to_string();
        assert!(error.contains("link-local address"), "{error}");
    }
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut request = Request::get(format!("http://{}/", listener.local_addr().unwrap()));
    request.timeout = Duration::from_millis(50);
    let error = client().send(request).await.unwrap_err();
    assert!(matches!(error, Error::Timeout(_)), "{error}");
}

#[tokio::test]
async fn what_went_wrong_with_a_connection_is_said_once() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = client().send(Request::get(format!("http://{address}/"))).await.unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with(&format!("connect {address}: ")), "{text}");
    assert_eq!(text.matches("refused").count(), 1, "{text}");
    for url in ["", "ftp://x/", "/metrics", "http://"] {
        let error = client().send(Request::get(url)).await.unwrap_err();
        assert!(matches!(error, Error::Url { .. }), "{url}: {error}");
    }
}

#[tokio::test]
async fn a_plain_request_names_its_whole_url_to_a_proxy() {
    let address = serve(|head, _| {
        reply(format!("{} {:?}", head.uri, head.headers.get("proxy-authorization")))
    })
    .await;
    let proxy = Some(format!("http://me:secret@{address}").parse().unwrap());
    let client = Client::new(ClientOptions { proxy, ..ClientOptions::default() }).unwrap();
    let answer = client.send(Request::get("http://nowhere.invalid/m?x=1")).await.unwrap();
    let expected = r#"http://nowhere.invalid/m?x=1 Some("Basic bWU6c2VjcmV0")"#;
    assert_eq!(answer.body, expected);
}

#[tokio::test]
async fn a_proxy_that_opens_no_tunnel_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let asked = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = [0; 1000];
        let size = stream.read(&mut head).await.unwrap();
        stream.write_all(b"HTTP/1.1 403 Forbidden\r\n\r\n").await.unwrap();
        String::from_utf8_lossy(&head[..size]).into_owned()
    });
    let proxy = Some(format!("http://{address}").parse().unwrap());
    let client = Client::new(ClientOptions { proxy, ..ClientOptions::default() }).unwrap();
    let error = client.send(Request::get("https://nowhere.invalid/")).await.unwrap_err();
    assert!(error.to_string().contains("403 Forbidden"), "{error}");
    assert!(asked.await.unwrap().starts_with("CONNECT nowhere.invalid:443 HTTP/1.1\r\n"));
}

/// Certificates of `tests/`, valid until 2120: an authority, and what it signed for `server.test` and
/// `client.test`.
const AUTHORITY: &[u8] = include_bytes!("tests/authority.pem");
const SERVER: (&[u8], &[u8]) =
    (include_bytes!("tests/server.pem"), include_bytes!("tests/server.key"));
const CLIENT: (&[u8], &[u8]) =
    (include_bytes!("tests/client.pem"), include_bytes!("tests/client.key"));

/// A server that speaks TLS, asks for a certificate, and answers every request with what it saw.
fn serve_tls() -> SocketAddr {
    use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
    let chain = |pem| CertificateDer::pem_slice_iter(pem).map(Result::unwrap).collect::<Vec<_>>();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(chain(AUTHORITY).remove(0)).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = rustls::server::WebPkiClientVerifier::builder_with_provider(
        Arc::new(roots),
        Arc::clone(&provider),
    );
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier.allow_unauthenticated().build().unwrap())
        .with_single_cert(chain(SERVER.0), PrivateKeyDer::from_pem_slice(SERVER.1).unwrap())
        .unwrap();
    let config = Arc::new(config);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut tls = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            // A client that does not trust us ends the handshake.
            while tls.is_handshaking() && tls.complete_io(&mut stream).is_ok() {}
            let names = tls.peer_certificates().map_or(0, <[_]>::len);
            let mut stream = rustls::Stream::new(&mut tls, &mut stream);
            let mut asked = [0; 4096];
            if std::io::Read::read(&mut stream, &mut asked).is_ok_and(|size| size > 0) {
                let body = format!("{names} certificates");
                let _ = write!(
                    stream,
                    "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
                    body.len()
                );
            }
        }
    });
    address
}

#[tokio::test]
async fn a_server_must_prove_its_name_unless_told_otherwise() {
    let address = serve_tls();
    let ask = async |tls: TlsOptions| {
        let client = Client::new(ClientOptions { tls, ..ClientOptions::default() }).unwrap();
        let answer = client.send(Request::get(format!("https://{address}/"))).await;
        answer.map(|answer| String::from_utf8(answer.body.to_vec()).unwrap())
    };
    let trusting = TlsOptions { authorities: Some(AUTHORITY.to_vec()), ..TlsOptions::default() };
    let named = TlsOptions { server_name: Some("server.test".into()), ..trusting.clone() };
    assert_eq!(ask(named.clone()).await.unwrap(), "0 certificates");
    let error = ask(TlsOptions::default()).await.unwrap_err().to_string();
    assert!(error.contains("UnknownIssuer"), "{error}");
    let error = ask(trusting).await.unwrap_err().to_string();
    assert!(error.contains("not valid for name"), "{error}");
    let insecure = TlsOptions { is_insecure: true, ..TlsOptions::default() };
    assert_eq!(ask(insecure).await.unwrap(), "0 certificates");
    let (certificate, key) = (Some(CLIENT.0.to_vec()), Some(CLIENT.1.to_vec()));
    let known = TlsOptions { certificate, key, ..named.clone() };
    assert_eq!(ask(known).await.unwrap(), "1 certificates");
    let half = TlsOptions { key: None, certificate: Some(CLIENT.0.to_vec()), ..named };
    assert!(Client::new(ClientOptions { tls: half, ..ClientOptions::default() }).is_err());
}

#[test]
fn what_is_no_certificate_is_named() {
    let tls = |tls| Client::new(ClientOptions { tls, ..ClientOptions::default() }).unwrap_err();
    let nothing = TlsOptions { authorities: Some(b"hello".to_vec()), ..TlsOptions::default() };
    assert!(tls(nothing).to_string().contains("the certificate authority"));
    let name = TlsOptions { server_name: Some("a b".into()), ..TlsOptions::default() };
    assert!(tls(name).to_string().contains("server_name"));
    let options = TlsOptions { key: Some(b"secret".to_vec()), ..TlsOptions::default() };
    assert!(!format!("{options:?}").contains("115"), "keys are not shown");
}
