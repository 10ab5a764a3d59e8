//! Tokens, passwords, scopes, tenants.

use std::rc::Rc;

use super::{Folder, Server, configured, eventually, put, quipu_reading, refused};

/// Somebody for each way in.
fn people() -> String {
    let hash = quipu_reading(&["token", "hash-password"], "open sesame\n");
    format!(
        "access:
  tokens:
  - {{name: reader, token: reader-0123456789, scopes: [read]}}
  - {{name: writer, token: writer-0123456789, scopes: [write]}}
  - {{name: root, token: root-0123456789abc, scopes: [read, write, admin], tenant: default}}
  - {{name: shop, token: shop-0123456789abc, scopes: [read], tenant: shop}}
  users:
  - {{name: ada, password_hash: '{hash}', scopes: [read, write, admin]}}
"
    )
}

fn bearer(token: &str) -> [(&'static str, String); 1] {
    [("authorization", format!("Bearer {token}"))]
}

fn get(server: &Server, path: &str, headers: &[(&str, String)]) -> super::Got {
    send(server, "GET", path, headers, "")
}

fn send(
    server: &Server,
    method: &str,
    path: &str,
    headers: &[(&str, String)],
    body: &str,
) -> super::Got {
    let headers: Vec<(&str, &str)> =
        headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    server.send(method, path, &headers, body.as_bytes())
}

const ASK: &str = "/api/v1/query?query=1";

#[test]
fn who_shows_nothing_is_sent_away_in_the_words_of_each_protocol() {
    let (server, _) = configured(&people());
    let got = server.get(ASK);
    refused(&got, 401, r#""errorType":"unauthorized""#);
    assert_eq!(got.header("www-authenticate"), Some("Bearer realm=\"quipu\""));
    let got = server.post("/write", &[], "m f=1");
    refused(&got, 401, r#"{"error":"who is asking?"#);
    assert!(got.header("x-influxdb-version").is_some());
    refused(&server.post("/api/v2/write", &[], "m f=1"), 401, r#""code":"unauthorized""#);
    let got = server.post("/api/v1/write", &[], "");
    refused(&got, 401, "who is asking?");
    assert_eq!(got.header("content-type"), Some("text/plain; charset=utf-8"));
    refused(&server.post("/-/reload", &[], ""), 401, "who is asking?");
    refused(&server.get("/metrics"), 401, "who is asking?");
    for path in ["/", "/ready", "/health", "/-/ready", "/-/healthy", "/ping"] {
        assert!(server.get(path).status < 300, "{path}");
    }
}

#[test]
fn each_scope_lets_do_its_own_and_nothing_else() {
    let (server, _) = configured(&people());
    let (reader, writer, root) =
        (bearer("reader-0123456789"), bearer("writer-0123456789"), bearer("root-0123456789abc"));
    assert_eq!(get(&server, ASK, &reader).status, 200);
    refused(&get(&server, ASK, &writer), 403, "\\\"writer\\\" has no scope read");
    assert_eq!(send(&server, "POST", "/write", &writer, "m f=1").status, 204);
    refused(&send(&server, "POST", "/write", &reader, "m f=1"), 403, "has no scope write");
    let got = send(&server, "POST", "/api/v2/write", &reader, "m f=1");
    refused(&got, 403, r#""code":"forbidden""#);
    refused(&send(&server, "POST", "/api/v1/write", &reader, ""), 403, "\"reader\" has no scope");
    refused(&send(&server, "POST", "/-/reload", &writer, ""), 403, "has no scope admin");
    assert_eq!(send(&server, "POST", "/-/reload", &root, "").status, 200);
    refused(&get(&server, ASK, &bearer("reader-012345678")), 401, "not known");
    refused(&get(&server, ASK, &[("authorization", "Digest x".into())]), 401, "scheme");
}

#[test]
fn passwords_are_taken_as_every_sender_shows_them() {
    let (server, _) = configured(&people());
    // "ada:open sesame", "ada:open sesam", "eve:open sesame"
    let basic = |text: &str| [("authorization", format!("Basic {text}"))];
    let right = basic("YWRhOm9wZW4gc2VzYW1l");
    for _ in 0..3 {
        assert_eq!(get(&server, ASK, &right).status, 200);
    }
    refused(&get(&server, ASK, &basic("YWRhOm9wZW4gc2VzYW0=")), 401, "not known");
    refused(&get(&server, ASK, &basic("ZXZlOm9wZW4gc2VzYW1l")), 401, "not known");
    assert_eq!(server.post("/write?u=ada&p=open%20sesame&db=x", &[], "m f=1").status, 204);
    refused(&server.post("/write?u=ada&p=open&db=x", &[], "m f=1"), 401, "not known");
    assert_eq!(server.post("/write?u=any&p=writer-0123456789", &[], "m f=1").status, 401);
    refused(&server.post("/api/v2/write?u=ada&p=open%20sesame", &[], "m f=1"), 401, "who is");
    let two = [("authorization", "Token writer-0123456789".to_owned())];
    assert_eq!(send(&server, "POST", "/api/v2/write?bucket=b", &two, "m f=1").status, 204);
    let one = [("authorization", "Token ada:open sesame".to_owned())];
    assert_eq!(send(&server, "POST", "/api/v2/write?bucket=b", &one, "m f=1").status, 204);
    // A browser sends a password by itself, so another's page must not profit from it.
    let page = [right[0].clone(), ("origin", "http://evil.example".into())];
    refused(&send(&server, "POST", "/-/reload", &page, ""), 403, "evil");
    refused(&send(&server, "POST", "/write", &page, "m f=1"), 403, "evil");
    assert_eq!(send(&server, "POST", "/-/reload", &right, "").status, 200);
}

#[test]
fn a_tenant_that_is_not_served_is_refused_by_name() {
    let (server, _) = configured(&people());
    let asked = |token: &str, tenant: &str| {
        let [authorization] = bearer(token);
        get(&server, ASK, &[authorization, ("x-scope-orgid", tenant.into())])
    };
    for tenant in ["default", "anonymous"] {
        assert_eq!(asked("reader-0123456789", tenant).status, 200);
        assert_eq!(asked("root-0123456789abc", tenant).status, 200);
    }
    refused(&asked("reader-0123456789", "shop"), 403, "tenant \\\"shop\\\" is not known");
    refused(&asked("reader-0123456789", "default|shop"), 403, "is not known");
    refused(&get(&server, ASK, &bearer("shop-0123456789abc")), 403, "shop");
    let open = Server::start();
    let tenant = [("x-scope-orgid", "shop".to_owned())];
    refused(&get(&open, ASK, &tenant), 403, "shop");
}

#[test]
fn a_token_is_made_and_revoked_while_the_server_runs() {
    let server = Server::start();
    assert_eq!(server.get(ASK).status, 200);
    let words = |more: &[&'static str]| {
        let mut words: Vec<String> = more.iter().map(|&word| word.to_owned()).collect();
        words.extend(["--data".to_owned(), server.data().to_owned()]);
        words
    };
    let quipu = |more: &[&'static str]| {
        let words = words(more);
        server.quipu(&words.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let made = quipu(&["token", "create", "--name", "a", "--scope", "read", "--expires", "1d"]);
    assert_eq!(made.code, 0, "{}", made.stderr);
    let token = made.stdout.trim();
    assert!(token.starts_with("quipu_") && token.len() == 49, "{token}");
    eventually("the token counts", || get(&server, ASK, &bearer(token)).status == 200);
    eventually("others are asked", || server.get(ASK).status == 401);
    refused(&send(&server, "POST", "/write", &bearer(token), "m f=1"), 403, "no scope write");
    let asked = server.quipu(&["query", "1", "--url", &server.url, "--token", token]);
    assert_eq!(asked.code, 0, "{}", asked.stderr);
    let listed = quipu(&["token", "list"]);
    assert!(
        listed.stdout.contains(" a ") && !listed.stdout.contains("quipu_"),
        "{}",
        listed.stdout
    );
    assert_eq!(quipu(&["token", "create", "--name", "a"]).code, 1, "the name is taken");
    assert_eq!(quipu(&["token", "revoke", "a"]).code, 0);
    eventually("it is revoked", || get(&server, ASK, &bearer(token)).status == 401);
    refused(&server.get(ASK), 401, "who is asking?");
    assert_eq!(quipu(&["token", "revoke", "a"]).code, 1);
}

#[test]
fn a_damaged_file_of_tokens_lets_nobody_new_in_and_locks_nobody_out() {
    let folder = Folder::next();
    let made = folder.quipu(&["token", "create", "--name", "a", "--data", folder.path()]);
    let token = bearer(made.stdout.trim());
    let server = Server::start_on_with(Rc::clone(&folder), &[]);
    assert_eq!(get(&server, ASK, &token).status, 200);
    put(&folder, "access/tokens.json", "{");
    std::thread::sleep(std::time::Duration::from_millis(1500));
    assert_eq!(get(&server, ASK, &token).status, 200);
    assert_eq!(server.get(ASK).status, 401);
    refused(&send(&server, "POST", "/-/reload", &token, ""), 403, "admin");
    drop(server);
    let words = ["serve", "--listen", "127.0.0.1:0", "--data", folder.path()];
    let again = folder.quipu(&words);
    assert_eq!(again.code, 1);
    assert!(again.stderr.contains("tokens.json"), "{}", again.stderr);
}

#[test]
fn others_may_reach_the_server_only_where_somebody_is_known() {
    let folder = Folder::next();
    let words = ["serve", "--listen", "0.0.0.0:0", "--data", folder.path()];
    let refused = folder.quipu(&words);
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("quipu token create"), "{}", refused.stderr);
    let made = folder.quipu(&["token", "create", "--name", "a", "--data", folder.path()]);
    let server = Server::start_on_with(folder, &["--listen", "0.0.0.0:0"]);
    assert_eq!(server.get(ASK).status, 401);
    assert_eq!(get(&server, ASK, &bearer(made.stdout.trim())).status, 200);
}
