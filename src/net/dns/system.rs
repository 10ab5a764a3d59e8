//! Whom the machine asks: the text of `/etc/resolv.conf`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Name servers and what is tried behind short names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Servers {
    /// Asked one after the other.
    pub servers: Vec<SocketAddr>,
    /// Tried behind names of few dots.
    pub search: Vec<String>,
    /// Names of so many dots are tried as they are first.
    pub dots: usize,
}

const PORT: u16 = 53;

impl Servers {
    /// Reads the text of `/etc/resolv.conf`; lines that mean nothing are passed over.
    pub fn read(text: &str) -> Self {
        let mut read = Self { servers: Vec::new(), search: Vec::new(), dots: 1 };
        for line in text.lines() {
            let mut words = line.split_ascii_whitespace();
            match words.next() {
                Some("nameserver") => {
                    let address = words.next().and_then(|word| word.parse::<IpAddr>().ok());
                    read.servers.extend(address.map(|address| SocketAddr::new(address, PORT)));
                }
                Some("search" | "domain") => read.search = words.map(str::to_owned).collect(),
                Some("options") => {
                    let dots = words.filter_map(|word| word.strip_prefix("ndots:")).next_back();
                    read.dots = dots.and_then(|dots| dots.parse().ok()).unwrap_or(read.dots);
                }
                _ => {}
            }
        }
        if read.servers.is_empty() {
            read.servers.push(SocketAddr::from((Ipv4Addr::LOCALHOST, PORT)));
        }
        read
    }

    /// The whole names that `name` may stand for, in the order they are tried.
    pub(super) fn names(&self, name: &str) -> Vec<String> {
        if name.ends_with('.') {
            return vec![name.to_owned()];
        }
        let searched = self.search.iter().map(|domain| format!("{name}.{domain}"));
        let mut names: Vec<String> = searched.collect();
        let at = if name.matches('.').count() >= self.dots { 0 } else { names.len() };
        names.insert(at, name.to_owned());
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_are_searched_for() {
        let text = "# x\nnameserver 10.0.0.2\nnameserver ::1\nsearch a.b c.d\noptions ndots:2 x\n";
        let servers = Servers::read(text);
        assert_eq!(servers.servers, ["10.0.0.2:53".parse().unwrap(), "[::1]:53".parse().unwrap()]);
        assert_eq!(servers.names("x.y"), ["x.y.a.b", "x.y.c.d", "x.y"]);
        assert_eq!(servers.names("x.y.z"), ["x.y.z", "x.y.z.a.b", "x.y.z.c.d"]);
        assert_eq!(servers.names("x."), ["x."]);
        assert_eq!(Servers::read("").servers, ["127.0.0.1:53".parse().unwrap()]);
    }
}
