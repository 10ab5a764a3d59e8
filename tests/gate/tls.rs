//! TLS, by curl, with certificates that openssl makes.

use std::{process::Command, rc::Rc};

use super::{Folder, Server, put, quipu_reading};

/// A folder with a CA and what it signed.
struct Certificates(Rc<Folder>);

impl Certificates {
    fn new() -> Self {
        let folder = Folder::next();
        put(&folder, "san", "subjectAltName=IP:127.0.0.1");
        let made = Self(folder);
        for ca in ["ca", "other"] {
            made.openssl(&format!(
                "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
                 -subj /CN={ca} -keyout {ca}.key -out {ca}.pem"
            ));
        }
        made
    }

    fn openssl(&self, words: &str) {
        let done = Command::new("openssl")
            .args(words.split_whitespace())
            .current_dir(self.0.path())
            .output()
            .expect("openssl runs");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }

    /// Makes `name.pem` and `name.key`, signed by `ca`.
    fn sign(&self, ca: &str, name: &str) {
        self.openssl(&format!(
            "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /O=Example/CN={name} \
             -keyout {name}.key -out {name}.csr"
        ));
        self.openssl(&format!(
            "x509 -req -days 2 -in {name}.csr -CA {ca}.pem -CAkey {ca}.key -CAcreateserial \
             -extfile san -out {name}.pem"
        ));
    }

    /// Exit code and output of curl, which trusts `ca`.
    fn curl(&self, ca: &str, words: &str) -> (i32, String) {
        let done = Command::new("curl")
            .args(["-sS", "-m", "20", "--cacert", &format!("{ca}.pem")])
            .args(words.split_whitespace())
            .current_dir(self.0.path())
            .output()
            .expect("curl runs");
        let text = String::from_utf8_lossy(&done.stdout).into_owned();
        (done.status.code().unwrap_or(-1), text)
    }

    /// What the program says and its exit code, where it trusts `ca`.
    fn quipu(&self, ca: &str, words: &str) -> (i32, String) {
        let done = Command::new(env!("CARGO_BIN_EXE_quipu"))
            .args(words.split_whitespace())
            .env("QUIPU_CA", format!("{ca}.pem"))
            .current_dir(self.0.path())
            .output()
            .expect("the command runs");
        let mut text = String::from_utf8_lossy(&done.stdout).into_owned();
        text.push_str(&String::from_utf8_lossy(&done.stderr));
        (done.status.code().unwrap_or(-1), text)
    }

    fn serve(&self, more: &str) -> Server {
        let text =
            format!("server:\n  tls:\n    cert_file: server.pem\n    key_file: server.key\n{more}");
        let file = put(&self.0, "quipu.yml", &text);
        Server::start_on_with(Rc::clone(&self.0), &["--config", &file])
    }
}

#[test]
fn curl_speaks_both_versions_of_http_and_trusts_the_certificate() {
    let made = Certificates::new();
    made.sign("ca", "server");
    let server = made.serve("    min_version: 1.3\n");
    let url = &server.url;
    assert!(url.starts_with("https://"), "{url}");
    let version = "-o /dev/null -w %{http_code},%{http_version}";
    let (_, one) = made.curl("ca", &format!("--http1.1 {version} {url}/ready"));
    assert_eq!(one, "200,1.1");
    let (_, two) = made.curl("ca", &format!("--http2 {version} {url}/ready"));
    assert_eq!(two, "200,2");
    let (code, _) = made.curl("other", &format!("{url}/ready"));
    assert_eq!(code, 60, "who does not know the CA does not trust it");
    let (code, _) = made.curl("ca", &format!("--tls-max 1.2 {url}/ready"));
    assert_ne!(code, 0, "1.2 is too old here");
    let plain = url.replace("https://", "http://");
    let (code, _) = made.curl("ca", &format!("{plain}/ready"));
    assert_ne!(code, 0);
    assert_eq!(made.curl("ca", &format!("{url}/ready")).0, 0, "it goes on");
}

/// Import, question, export and backup over TLS; an authority that is not trusted ends each with the
/// exit code for servers that cannot be reached.
#[test]
fn verbs_that_ask_a_server_speak_tls() {
    let made = Certificates::new();
    made.sign("ca", "server");
    let server = made.serve("");
    let url = &server.url;
    put(&made.0, "rows.lp", "up,job=a value=1 1700000000\nup,job=a value=2 1700000015\n");
    let works = |words: &str| {
        let (code, text) = made.quipu("ca", words);
        assert_eq!(code, 0, "{words}: {text}");
        text
    };
    works(&format!("import lines rows.lp --precision s --to {url}"));
    let asked = works(&format!("query up_value --at 1700000015 --url {url} --format csv"));
    assert!(asked.contains(",2"), "{asked}");
    let rows = works(&format!("export --match up_value --url {url} --format csv"));
    assert_eq!(rows.lines().count(), 3, "{rows}");
    works(&format!("backup create --url {url} --to {}/backups", made.0.path()));
    // A server is a source, too.
    works(&format!("import victoriametrics {url} --data copy"));
    let copied = works("export --match up_value --data copy --format csv");
    assert_eq!(copied, rows);
    for words in ["query 1 --url", "export --match up_value --url", "import lines rows.lp --to"] {
        let (code, text) = made.quipu("other", &format!("{words} {url}"));
        assert!(code == 3 && text.contains("certificate"), "{words}: {code} {text}");
    }
    let plain = url.replace("https://", "http://");
    assert_eq!(made.quipu("ca", &format!("query 1 --url {plain}")).0, 3);
    let (code, text) = made.quipu("absent", &format!("query 1 --url {url}"));
    assert!(code == 2 && text.contains("QUIPU_CA"), "{text}");
}

/// A password in the URL goes into a header, and is not shown where the server says no.
#[test]
fn a_password_in_the_url_is_said_and_not_shown() {
    let made = Certificates::new();
    made.sign("ca", "server");
    put(&made.0, "hash", &quipu_reading(&["token", "hash-password"], "b@c\n"));
    let server = made
        .serve("access:\n  users:\n  - {name: ada, password_hash_file: hash, scopes: [read]}\n");
    let with = |user: &str| server.url.replace("https://", &format!("https://{user}@"));
    let (code, text) = made.quipu("ca", &format!("query 1 --url {}", with("ada:b%40c")));
    assert_eq!(code, 0, "{text}");
    let (code, text) = made.quipu("ca", &format!("query 1 --url {}", with("ada:wrong")));
    assert!(code == 1 && !text.contains("wrong"), "{code} {text}");
}

#[test]
fn a_certificate_is_exchanged_by_a_reload_and_a_wrong_one_is_not_taken() {
    let made = Certificates::new();
    made.sign("ca", "server");
    let server = made.serve("");
    let url = &server.url;
    let reload = |ca| made.curl(ca, &format!("-X POST {url}/-/reload"));
    assert_eq!(made.curl("ca", &format!("{url}/ready")).0, 0);
    put(&made.0, "server.pem", "nonsense");
    assert!(reload("ca").1.contains("no certificate"), "{:?}", reload("ca"));
    assert_eq!(made.curl("ca", &format!("{url}/ready")).0, 0);
    made.sign("other", "server");
    assert!(reload("ca").1.contains("success"));
    assert_eq!(made.curl("ca", &format!("{url}/ready")).0, 60);
    assert_eq!(made.curl("other", &format!("{url}/ready")).0, 0);
}

#[test]
fn a_client_is_known_by_its_certificate() {
    let made = Certificates::new();
    for name in ["server", "ada.example", "eve.example"] {
        made.sign("ca", name);
    }
    made.sign("other", "mallory");
    let server = made.serve(
        "    client_ca_file: ca.pem\naccess:\n  users:\n  \
         - {name: ada, certificate: ada.example, scopes: [read]}\n",
    );
    let url = format!("{}/api/v1/query?query=1", server.url);
    let (_, nobody) = made.curl("ca", &url);
    assert!(nobody.contains("who is asking?"), "{nobody}");
    let shown = |name: &str, more: &str| {
        made.curl("ca", &format!("--cert {name}.pem --key {name}.key {more}"))
    };
    assert!(shown("ada.example", &url).1.contains("success"));
    assert!(shown("eve.example", &url).1.contains("not known"));
    let write = format!("-X POST --data-binary m {}/write", server.url);
    assert!(shown("ada.example", &write).1.contains("no scope write"));
    assert_ne!(shown("mallory", &url).0, 0, "another CA's certificate ends the handshake");
}
