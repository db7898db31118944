//! Addresses and networks, as in `10.0.0.0/8`, `192.168.1.1`, `fd00::/8`: of proxies, keys and webhooks.

use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Deserializer};

use crate::error::{Error, Result};

/// The addresses that begin with the same bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: u128,
    /// Bits of the address that count, as of an IPv6 address.
    prefix: u32,
}

impl FromStr for Network {
    type Err = Error;

    fn from_str(text: &str) -> Result<Network> {
        Network::parse(text.trim()).ok_or_else(|| {
            let shown: String = text.chars().take(80).collect();
            Error::invalid(
                "settings",
                format!("配置有误：{shown} 既不是地址也不是网段"),
                format!("a setting is wrong: {shown} is neither an address nor a network such as 10.0.0.0/8"),
            )
        })
    }
}

impl Network {
    fn parse(text: &str) -> Option<Network> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address.parse::<IpAddr>().ok()?, Some(prefix.parse::<u32>().ok()?)),
            None => (text.parse().ok()?, None),
        };
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.unwrap_or(bits);
        (prefix <= bits).then(|| Network { address: bits_of(address), prefix: prefix + 128 - bits })
    }

    /// Whether this is the first of its addresses.
    pub fn begins_with(self, address: IpAddr) -> bool {
        let beyond = 1u128.checked_shl(128 - self.prefix).map_or(u128::MAX, |bit| bit - 1);
        self.address == bits_of(address) && self.address & beyond == 0
    }

    pub fn holds(self, address: IpAddr) -> bool {
        let differing = self.address ^ bits_of(address);
        differing.leading_zeros() >= self.prefix
    }
}

/// An address of either kind as one number; IPv4 as IPv6 maps it.
fn bits_of(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(|e: Error| serde::de::Error::custom(&e.detail.en))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_holds_what_shares_its_prefix() {
        let holds = |network: &str, address: &str| network.parse::<Network>().unwrap().holds(address.parse().unwrap());
        assert!(holds("10.20.0.0/14", "10.23.255.255") && !holds("10.20.0.0/14", "10.24.0.0"));
        assert!(holds("0.0.0.0/0", "8.8.8.8") && !holds("0.0.0.0/0", "::1"));
        assert!(holds("127.0.0.1/32", "127.0.0.1") && !holds("127.0.0.1/32", "127.0.0.2"));
        assert!(holds("192.168.1.1", "::ffff:192.168.1.1") && !holds("192.168.1.1", "192.168.1.2"));
        assert!(holds("fd00:1::/33", "fd00:1:7fff::1") && !holds("fd00:1::/33", "fd00:1:8000::1"));
        assert!(!holds("fd00::/8", "10.0.0.1"));
        for wrong in ["10.0.0", "10.0.0.0/33", "x", "x/8", "10.0.0.0/-1", "fd00::/129"] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
    }
}
