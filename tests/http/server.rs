//! The real server on a port of its own, and a client that hides nothing.

#![expect(clippy::expect_used, reason = "what cannot be is a failed test")]

use std::{
    fmt::Write as _,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::PathBuf,
    process::{Child, Command, Stdio},
    rc::Rc,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

/// No answer takes this long; a hanging test says so.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Server {
    pub(crate) url: String,
    data: Rc<Folder>,
    child: Child,
}

/// A folder that goes with the last who has it.
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// One that nobody else has; it is not there yet.
    pub(crate) fn next() -> Rc<Self> {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("http-{}-{number}", std::process::id());
        Rc::new(Self(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name)))
    }

    pub(crate) fn path(&self) -> &str {
        self.0.to_str().expect("our own names are text")
    }

    /// A copy of what is there now.
    pub(crate) fn copied(&self) -> Self {
        let to = self.0.with_extension("copy");
        let told = Command::new("cp").arg("-r").arg(&self.0).arg(&to).status().expect("cp runs");
        assert!(told.success());
        Self(to)
    }

    /// Runs a command of the program under test.
    pub(crate) fn quipu(&self, words: &[&str]) -> Ended {
        self.quipu_with_environment(words, &[])
    }

    /// The same with some variables set.
    #[expect(clippy::unused_self, reason = "whoever asks has its folder still")]
    pub(crate) fn quipu_with_environment(
        &self,
        words: &[&str],
        environment: &[(&str, String)],
    ) -> Ended {
        let output = Command::new(env!("CARGO_BIN_EXE_quipu"))
            .args(words)
            .envs(environment.iter().map(|(name, value)| (*name, value.as_str())))
            .current_dir(env!("CARGO_TARGET_TMPDIR"))
            .stdin(Stdio::null())
            .output()
            .expect("the command runs");
        let text = |bytes| String::from_utf8(bytes).expect("text");
        let code = output.status.code().expect("no signal ended it");
        Ended { code, stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What a failed test left is worth a look.
        if !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) status: u16,
    pub(crate) body: String,
    /// Bytes of the body as they came.
    pub(crate) bytes: usize,
    headers: Vec<(String, String)>,
}

impl Got {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(there, _)| there == name).map(|(_, value)| value.as_str())
    }
}

/// What a command left.
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Server {
    /// An empty one.
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// An empty one with more words on its command line.
    pub(crate) fn start_with(words: &[&str]) -> Self {
        Self::start_on_with(Folder::next(), words)
    }

    /// One on a folder that is there; it goes with the server.
    pub(crate) fn start_at(folder: &std::path::Path) -> Self {
        Self::start_on(Rc::new(Folder(folder.to_owned())))
    }

    fn start_on(data: Rc<Folder>) -> Self {
        Self::start_on_with(data, &[])
    }

    pub(crate) fn start_on_with(data: Rc<Folder>, words: &[&str]) -> Self {
        Self::start_on_with_environment(data, words, &[])
    }

    /// An empty one with some variables set.
    pub(crate) fn start_with_environment(words: &[&str], environment: &[(&str, String)]) -> Self {
        Self::start_on_with_environment(Folder::next(), words, environment)
    }

    pub(crate) fn start_on_with_environment(
        data: Rc<Folder>,
        words: &[&str],
        environment: &[(&str, String)],
    ) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_quipu"))
            .args(["serve", "--data"])
            .arg(&data.0)
            .args(if words.contains(&"--listen") { &[][..] } else { &["--listen", "127.0.0.1:0"] })
            .args(words)
            .envs(environment.iter().map(|(name, value)| (*name, value.as_str())))
            .stderr(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let mut told = BufReader::new(child.stderr.take().expect("standard error is a pipe"));
        let mut log = String::new();
        let url = loop {
            let start = log.len();
            let count = told.read_line(&mut log).expect("the server's talk is text");
            assert!(count > 0, "the server ended: {log}");
            if let Some((_, url)) = log.get(start..).and_then(|line| line.split_once("listening")) {
                break url.trim().to_owned();
            }
        };
        // Read on, so that the server never waits for us.
        std::thread::spawn(move || std::io::copy(&mut told, &mut std::io::sink()));
        Self { url, data, child }
    }

    /// Asks it to end, and starts another on its data.
    pub(crate) fn restart_politely(self) -> Self {
        Self::start_on(self.stop())
    }

    /// Asks it to end; what it leaves.
    pub(crate) fn stop(mut self) -> Rc<Folder> {
        self.signal("-TERM");
        let ended = self.child.wait().expect("the server ends");
        assert!(ended.success(), "{ended}");
        Rc::clone(&self.data)
    }

    pub(crate) fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        let told = Command::new("kill").args([signal, &pid]).status().expect("kill runs");
        assert!(told.success());
    }

    /// Ends it at once, and starts another on its data.
    pub(crate) fn restart_after_kill(mut self) -> Self {
        self.child.kill().expect("the server can be killed");
        self.child.wait().expect("the server ends");
        Self::start_on(Rc::clone(&self.data))
    }

    /// The same with words and variables.
    pub(crate) fn restart_after_kill_with(
        mut self,
        words: &[&str],
        environment: &[(&str, String)],
    ) -> Self {
        self.child.kill().expect("the server can be killed");
        self.child.wait().expect("the server ends");
        Self::start_on_with_environment(Rc::clone(&self.data), words, environment)
    }

    pub(crate) fn data(&self) -> &str {
        self.data.path()
    }

    pub(crate) fn folder(&self) -> Rc<Folder> {
        Rc::clone(&self.data)
    }

    /// Runs another command of the same program.
    pub(crate) fn quipu(&self, words: &[&str]) -> Ended {
        self.data.quipu(words)
    }

    pub(crate) fn get(&self, path: &str) -> Got {
        self.client().get(path)
    }

    pub(crate) fn post(&self, path: &str, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Got {
        self.send("POST", path, headers, body.as_ref())
    }

    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Got {
        self.client().send(method, path, headers, body)
    }

    pub(crate) fn raw(&self, bytes: &[u8]) -> Got {
        self.client().raw(bytes)
    }

    /// A client that may go to another thread.
    pub(crate) fn client(&self) -> Client {
        Client(self.url.clone())
    }
}

/// Who asks a server.
pub(crate) struct Client(String);

impl Client {
    pub(crate) fn get(&self, path: &str) -> Got {
        self.send("GET", path, &[], b"")
    }

    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Got {
        // Version 1.0 has neither chunks nor kept connections: the answer ends where the bytes do.
        let mut head = format!("{method} {path} HTTP/1.0\r\ncontent-length: {}\r\n", body.len());
        if headers.iter().all(|(name, _)| *name != "host") {
            let host = self.0.trim_start_matches("http://");
            write!(head, "host: {host}\r\n").expect("text can be written");
        }
        for (name, value) in headers {
            write!(head, "{name}: {value}\r\n").expect("text can be written");
        }
        head.push_str("\r\n");
        self.raw(&[head.as_bytes(), body].concat())
    }

    /// Sends bytes as they are, and reads to the end of the connection, which the server closes.
    /// Our side stays open: closing it would mean that nobody waits for the answer.
    pub(crate) fn raw(&self, bytes: &[u8]) -> Got {
        let address = self.0.trim_start_matches("http://");
        let mut stream = TcpStream::connect(address).expect("the server listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout can be set");
        stream.write_all(bytes).expect("the server reads");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("the server answers");
        parse(&answer)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn parse(answer: &[u8]) -> Got {
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").expect("a head") + 4;
    let (head, body) = answer.split_at(end);
    let head = String::from_utf8_lossy(head);
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).expect("a status");
    let headers = lines.filter_map(|line| line.split_once(": "));
    Got {
        status: status.parse().expect("a number"),
        body: String::from_utf8_lossy(body).into_owned(),
        bytes: body.len(),
        headers: headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect(),
    }
}

/// A message of remote write 1 with one series, in snappy's literal form.
pub(crate) fn remote_write(name: &str, job: &str, samples: &[(i64, f64)]) -> Vec<u8> {
    let label = |name: &str, value: &str| {
        field(1, &[field(1, name.as_bytes()), field(2, value.as_bytes())].concat())
    };
    let mut series = [label("__name__", name), label("job", job)].concat();
    for (time, value) in samples {
        let mut sample = vec![0x09];
        sample.extend(value.to_le_bytes());
        sample.push(0x10);
        sample.extend(varint(u64::try_from(*time).expect("after 1970")));
        series.extend(field(2, &sample));
    }
    let message = field(1, &series);
    let length = u16::try_from(message.len() - 1).expect("a small message").to_le_bytes();
    [varint(message.len() as u64), vec![61 << 2], length.to_vec(), message].concat()
}

/// A snappy block that says it holds so many bytes.
pub(crate) fn snappy_claiming(length: u64) -> Vec<u8> {
    [varint(length), vec![0, b'x']].concat()
}

fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    [vec![number << 3 | 2], varint(bytes.len() as u64), bytes.to_vec()].concat()
}

fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number > 127 {
        bytes.push(u8::try_from(number & 127).expect("seven bits") | 128);
        number >>= 7;
    }
    bytes.push(u8::try_from(number).expect("seven bits"));
    bytes
}
