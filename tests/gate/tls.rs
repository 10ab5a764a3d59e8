//! TLS, by curl, with certificates that openssl makes.

use std::{process::Command, rc::Rc};

use super::{Folder, Server, put};

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
