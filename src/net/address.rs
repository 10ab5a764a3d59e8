//! Which addresses may be connected to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Which addresses outgoing requests may reach.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct AddressPolicy {
    /// Allows link-local addresses, and the metadata services of clouds among them.
    pub allows_link_local: bool,
    /// Refuses private and loopback networks: for addresses that strangers may name.
    pub refuses_private: bool,
}

impl AddressPolicy {
    /// Why `address` may not be connected to; None where it may.
    pub fn refusal(self, address: IpAddr) -> Option<&'static str> {
        let address = address.to_canonical();
        if !self.allows_link_local && is_link_local(address) {
            return Some("link-local address, where clouds keep credentials");
        }
        if self.refuses_private && is_private(address) {
            return Some("private address");
        }
        None
    }
}

/// AWS answers under this address of a private network too.
const METADATA_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);

fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local() || address == METADATA_V6,
    }
}

fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let is_shared = address.octets().starts_with(&[100]) && is_carrier(address);
            address.is_private() || address.is_loopback() || address.is_unspecified() || is_shared
        }
        IpAddr::V6(address) => {
            address.is_loopback() || address.is_unspecified() || address.is_unique_local()
        }
    }
}

/// 100.64.0.0/10, which carriers use as a private network.
fn is_carrier(address: Ipv4Addr) -> bool {
    address.octets().get(1).is_some_and(|second| second & 0xc0 == 64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_services_are_refused_in_every_notation() {
        let policy = AddressPolicy::default();
        for address in ["169.254.169.254", "::ffff:169.254.169.254", "fe80::1", "fd00:ec2::254"] {
            assert!(policy.refusal(address.parse().unwrap()).is_some(), "{address}");
        }
        for address in ["127.0.0.1", "10.0.0.1", "::1", "8.8.8.8", "fd00::1"] {
            assert_eq!(policy.refusal(address.parse().unwrap()), None, "{address}");
        }
        let open = AddressPolicy { allows_link_local: true, ..policy };
        assert_eq!(open.refusal("169.254.169.254".parse().unwrap()), None);
    }

    #[test]
    fn private_networks_are_refused_on_request() {
        let policy = AddressPolicy { refuses_private: true, ..AddressPolicy::default() };
        for address in ["127.0.0.1", "10.1.2.3", "192.168.0.1", "::1", "fd12::1", "100.64.0.1"] {
            assert_eq!(policy.refusal(address.parse().unwrap()), Some("private address"));
        }
        for address in ["100.128.0.1", "1.1.1.1", "2606:4700::1111"] {
            assert_eq!(policy.refusal(address.parse().unwrap()), None, "{address}");
        }
    }
}
