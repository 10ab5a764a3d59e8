//! Protocols and sockets: `/proc/net/netstat`, `snmp`, `snmp6`, `sockstat`, `softnet_stat`.

use crate::collect::samples::Samples;
use crate::collect::text::Text;
use crate::collect::{Error, Machine};

/// What `node_exporter` keeps of the hundreds of counters, by protocol.
const KEPT: &[(&str, &[&str])] = &[
    ("Ip", &["Forwarding"]),
    ("IpExt", &["InOctets", "OutOctets"]),
    ("Ip6", &["InOctets", "OutOctets"]),
    ("Icmp", &["InMsgs", "OutMsgs"]),
    ("Icmp6", &["InMsgs", "OutMsgs"]),
    ("TcpExt", &["TCPSynRetrans", "TCPTimeouts", "TCPOFOQueue", "TCPRcvQDrop"]),
    (
        "Tcp",
        &[
            "ActiveOpens",
            "InSegs",
            "OutSegs",
            "OutRsts",
            "PassiveOpens",
            "RetransSegs",
            "CurrEstab",
        ],
    ),
    ("Udp", &["InDatagrams", "OutDatagrams", "NoPorts", "RcvbufErrors", "SndbufErrors"]),
    ("Udp6", &["InDatagrams", "OutDatagrams", "NoPorts", "RcvbufErrors", "SndbufErrors"]),
];

fn is_kept(protocol: &str, name: &str) -> bool {
    let is_error = name.ends_with("InErrors") || name.ends_with("InErrs");
    let is_listening =
        protocol == "TcpExt" && (name.starts_with("Listen") || name.starts_with("Syncookies"));
    let listed = KEPT.iter().find(|(it, _)| *it == protocol);
    is_error || is_listening || listed.is_some_and(|(_, names)| names.contains(&name))
}

pub(super) fn netstat(machine: &dyn Machine, out: &mut Samples) -> Result<(), Error> {
    parse_tables(&Text::read(machine, "proc/net/netstat")?, out)?;
    parse_tables(&Text::read(machine, "proc/net/snmp")?, out)?;
    // A kernel without IPv6 has no such file.
    Text::read(machine, "proc/net/snmp6").map_or(Ok(()), |text| parse_snmp6(&text, out))
}

/// Pairs of lines: names after the protocol, then values.
fn parse_tables(text: &Text, out: &mut Samples) -> Result<(), Error> {
    let mut lines = text.lines();
    while let (Some(names), Some(values)) = (lines.next(), lines.next()) {
        let (protocol, names) = names.split(':')?;
        let (again, counts) = values.split(':')?;
        if again != protocol {
            return Err(values.malformed("values of the protocol of the line before"));
        }
        for (name, value) in names.fields().zip(counts.numbers(0)?) {
            emit(protocol, name, value, out);
        }
    }
    Ok(())
}

/// One name and value a line; the name begins with its protocol, which ends with 6.
fn parse_snmp6(text: &Text, out: &mut Samples) -> Result<(), Error> {
    for line in text.lines() {
        let (protocol, name) = line.field(0)?.split_once('6').unwrap_or_default();
        emit(&format!("{protocol}6"), name, line.number(1)?, out);
    }
    Ok(())
}

fn emit(protocol: &str, name: &str, value: f64, out: &mut Samples) {
    if is_kept(protocol, name) {
        let help = format!("Statistic {protocol}{name}.");
        out.unknown(&format!("node_netstat_{protocol}_{name}"), &help).value(value);
    }
}

pub(super) fn sockstat(
    machine: &dyn Machine,
    page_bytes: f64,
    out: &mut Samples,
) -> Result<(), Error> {
    parse_sockstat(&Text::read(machine, "proc/net/sockstat")?, page_bytes, out)?;
    Text::read(machine, "proc/net/sockstat6")
        .map_or(Ok(()), |text| parse_sockstat(&text, page_bytes, out))
}

fn parse_sockstat(text: &Text, page_bytes: f64, out: &mut Samples) -> Result<(), Error> {
    for line in text.lines() {
        let (protocol, pairs) = line.split(':')?;
        let words: Vec<&str> = pairs.fields().collect();
        for pair in words.chunks_exact(2) {
            let [name, value] = pair else { continue };
            let value = line.parse(value)?;
            let help = format!("Number of {protocol} sockets in state {name}.");
            out.gauge(&format!("node_sockstat_{protocol}_{name}"), &help).value(value);
            if *name == "mem" {
                let name = format!("node_sockstat_{protocol}_mem_bytes");
                let help = format!("Number of {protocol} sockets in state mem_bytes.");
                out.gauge(&name, &help).value(value * page_bytes);
            }
        }
    }
    Ok(())
}

/// Columns of `softnet_stat`, in hexadecimal, a line a processor: which, metric, help.
const SOFTNET: [(usize, &str, &str); 5] = [
    (0, "processed_total", "Number of processed packets"),
    (1, "dropped_total", "Number of dropped packets"),
    (2, "times_squeezed_total", "Number of times processing packets ran out of quota"),
    (9, "received_rps_total", "Number of times cpu woken up received_rps"),
    (10, "flow_limit_count_total", "Number of times flow limit has been reached"),
];
/// The column that names the processor; kernels before 5.14 have none, and one line each.
const SOFTNET_CPU: usize = 12;

pub(super) fn softnet(machine: &dyn Machine, out: &mut Samples) -> Result<(), Error> {
    parse_softnet(&Text::read(machine, "proc/net/softnet_stat")?, out)
}

fn parse_softnet(text: &Text, out: &mut Samples) -> Result<(), Error> {
    let mut cpus = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let read = |word| u32::from_str_radix(word, 16).map_err(|_| line.malformed("hexadecimal"));
        let counts = line.fields().map(read).collect::<Result<Vec<u32>, Error>>()?;
        let cpu = counts.get(SOFTNET_CPU).map_or_else(|| index.to_string(), u32::to_string);
        cpus.push((cpu, counts));
    }
    for (column, name, help) in SOFTNET {
        out.counter(&format!("node_softnet_{name}"), help);
        for (cpu, counts) in &cpus {
            if let Some(count) = counts.get(column) {
                out.row(&[("cpu", cpu)], f64::from(*count));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::samples::shown::check;

    #[test]
    fn names_and_values_of_two_lines_are_joined() {
        let text = "\
TcpExt: SyncookiesSent PruneCalled ListenDrops TCPTimeouts
TcpExt: 1 2 3 4
IpExt: InNoRoutes InOctets
IpExt: 5 6
Tcp: RtoAlgorithm MaxConn CurrEstab InErrs
Tcp: 1 -1 7 8
";
        let mut out = Samples::default();
        parse_tables(&Text::new("proc/net/netstat", text), &mut out).unwrap();
        let expected = [
            "node_netstat_TcpExt_SyncookiesSent 1",
            "node_netstat_TcpExt_ListenDrops 3",
            "node_netstat_TcpExt_TCPTimeouts 4",
            "node_netstat_IpExt_InOctets 6",
            "node_netstat_Tcp_CurrEstab 7",
            "node_netstat_Tcp_InErrs 8",
        ];
        check(&out, 6, &expected);
    }

    #[test]
    fn lines_that_do_not_belong_together_are_an_error() {
        let text = Text::new("proc/net/snmp", "Ip: Forwarding\nTcp: 1\n");
        let error = parse_tables(&text, &mut Samples::default()).unwrap_err();
        assert!(error.to_string().contains("line 2"), "{error}");
    }

    #[test]
    fn version_six_has_a_file_of_its_own() {
        let text = "Ip6InReceives 1\nIp6InOctets 2\nUdp6InDatagrams 3\nUdpLite6InErrors 4\n";
        let mut out = Samples::default();
        parse_snmp6(&Text::new("proc/net/snmp6", text), &mut out).unwrap();
        let expected = [
            "node_netstat_Ip6_InOctets 2",
            "node_netstat_Udp6_InDatagrams 3",
            "node_netstat_UdpLite6_InErrors 4",
        ];
        check(&out, 3, &expected);
    }

    #[test]
    fn socket_memory_is_in_pages_and_in_bytes() {
        let text = "sockets: used 15\nTCP: inuse 1 orphan 0 mem 3\nFRAG: inuse 0 memory 0\n";
        let mut out = Samples::default();
        parse_sockstat(&Text::new("proc/net/sockstat", text), 4096.0, &mut out).unwrap();
        let expected = [
            "node_sockstat_sockets_used 15",
            "node_sockstat_TCP_mem 3",
            "node_sockstat_TCP_mem_bytes 12288",
        ];
        check(&out, 7, &expected);
    }

    #[test]
    fn softnet_names_its_processor_where_it_does() {
        let text = "00000011 00000002 0 0 0 0 0 0 0 0 0 0 00000003 0 0\n0000000a 0 0\n";
        let mut out = Samples::default();
        parse_softnet(&Text::new("proc/net/softnet_stat", text), &mut out).unwrap();
        let expected = [
            r#"node_softnet_processed_total{cpu="3"} 17"#,
            r#"node_softnet_dropped_total{cpu="3"} 2"#,
            r#"node_softnet_processed_total{cpu="1"} 10"#,
        ];
        check(&out, 5 + 3, &expected);
    }
}
