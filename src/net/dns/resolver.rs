//! Asks name servers.

use std::{
    hash::{BuildHasher, RandomState},
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, UdpSocket},
    time::timeout,
};

use super::message::{Kind, Malformed, Record, Response, question, read};
use super::system::Servers;

/// How long one server has, each time.
const SERVER_TIME_MAX: Duration = Duration::from_secs(5);

/// What fits into a datagram without a word about larger ones.
const DATAGRAM_BYTES_MAX: usize = 4096;

/// The code for a name that does not exist.
const NO_SUCH_NAME: u8 = 3;

/// Why a name could not be looked up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DnsError {
    /// It is no name.
    #[error("{0:?} is no name")]
    Name(String),
    /// No server gave an answer that says anything.
    #[error("could not resolve {name:?}: {why}")]
    Unanswered {
        /// The name.
        name: String,
        /// What the last server did.
        why: String,
    },
}

/// Looks up records.
#[derive(Clone, Debug)]
pub struct Resolver {
    servers: Servers,
}

impl Resolver {
    /// One that asks these.
    pub fn new(servers: Servers) -> Self {
        Self { servers }
    }

    /// The records of `name`; none where there is no such name.
    ///
    /// # Errors
    /// Where no server says.
    pub async fn look_up(&self, name: &str, kind: Kind) -> Result<Vec<Record>, DnsError> {
        let mut last = None;
        for name in self.servers.names(name) {
            match self.ask_all(&name, kind).await {
                Ok(response) if !response.records.is_empty() => return Ok(response.records),
                Ok(_) => {}
                Err(error) => last = Some(error),
            }
        }
        last.map_or_else(|| Ok(Vec::new()), Err)
    }

    async fn ask_all(&self, name: &str, kind: Kind) -> Result<Response, DnsError> {
        let asked =
            question(random(name), name, kind).ok_or_else(|| DnsError::Name(name.to_owned()))?;
        let mut why = String::new();
        for server in &self.servers.servers {
            match timeout(SERVER_TIME_MAX, ask(*server, &asked, kind)).await {
                Ok(Ok(response)) if matches!(response.code, 0 | NO_SUCH_NAME) => {
                    return Ok(response);
                }
                Ok(Ok(response)) => why = format!("{server} answers with code {}", response.code),
                Ok(Err(error)) => why = format!("{server}: {error}"),
                Err(_) => why = format!("{server} does not answer"),
            }
        }
        Err(DnsError::Unanswered { name: name.to_owned(), why })
    }
}

/// Numbers that a stranger does not guess: std's keyed hash.
fn random(name: &str) -> u16 {
    let hash = RandomState::new().hash_one(name).to_le_bytes();
    u16::from_le_bytes([hash[0], hash[1]])
}

fn malformed(error: Malformed) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

async fn ask(server: SocketAddr, asked: &[u8], kind: Kind) -> io::Result<Response> {
    let any = if server.is_ipv4() {
        SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0))
    } else {
        SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0))
    };
    let socket = UdpSocket::bind(any).await?;
    socket.connect(server).await?;
    socket.send(asked).await?;
    let mut bytes = vec![0; DATAGRAM_BYTES_MAX];
    loop {
        let size = socket.recv(&mut bytes).await?;
        match read(bytes.get(..size).unwrap_or_default(), asked, kind) {
            // Forged or late: the answer may still come.
            Err(Malformed::Stranger) => {}
            Ok(response) if response.is_cut => return ask_tcp(server, asked, kind).await,
            read => return read.map_err(malformed),
        }
    }
}

async fn ask_tcp(server: SocketAddr, asked: &[u8], kind: Kind) -> io::Result<Response> {
    let mut stream = TcpStream::connect(server).await?;
    let size = u16::try_from(asked.len()).map_err(io::Error::other)?;
    stream.write_all(&[&size.to_be_bytes()[..], asked].concat()).await?;
    let size = usize::from(stream.read_u16().await?);
    let mut bytes = vec![0; size];
    stream.read_exact(&mut bytes).await?;
    read(&bytes, asked, kind).map_err(malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that answers each question with one address, in a datagram marked as cut, and with
    /// two over TCP.
    async fn server() -> SocketAddr {
        let tcp = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = tcp.local_addr().unwrap();
        let udp = UdpSocket::bind(address).await.unwrap();
        tokio::spawn(async move {
            let mut bytes = [0; 512];
            while let Ok((size, from)) = udp.recv_from(&mut bytes).await {
                let answer = answer(&bytes[..size], 1, 0x0200);
                udp.send_to(&answer, from).await.unwrap();
            }
        });
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = tcp.accept().await {
                let size = stream.read_u16().await.unwrap();
                let mut asked = vec![0; usize::from(size)];
                stream.read_exact(&mut asked).await.unwrap();
                let answer = answer(&asked, 2, 0);
                let size = u16::try_from(answer.len()).unwrap().to_be_bytes();
                stream.write_all(&[&size[..], &answer].concat()).await.unwrap();
            }
        });
        address
    }

    fn answer(asked: &[u8], count: u8, flags: u16) -> Vec<u8> {
        let mut out = asked.to_vec();
        let missing = asked[12..].starts_with(b"\x04gone");
        let code = if missing { 3 } else { 0 };
        out[2..4].copy_from_slice(&(0x8180 | flags | code).to_be_bytes());
        if missing {
            return out;
        }
        out[7] = count;
        for last in 0..count {
            out.extend_from_slice(&[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 10, 0, 0, last]);
        }
        out
    }

    #[tokio::test]
    async fn a_cut_answer_is_asked_for_again_over_tcp() {
        let servers = vec![server().await];
        let resolver = Resolver::new(Servers { servers, search: Vec::new(), dots: 1 });
        let found = resolver.look_up("here.example", Kind::A).await.unwrap();
        assert_eq!(found, [0, 1].map(|last| Record::A([10, 0, 0, last].into())));
        assert_eq!(resolver.look_up("gone.example", Kind::A).await.unwrap(), []);
        assert!(resolver.look_up("a..b", Kind::A).await.is_err());
    }
}
