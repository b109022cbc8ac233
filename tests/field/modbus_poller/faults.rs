//! Devices behind a network that harms them, one fault each: the sound ones keep their period, and no number is ever another's.

use super::honest::{Answer, device, word};
use super::{clock, recv};
use crate::fault_proxy::{Fault, FaultProxy};
use anlan::ingest::modbus::Poller;
use anlan::ingest::sensors::{SensorFiles, Sensors};
use anlan::model::Timestamp;
use chrono::TimeDelta;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

const PROFILE: &str = "[profile]\nid='p'\nname_zh='x'\nname_en='x'\nsource='test'\nfunction='holding'\n\
    [[point]]\nquantity='low'\nregister=0\ntype='u16'\nunit='m'\n\
    [[point]]\nquantity='far'\nregister=200\ntype='u16'\nunit='m'\n";

/// One gauge for each address, unit = place from 1, in turn by Modbus TCP and by RTU in TCP.
fn sensors(addresses: &[(SocketAddr, bool)]) -> Sensors {
    let mut files = SensorFiles::from([("p.toml".to_owned(), PROFILE.as_bytes().to_vec())]);
    for (unit, (address, is_rtu)) in (1..).zip(addresses) {
        let transport = if *is_rtu { "rtu-over-tcp" } else { "tcp" };
        let text = format!(
            "[[endpoint]]\nid='e{unit}'\naddress='{address}'\ntransport='{transport}'\ntimeout_ms=150\n\
             [[station]]\nid='s{unit}'\nname_zh='x'\nname_en='x'\nlon=113\nlat=34\nsource='test'\n\
             [gauge]\nid='g{unit}'\nname_zh='x'\nstation='s{unit}'\nprofile='p'\nendpoint='e{unit}'\nunit={unit}\npoll_every_s=0.2\n\
             [[series]]\nquantity='low'\n[[series]]\nquantity='far'\n"
        );
        files.insert(format!("gauge-{unit}.toml"), text.into());
    }
    Sensors::load(&files).unwrap_or_else(|fault| panic!("{fault}"))
}

fn faults() -> Vec<Fault> {
    vec![
        Fault::Pass,
        Fault::Delay(Duration::from_millis(100)),
        Fault::Delay(Duration::from_millis(230)),
        Fault::Drip(1, Duration::from_millis(3)),
        Fault::Drip(1, Duration::from_millis(60)),
        Fault::Cut(0),
        Fault::Cut(5),
        Fault::HalfClose(0),
        Fault::HalfClose(7),
        Fault::Swallow,
        Fault::Garbage(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()),
        Fault::Garbage(vec![0; 3000]),
        Fault::Flood,
        Fault::Refuse,
        Fault::Edit(Arc::new(|piece| piece[0] ^= 0x40)),
        Fault::Edit(Arc::new(|piece| *piece.last_mut().unwrap() ^= 1)),
        Fault::Edit(Arc::new(|piece| piece.truncate(4))),
        Fault::Edit(Arc::new(|piece| *piece = piece.repeat(2))),
    ]
}

/// Whether an edit of the last byte or a doubled answer can be told from a right one: not by Modbus TCP, which has no checksum.
fn is_beyond_the_protocol(fault: usize, is_rtu: bool) -> bool {
    fault == 15 && !is_rtu
}

#[tokio::test]
async fn each_fault_stays_with_its_device_and_no_number_is_another_s() {
    let (tcp, ..) = device(false, |_| Answer::Truth).await;
    let (rtu, ..) = device(true, |_| Answer::Truth).await;
    let mut proxies = Vec::new();
    for fault in faults() {
        for (server, is_rtu) in [(tcp, false), (rtu, true)] {
            proxies.push((FaultProxy::before(server, fault.clone()).await, is_rtu));
        }
    }
    let addresses: Vec<_> = proxies.iter().map(|(proxy, is_rtu)| (proxy.address, *is_rtu)).collect();
    let (out, mut readings) = mpsc::channel(256);
    let poller = Poller::start(&sensors(&addresses), &clock(), 1.0, &out);
    let mut last: BTreeMap<String, Timestamp> = BTreeMap::new();
    let (mut longest, mut good) = (TimeDelta::zero(), BTreeMap::<u8, usize>::new());
    let take = |batch: Vec<anlan::model::Reading>,
                longest: &mut TimeDelta,
                good: &mut BTreeMap<u8, usize>,
                last: &mut BTreeMap<String, Timestamp>| {
        for reading in batch {
            let unit: u8 = reading.series.station()[1..].parse().unwrap();
            let fault = usize::from(unit - 1) / 2;
            let truth = f64::from(word(unit, if reading.series.quantity() == "far" { 200 } else { 0 }));
            let edited = is_beyond_the_protocol(fault, unit.is_multiple_of(2));
            assert!(edited || reading.value.is_nan() || reading.value == truth, "{reading:?} is not {truth}");
            *good.entry(unit).or_default() += usize::from(reading.value == truth);
            if let Some(before) = last.insert(reading.series.to_string(), reading.observed_at)
                && fault == 0
            {
                *longest = (*longest).max(reading.observed_at - before);
            }
        }
    };
    while good.get(&1).copied().unwrap_or(0) < 2 * 25 {
        take(recv(&mut readings).await, &mut longest, &mut good, &mut last);
    }
    assert!(longest < TimeDelta::milliseconds(600), "a sound device waited {longest}");
    for (unit, (name, comes)) in [
        (2, ("rtu, sound", true)),
        (3, ("late but in time", true)),
        (5, ("too late", false)),
        (7, ("slow drip, in time", true)),
        (9, ("slow drip, too late", false)),
        (11, ("cut", false)),
        (15, ("half closed", false)),
        (19, ("swallowed", false)),
        (21, ("garbage before", false)),
        (22, ("garbage before a frame with checksum", true)),
        (25, ("flood", false)),
        (26, ("flood, rtu", false)),
        (27, ("refused", false)),
        (29, ("another transaction", false)),
        (30, ("another unit", false)),
        (32, ("wrong checksum", false)),
        (34, ("cut short", false)),
        (36, ("doubled, rtu", true)),
    ] {
        assert_eq!(good[&unit] > 0, comes, "{name}: {} values of unit {unit}", good[&unit]);
    }
    assert!(poller.links().iter().all(|link| link.restarts == 0), "no worker broke down");

    // The network heals: everyone comes back, and still every number is its own.
    proxies.iter().for_each(|(proxy, _)| proxy.set(Fault::Pass));
    good.clear();
    let healed = async {
        while good.len() < proxies.len() || good.values().any(|count| *count == 0) {
            take(recv(&mut readings).await, &mut longest, &mut good, &mut last);
        }
    };
    // A unit that was away is asked every five seconds or so.
    tokio::time::timeout(Duration::from_secs(20), healed).await.expect("all devices answer again");
}
