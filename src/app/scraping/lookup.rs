//! Targets from the domain name system.

use std::path::Path;

use super::paths::Tree;
use crate::collect::scrape::{DnsConfig, RecordType};
use crate::model::LabelBuilder;
use crate::net::dns::{Kind, Record, Resolver, Servers};

/// Where the machine's name servers stand.
const SERVERS: &str = "/etc/resolv.conf";
const SERVERS_BYTES_MAX: u64 = 1 << 20;

/// The targets that `name` leads to.
pub(super) async fn look_up(
    files: &Tree,
    config: &DnsConfig,
    name: &str,
) -> Result<Vec<LabelBuilder>, String> {
    // Read each time: machines move from network to network.
    let text = files.read(Path::new(SERVERS), SERVERS_BYTES_MAX);
    let text = text.map_err(|error| format!("cannot read {SERVERS}: {error}"))?;
    let resolver = Resolver::new(Servers::read(&String::from_utf8_lossy(&text)));
    let records = resolver.look_up(name, kind(config.record)).await;
    let records = records.map_err(|error| error.to_string())?;
    Ok(records.iter().map(|record| labels(record, config.port, name)).collect())
}

fn kind(record: RecordType) -> Kind {
    match record {
        RecordType::A => Kind::A,
        RecordType::Aaaa => Kind::Aaaa,
        RecordType::Srv => Kind::Srv,
        RecordType::Mx => Kind::Mx,
        RecordType::Ns => Kind::Ns,
    }
}

fn labels(record: &Record, port: u16, name: &str) -> LabelBuilder {
    let mut labels = LabelBuilder::from_pairs([("__meta_dns_name", name)]);
    let host = |name: &str, port: u16| format!("{}:{port}", name.trim_end_matches('.'));
    let address = match record {
        Record::A(address) => format!("{address}:{port}"),
        Record::Aaaa(address) => format!("[{address}]:{port}"),
        Record::Srv { target, port } => {
            labels.set("__meta_dns_srv_record_target", target.as_str());
            labels.set("__meta_dns_srv_record_port", port.to_string());
            host(target, *port)
        }
        Record::Mx(server) => {
            labels.set("__meta_dns_mx_record_target", server.as_str());
            host(server, port)
        }
        Record::Ns(server) => {
            labels.set("__meta_dns_ns_record_target", server.as_str());
            host(server, port)
        }
    };
    labels.set("__address__", address);
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_become_addresses() {
        let check = |record: Record, expected: &str| {
            assert_eq!(labels(&record, 80, "n").labels().to_string(), expected);
        };
        check(
            Record::Srv { target: "h.a.".into(), port: 7 },
            r#"{__address__="h.a:7", __meta_dns_name="n", __meta_dns_srv_record_port="7", __meta_dns_srv_record_target="h.a."}"#,
        );
        check(
            Record::Aaaa("::1".parse().unwrap()),
            r#"{__address__="[::1]:80", __meta_dns_name="n"}"#,
        );
        check(
            Record::Mx("m.".into()),
            r#"{__address__="m:80", __meta_dns_mx_record_target="m.", __meta_dns_name="n"}"#,
        );
    }
}
