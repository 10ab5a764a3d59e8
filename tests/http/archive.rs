//! Old blocks of the real server in an archive: a directory, and a bucket of moto's.

use std::{
    fmt::Write as _,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use super::{FORM, ok, server::Server};

const DAY_MS: u64 = 86_400_000;
/// As long as an upload may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Some rows of each of the last five days; how many.
fn five_days(server: &Server) -> u64 {
    let now = jiff::Timestamp::now().as_millisecond().unsigned_abs();
    let mut lines = String::new();
    for day in 0..5 {
        for n in 0..300_u64 {
            let time = now - day * DAY_MS - n * 1000;
            writeln!(lines, "room,n={} warmth={}.25 {time}", n % 10, n * 7 + day).unwrap();
        }
    }
    assert_eq!(server.post("/write?precision=ms", &[], lines).status, 204);
    ok(&server.post("/api/v1/admin/flush", FORM, ""), "success");
    1500
}

fn sum(server: &Server) -> String {
    let asked = "sum(sum_over_time(room_warmth[6d]))";
    let got = server.get(&format!("/api/v1/query?query={asked}"));
    assert_eq!(got.status, 200, "{}", got.body);
    got.body.split("\"value\":[").nth(1).unwrap().split(',').nth(1).unwrap().to_owned()
}

fn metric(server: &Server, name: &str) -> f64 {
    let metrics = server.get("/metrics").body;
    let line = metrics.lines().find(|line| line.starts_with(&format!("{name} ")));
    line.map_or(0.0, |line| line.rsplit(' ').next().unwrap().parse().unwrap())
}

fn wait_for_blocks(server: &Server, count: f64) {
    let began = Instant::now();
    while metric(server, "quipu_archive_blocks") < count {
        assert!(began.elapsed() < PATIENCE, "{}", server.get("/metrics").body);
        sleep(Duration::from_millis(100));
    }
}

fn words(place: &str) -> [&str; 8] {
    [
        "--archive-to",
        place,
        "--archive-after",
        "1h",
        "--archive-timeout",
        "3s",
        "--archive-cache",
        "4MiB",
    ]
}

/// The whole life of archived blocks at a place; `cut` ends what serves it, if it can be ended.
fn lives_at(place: &str, environment: &[(&str, String)], cut: impl FnOnce()) {
    let server = Server::start_with_environment(&words(place), environment);
    five_days(&server);
    let before = sum(&server);
    wait_for_blocks(&server, 3.0);
    assert_eq!(sum(&server), before, "from the archive");
    assert!(metric(&server, "quipu_archive_reads_total") > 0.0);
    ok(&server.get("/api/quipu/v1/storage"), "\"archived\"");

    // A kill, and a start that finds all again.
    let server = server.restart_after_kill_with(&words(place), environment);
    assert_eq!(metric(&server, "quipu_archive_reads_total"), 0.0);
    assert_eq!(sum(&server), before, "after a kill");
    let data = server.data().to_owned();
    let folder = server.stop();
    let seen = folder.quipu(&["inspect", "blocks", "--data", &data, "--format", "csv"]);
    assert!(seen.stdout.contains(",archived,"), "{}{}", seen.stdout, seen.stderr);
    let unread = folder.quipu(&["verify", "--data", &data, "--deep"]);
    assert!(unread.code == 0 && unread.stderr.contains("name it with --archive"));
    let verify = ["verify", "--data", &data, "--deep", "--archive", place];
    let read = folder.quipu_with_environment(&verify, environment);
    assert!(read.code == 0 && !read.stderr.contains("note:"), "{}{}", read.stdout, read.stderr);

    // A backup has it all, and is restored without the archive.
    let backups = format!("{data}-backups");
    let create = ["backup", "create", "--data", &data, "--to", &backups, "--archive", place];
    let made = folder.quipu_with_environment(&create, environment);
    assert_eq!(made.code, 0, "{}", made.stderr);
    let restored = format!("{data}-restored");
    let done = folder.quipu(&["restore", "--from", &backups, "--data", &restored]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    let other = Server::start_at(std::path::Path::new(&restored));
    assert_eq!(sum(&other), before, "restored");
    drop(other);
    std::fs::remove_dir_all(&backups).unwrap();

    // Away: an error with its name, and what is recent as ever.
    let server = Server::start_on_with_environment(folder, &words(place), environment);
    cut();
    let got = server.get("/api/v1/query?query=sum(sum_over_time(room_warmth[6d]))");
    assert!(got.status >= 400 && got.body.contains("of the archive"), "{}", got.body);
    let got = server.get("/api/v1/query?query=count(room_warmth)");
    ok(&got, "\"10\"");
}

#[test]
fn in_a_directory() {
    let place = format!("{}/archive-{}", env!("CARGO_TARGET_TMPDIR"), std::process::id());
    let gone = format!("{place}-gone");
    lives_at(&place, &[], || std::fs::rename(&place, &gone).unwrap());
    std::fs::remove_dir_all(&gone).unwrap();
}

/// moto's S3 server with a bucket.
struct Moto(Child, u16);

impl Moto {
    /// None where it is not installed: `pip install 'moto[server]'`.
    fn start() -> Option<Self> {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new("moto_server")
            .args(["-H", "127.0.0.1", "-p", &port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let moto = Self(child, port);
        let put = "PUT /attic HTTP/1.0\r\nhost: 127.0.0.1\r\ncontent-length: 0\r\n\
            authorization: AWS4-HMAC-SHA256 Credential=k/20260101/us-east-1/s3/aws4_request, \
            SignedHeaders=host, Signature=0\r\n\r\n";
        let began = Instant::now();
        loop {
            let asked = TcpStream::connect(("127.0.0.1", port)).and_then(|mut stream| {
                stream.write_all(put.as_bytes())?;
                let mut answer = String::new();
                stream.read_to_string(&mut answer)?;
                Ok(answer)
            });
            if asked.is_ok_and(|answer| answer.contains(" 200 ")) {
                return Some(moto);
            }
            assert!(began.elapsed() < PATIENCE, "moto_server does not answer");
            sleep(Duration::from_millis(100));
        }
    }

    fn end(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[test]
fn in_a_bucket() {
    let Some(mut moto) = Moto::start() else {
        assert!(std::env::var_os("CI").is_none(), "moto_server is not installed");
        eprintln!("skipped: moto_server is not installed, pip install 'moto[server]'");
        return;
    };
    let environment = [
        ("AWS_ACCESS_KEY_ID", "k".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "s".to_owned()),
        ("AWS_REGION", "us-east-1".to_owned()),
        ("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{}", moto.1)),
        ("AWS_ALLOW_HTTP", "true".to_owned()),
    ];
    lives_at("s3://attic/quipu", &environment, || moto.end());
}
