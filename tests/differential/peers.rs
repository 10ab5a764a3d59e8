//! A real Prometheus, and whoever is asked by HTTP.

use std::{
    fmt::Write as _,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use crate::node::Times;
use crate::shapes::Series;
use crate::value::Value;

/// No answer takes this long.
const PATIENCE: Duration = Duration::from_secs(30);

/// Prometheus with an empty database, which goes with it.
pub(crate) struct Prometheus {
    pub(crate) address: String,
    folder: PathBuf,
    child: Child,
}

/// The program of this name, where it is installed.
pub(crate) fn installed(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

impl Prometheus {
    #[expect(clippy::disallowed_methods, reason = "a test's own files, over real time")]
    pub(crate) fn start(program: &Path, number: usize) -> Self {
        let name = format!("prometheus-{}-{number}", std::process::id());
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("prometheus.yml"), "").unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let address = format!("127.0.0.1:{port}");
        let log = std::fs::File::create(folder.join("log")).unwrap();
        let child = Command::new(program)
            .arg(format!("--config.file={}", folder.join("prometheus.yml").display()))
            .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            // Rows of any time are taken, and stay where they are.
            .args([
                "--storage.tsdb.min-block-duration=10y",
                "--storage.tsdb.max-block-duration=10y",
            ])
            .args(["--storage.tsdb.retention.time=100y", "--web.enable-remote-write-receiver"])
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let started = Self { address, folder, child };
        for _ in 0..300 {
            std::thread::sleep(Duration::from_millis(50));
            if let Ok(mut client) = Client::connect(&started.address)
                && client.post("/-/ready", "GET", &[], b"").is_ok_and(|(status, _)| status == 200)
            {
                return started;
            }
        }
        panic!("Prometheus does not start: {}", started.folder.join("log").display());
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}

/// A connection that is kept.
pub(crate) struct Client {
    address: String,
    stream: BufReader<TcpStream>,
}

impl Client {
    pub(crate) fn connect(address: &str) -> std::io::Result<Self> {
        let address = address.trim_start_matches("http://").to_owned();
        let stream = TcpStream::connect(&address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Self { address, stream: BufReader::new(stream) })
    }

    pub(crate) fn ask(&mut self, text: &str, times: Times) -> Value {
        let seconds = |millis: i64| format!("{}.{:03}", millis / 1000, millis % 1000);
        let mut body = format!("query={}", escaped(text));
        let path = if times.step == 0 {
            let _ = write!(body, "&time={}", seconds(times.start));
            "/api/v1/query"
        } else {
            let (start, end, step) =
                (seconds(times.start), seconds(times.end), seconds(times.step));
            let _ = write!(body, "&start={start}&end={end}&step={step}");
            "/api/v1/query_range"
        };
        let form = ("content-type", "application/x-www-form-urlencoded");
        match self.post(path, "POST", &[form], body.as_bytes()) {
            Ok((_, body)) => Value::read(&body),
            Err(error) => panic!("{}: {text}: {error}", self.address),
        }
    }

    pub(crate) fn write(&mut self, all: &[Series]) {
        let body = snap::raw::Encoder::new().compress_vec(&remote_write(all)).unwrap();
        let headers = [
            ("content-type", "application/x-protobuf"),
            ("content-encoding", "snappy"),
            ("x-prometheus-remote-write-version", "0.1.0"),
        ];
        let (status, body) = self.post("/api/v1/write", "POST", &headers, &body).unwrap();
        assert!(status / 100 == 2, "{status}: {}", String::from_utf8_lossy(&body));
    }

    fn post(
        &mut self,
        path: &str,
        method: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> std::io::Result<(u16, Vec<u8>)> {
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\ncontent-length: {}\r\n",
            self.address,
            body.len()
        );
        for (name, value) in headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        head.push_str("\r\n");
        self.stream.get_mut().write_all(&[head.as_bytes(), body].concat())?;
        self.answer()
    }

    fn answer(&mut self) -> std::io::Result<(u16, Vec<u8>)> {
        let status = self.line()?.split(' ').nth(1).and_then(|it| it.parse().ok()).unwrap_or(0);
        let (mut length, mut is_chunked) = (0, false);
        loop {
            let line = self.line()?.to_lowercase();
            if line.is_empty() {
                break;
            }
            match line.split_once(": ") {
                Some(("content-length", value)) => length = value.parse().unwrap_or(0),
                Some(("transfer-encoding", "chunked")) => is_chunked = true,
                _ => {}
            }
        }
        let mut body = Vec::new();
        while is_chunked {
            let line = self.line()?;
            let count = u64::from_str_radix(line.trim(), 16).unwrap_or(0);
            (&mut self.stream).take(count).read_to_end(&mut body)?;
            self.line()?;
            is_chunked = count > 0;
        }
        (&mut self.stream).take(length).read_to_end(&mut body)?;
        Ok((status, body))
    }

    fn line(&mut self) -> std::io::Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end().to_owned())
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// A message of remote write 1.
fn remote_write(all: &[Series]) -> Vec<u8> {
    let mut message = Vec::new();
    for series in all {
        let mut inner = Vec::new();
        for (name, value) in &series.labels {
            let mut label = Vec::new();
            field(1, name.as_bytes(), &mut label);
            field(2, value.as_bytes(), &mut label);
            field(1, &label, &mut inner);
        }
        for (time, value) in &series.rows {
            let mut sample = vec![0x09];
            sample.extend(value.to_le_bytes());
            sample.push(0x10);
            varint(time.unsigned_abs(), &mut sample);
            field(2, &sample, &mut inner);
        }
        field(1, &inner, &mut message);
    }
    message
}

fn field(number: u8, bytes: &[u8], out: &mut Vec<u8>) {
    out.push(number << 3 | 2);
    varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

fn varint(mut number: u64, out: &mut Vec<u8>) {
    while number > 127 {
        out.push((number & 127) as u8 | 128);
        number >>= 7;
    }
    out.push(number as u8);
}
