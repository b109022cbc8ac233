//! How much the public may send: so many an hour from one address, so many from all.

use crate::model::Timestamp;
use chrono::TimeDelta;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

/// Within which it is counted.
const SPAN: TimeDelta = TimeDelta::hours(1);
/// Most addresses that are remembered; all of them together are counted anyway.
const ADDRESSES_MAX: usize = 10_000;

/// Bounds on reports of the public.
#[derive(Debug)]
pub struct PublicReports {
    per_hour: usize,
    all_per_hour: usize,
    fresh: Mutex<Sent>,
    again: Mutex<Sent>,
    refused: Mutex<Sent>,
}

/// What came within the span, by address.
type Sent = BTreeMap<IpAddr, Vec<Timestamp>>;

impl PublicReports {
    /// So many from one address and from all within an hour.
    pub fn new(per_hour: u32, all_per_hour: u32) -> Self {
        Self {
            per_hour: per_hour as usize,
            all_per_hour: all_per_hour as usize,
            fresh: Mutex::default(),
            again: Mutex::default(),
            refused: Mutex::default(),
        }
    }

    /// Counts a report; whether it may still come in. `again`: its key has been answered before, as after a lost answer;
    /// those are counted apart, so that nobody who repeats himself is told that his report was not taken.
    pub fn admit(&self, address: IpAddr, now: Timestamp, again: bool) -> bool {
        let sent = if again { &self.again } else { &self.fresh };
        self.count(sent, network(address), now)
    }

    /// A report that was admitted at that moment could not be taken, as for a picture that is none: it counts among the refused
    /// ones, of which there may be as many again, so that who mends his form is not turned away. When those are used up it stays
    /// counted as a report.
    pub fn refused(&self, address: IpAddr, admitted: Timestamp) {
        let network = network(address);
        if !self.count(&self.refused, network, admitted) {
            return;
        }
        let mut fresh = self.fresh.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(moments) = fresh.get_mut(&network)
            && let Some(place) = moments.iter().position(|at| *at == admitted)
        {
            moments.remove(place);
        }
    }

    fn count(&self, sent: &Mutex<Sent>, network: IpAddr, now: Timestamp) -> bool {
        let mut sent = sent.lock().unwrap_or_else(PoisonError::into_inner);
        sent.retain(|_, moments| {
            moments.retain(|at| now - *at < SPAN);
            !moments.is_empty()
        });
        let all: usize = sent.values().map(Vec::len).sum();
        let own = sent.get(&network).map_or(0, Vec::len);
        if all >= self.all_per_hour || own >= self.per_hour || (own == 0 && sent.len() >= ADDRESSES_MAX) {
            return false;
        }
        sent.entry(network).or_default().push(now);
        true
    }
}

/// One household has a whole /64 of IPv6.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(six) => {
            let [a, b, c, d, ..] = six.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        four => four,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_and_all_together_are_bounded_and_time_frees_them() {
        let public = PublicReports::new(2, 4);
        let at = |minutes| Timestamp::UNIX_EPOCH + TimeDelta::minutes(minutes);
        let admit = |address: &str, minutes| public.admit(address.parse().unwrap(), at(minutes), false);
        assert!(admit("203.0.113.1", 0) && admit("203.0.113.1", 1) && !admit("203.0.113.1", 2));
        assert!(admit("2001:db8::1", 3) && admit("2001:db8::2", 4) && !admit("2001:db8::3", 5), "one /64 is one");
        assert!(!admit("203.0.113.9", 6), "all together");
        assert!(admit("203.0.113.1", 60) && !admit("203.0.113.1", 60));
        let again = || public.admit("203.0.113.1".parse().unwrap(), at(60), true);
        assert!(again() && again() && !again(), "what is sent again is counted apart, and bounded");
    }

    #[test]
    fn a_form_that_is_refused_is_counted_apart_and_bounded() {
        let public = PublicReports::new(2, 100);
        let (address, at) = ("203.0.113.1".parse().unwrap(), |s| Timestamp::UNIX_EPOCH + TimeDelta::seconds(s));
        let refuse = |second| {
            assert!(public.admit(address, at(second), false), "try at {second} s");
            public.refused(address, at(second));
        };
        (0..2).for_each(refuse);
        assert!(public.admit(address, at(3), false), "two refused forms, and a good one still comes in");
        refuse(4); // Used up: this one counts as a report.
        assert!(!public.admit(address, at(5), false), "bounded");
        assert!(public.admit(address, at(3605), false));
    }
}
