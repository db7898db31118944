//! Networks as settings name them.

use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Deserializer};

/// A network in CIDR notation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    base: IpAddr,
    bits: u8,
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (base, bits) = text.split_once('/').ok_or_else(|| format!("{text} is no network such as 10.0.0.0/8"))?;
        let base: IpAddr = base.parse().map_err(|_| format!("{text} has no address"))?;
        let most = if base.is_ipv4() { 32 } else { 128 };
        let bits = bits.parse().ok().filter(|b| *b <= most).ok_or_else(|| format!("{text} has no length"))?;
        Ok(Network { base, bits })
    }
}

impl Network {
    pub fn holds(self, address: IpAddr) -> bool {
        let prefix = |bytes: &[u8]| {
            let whole = usize::from(self.bits / 8);
            let rest = bytes.get(whole).map_or(0, |b| b & !(0xff_u16 >> (self.bits % 8)) as u8);
            (bytes[..whole].to_vec(), if self.bits.is_multiple_of(8) { 0 } else { rest })
        };
        match (self.base, address) {
            (IpAddr::V4(base), IpAddr::V4(address)) => prefix(&base.octets()) == prefix(&address.octets()),
            (IpAddr::V6(base), IpAddr::V6(address)) => prefix(&base.octets()) == prefix(&address.octets()),
            _ => false,
        }
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
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
        assert!(holds("fd00:1::/33", "fd00:1:7fff::1") && !holds("fd00:1::/33", "fd00:1:8000::1"));
        for wrong in ["10.0.0.0", "10.0.0.0/33", "x/8", "10.0.0.0/-1"] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
    }
}
