//! Counts the open connections of each client address.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use domain::network::{self, IpNet};

/// Limits the connections of each client address. A /64 of IPv6 counts as one address.
pub(super) struct AddressLimit {
    limit: usize,
    exempt: Arc<[IpNet]>,
    /// Addresses without a connection have no entry.
    open: Mutex<HashMap<IpAddr, usize>>,
}

impl AddressLimit {
    pub(super) fn new(limit: usize, exempt: Arc<[IpNet]>) -> Arc<Self> {
        Arc::new(Self { limit, exempt, open: Mutex::default() })
    }

    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    fn open(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns a permit for one connection, or None when the address has as many as it may.
    pub(super) fn try_acquire(self: &Arc<Self>, address: IpAddr) -> Option<AddressPermit> {
        if network::contains(&self.exempt, address) {
            return Some(AddressPermit { counted: None });
        }
        let network = network::client_network(address);
        let mut open = self.open();
        let connections = open.entry(network).or_insert(0);
        if *connections >= self.limit {
            return None;
        }
        *connections += 1;
        Some(AddressPermit { counted: Some((self.clone(), network)) })
    }
}

/// Permission for one connection, returned when it is dropped.
pub(super) struct AddressPermit {
    /// None for an address that is exempt.
    counted: Option<(Arc<AddressLimit>, IpAddr)>,
}

impl Drop for AddressPermit {
    fn drop(&mut self) {
        let Some((limit, network)) = &self.counted else { return };
        let mut open = limit.open();
        if let Some(connections) = open.get_mut(network) {
            *connections -= 1;
            if *connections == 0 {
                open.remove(network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn each_address_has_its_own_limit() {
        let limit = AddressLimit::new(2, Arc::default());
        let permits = [(); 2].map(|()| limit.try_acquire(address("203.0.113.7")).unwrap());
        assert!(limit.try_acquire(address("203.0.113.7")).is_none());
        assert!(limit.try_acquire(address("::ffff:203.0.113.7")).is_none());
        assert!(limit.try_acquire(address("203.0.113.8")).is_some());
        drop(permits);
        assert!(limit.open().is_empty());
        assert!(limit.try_acquire(address("203.0.113.7")).is_some());
    }

    #[test]
    fn ipv6_addresses_of_one_network_share_a_limit() {
        let limit = AddressLimit::new(1, Arc::default());
        let _permit = limit.try_acquire(address("2001:db8::1")).unwrap();
        assert!(limit.try_acquire(address("2001:db8::2")).is_none());
        assert!(limit.try_acquire(address("2001:db8:0:1::2")).is_some());
    }

    #[test]
    fn exempt_address_has_no_limit() {
        let limit = AddressLimit::new(1, vec!["10.0.0.0/24".parse().unwrap()].into());
        let permits: Vec<_> = (0..5).map(|_| limit.try_acquire(address("10.0.0.9"))).collect();
        assert!(permits.iter().all(Option::is_some));
    }
}
