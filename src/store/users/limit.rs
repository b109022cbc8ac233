//! How often one may guess: failures counted for a name from an address, and for an address.
//!
//! In: names, addresses and moments. Out: yes, or how long to wait. A name is never locked as a whole, so that a
//! stranger cannot lock the commander out; the pair of name and address is. The table is bounded: when it is full the
//! tenth that failed longest ago is forgotten.

use crate::model::Timestamp;
use chrono::TimeDelta;
use std::collections::BTreeMap;
use std::net::IpAddr;

const FREE_PER_NAME: u32 = 5;
const FREE_PER_ADDRESS: u32 = 50;
const FIRST_LOCK_S: i64 = 30;
const LONGEST_LOCK_S: i64 = 15 * 60;
/// A count is forgotten after so long without a failure.
const FORGET: TimeDelta = TimeDelta::minutes(30);
/// How many names and addresses are remembered.
const CAPACITY: usize = 10_000;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Address(IpAddr),
    NameFrom(String, IpAddr),
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last: Timestamp,
}

/// The failures of late.
#[derive(Debug, Default)]
pub(super) struct LoginLimit {
    failures: BTreeMap<Key, Failures>,
}

impl LoginLimit {
    /// How long `name` must wait before it may try from `address`; `None` if it may try now.
    pub(super) fn wait(&self, name: &str, address: IpAddr, now: Timestamp) -> Option<TimeDelta> {
        keys(name, address)
            .iter()
            .filter_map(|(key, free)| Some(self.failures.get(key)?.locked_until(*free)? - now))
            .filter(|left| *left > TimeDelta::zero())
            .max()
    }

    /// Counts a failure.
    pub(super) fn failed(&mut self, name: &str, address: IpAddr, now: Timestamp) {
        for (key, _) in keys(name, address) {
            if !self.failures.contains_key(&key) {
                self.make_room(now);
            }
            let entry = self.failures.entry(key).or_insert(Failures { count: 0, last: now });
            entry.count = if now - entry.last > FORGET { 1 } else { entry.count.saturating_add(1) };
            entry.last = now;
        }
    }

    /// Forgets the failures of a name that got in; the address keeps its count.
    pub(super) fn succeeded(&mut self, name: &str, address: IpAddr) {
        self.failures.remove(&Key::NameFrom(name.to_owned(), block(address)));
    }

    fn make_room(&mut self, now: Timestamp) {
        if self.failures.len() < CAPACITY {
            return;
        }
        self.failures.retain(|_, failures| now - failures.last <= FORGET);
        if self.failures.len() < CAPACITY {
            return;
        }
        let mut moments: Vec<Timestamp> = self.failures.values().map(|failures| failures.last).collect();
        let (_, edge, _) = moments.select_nth_unstable(CAPACITY / 10);
        let edge = *edge;
        self.failures.retain(|_, failures| failures.last > edge);
    }
}

impl Failures {
    /// Each failure beyond the free ones doubles the lock: 30 s, 1 min, 2 min … 15 min.
    fn locked_until(self, free: u32) -> Option<Timestamp> {
        let beyond = self.count.checked_sub(free)?;
        let lock_s = FIRST_LOCK_S.saturating_mul(1 << beyond.min(10)).min(LONGEST_LOCK_S);
        Some(self.last + TimeDelta::seconds(lock_s))
    }
}

fn keys(name: &str, address: IpAddr) -> [(Key, u32); 2] {
    let address = block(address);
    [(Key::NameFrom(name.to_owned(), address), FREE_PER_NAME), (Key::Address(address), FREE_PER_ADDRESS)]
}

/// One household of IPv6 counts as one address: the first 64 bits.
fn block(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) & !u128::from(u64::MAX)).into()),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));
    const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 2));

    fn at(s: i64) -> Timestamp {
        Timestamp::from_timestamp(1_000_000 + s, 0).unwrap()
    }

    #[test]
    fn users_fifth_failure_locks_the_pair_and_each_further_one_doubles() {
        let mut limit = LoginLimit::default();
        for s in 0..4 {
            limit.failed("duty", HERE, at(s));
            assert_eq!(limit.wait("duty", HERE, at(s)), None);
        }
        limit.failed("duty", HERE, at(4));
        assert_eq!(limit.wait("duty", HERE, at(4)), Some(TimeDelta::seconds(30)));
        assert_eq!(limit.wait("duty", THERE, at(4)), None, "the officer's own desk stays open");
        assert_eq!(limit.wait("commander", HERE, at(4)), None);
        assert_eq!(limit.wait("duty", HERE, at(34)), None);
        limit.failed("duty", HERE, at(34));
        assert_eq!(limit.wait("duty", HERE, at(34)), Some(TimeDelta::seconds(60)));
        for s in 35..60 {
            limit.failed("duty", HERE, at(s));
        }
        assert_eq!(limit.wait("duty", HERE, at(59)), Some(TimeDelta::minutes(15)));
        limit.succeeded("duty", HERE);
        assert_eq!(limit.wait("duty", HERE, at(59)), None);
    }

    #[test]
    fn users_one_address_cannot_try_many_names() {
        let mut limit = LoginLimit::default();
        for n in 0..50 {
            limit.failed(&format!("name-{n}"), HERE, at(n));
        }
        assert!(limit.wait("yet-another", HERE, at(50)).is_some());
        assert_eq!(limit.wait("yet-another", THERE, at(50)), None);
    }

    #[test]
    fn users_addresses_of_one_ipv6_network_count_together() {
        let mut limit = LoginLimit::default();
        for n in 0..5_u128 {
            limit.failed("duty", IpAddr::V6((0x2408_u128 << 112 | n).into()), at(0));
        }
        assert!(limit.wait("duty", IpAddr::V6((0x2408_u128 << 112 | 77).into()), at(0)).is_some());
        assert_eq!(limit.wait("duty", IpAddr::V6((0x2409_u128 << 112).into()), at(0)), None);
    }

    #[test]
    fn users_failures_are_forgotten_and_the_table_is_bounded() {
        let mut limit = LoginLimit::default();
        for s in 0..4 {
            limit.failed("duty", HERE, at(s));
        }
        limit.failed("duty", HERE, at(4 + 31 * 60));
        assert_eq!(limit.wait("duty", HERE, at(4 + 31 * 60)), None);
        for n in 0..20_000_u32 {
            limit.failed("x", IpAddr::V4((0x0a00_0000 + n).into()), at(2000 + i64::from(n) / 100));
        }
        assert!(limit.failures.len() <= CAPACITY);
        let latest = IpAddr::V4((0x0a00_0000 + 19_999).into());
        assert!(limit.failures.contains_key(&Key::Address(latest)), "the latest are the ones that are kept");
    }
}
