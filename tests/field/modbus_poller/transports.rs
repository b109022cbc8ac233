//! RTU over TCP, TLS, every type of number, gateways that want a connection for each poll, refusals by name.

use super::honest::{Answer, Asked, device, rtu_frame, serve, word};
use super::{clock, recv};
use anlan::ingest::modbus::{Poller, probe};
use anlan::ingest::sensors::{SensorFiles, Sensors};
use anlan::model::Reading;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::mpsc;

/// Sensors of a profile behind one endpoint; one gauge for each unit with all points of the profile.
fn site(endpoint: &str, profile: &str, units: &[u8]) -> Sensors {
    let mut files = SensorFiles::new();
    let head = "[profile]\nid='p'\nname_zh='x'\nname_en='x'\nsource='test'\n";
    files.insert("p.toml".into(), format!("{head}{profile}").into());
    files.insert("endpoints.toml".into(), format!("[[endpoint]]\nid='gate'\n{endpoint}\n").into());
    let points: Vec<&str> = profile.split("quantity='").skip(1).map(|rest| rest.split('\'').next().unwrap()).collect();
    let series: String = points.iter().map(|name| format!("[[series]]\nquantity='{name}'\n")).collect();
    for unit in units {
        let text = format!(
            "[[station]]\nid='s{unit}'\nname_zh='x'\nname_en='x'\nlon=113\nlat=34\nsource='test'\n\
             [gauge]\nid='g{unit}'\nname_zh='x'\nstation='s{unit}'\nprofile='p'\nendpoint='gate'\nunit={unit}\npoll_every_s=0.2\n{series}"
        );
        files.insert(format!("gauge-{unit}.toml"), text.into());
    }
    Sensors::load(&files).unwrap_or_else(|fault| panic!("{fault}"))
}

struct Run {
    poller: Poller,
    readings: mpsc::Receiver<Vec<Reading>>,
}

impl Run {
    fn start(sensors: &Sensors) -> Self {
        let (out, readings) = mpsc::channel(64);
        Self { poller: Poller::start(sensors, &clock(), 1.0, &out), readings }
    }
    /// The values of the next batch, by series.
    async fn batch(&mut self) -> BTreeMap<String, f64> {
        recv(&mut self.readings).await.into_iter().map(|one| (one.series.to_string(), one.value)).collect()
    }
}

const EVERY_TYPE: &str = "function='holding'\n\
    [[point]]\nquantity='u64'\nregister=0\ntype='u64'\nunit='x'\n\
    [[point]]\nquantity='f64'\nregister=4\ntype='f64'\nunit='m'\nword_order='DCBA'\n\
    [[point]]\nquantity='f32'\nregister=8\ntype='f32'\nunit='m'\nword_order='CDAB'\n\
    [[point]]\nquantity='s32'\nregister=10\ntype='s32'\nunit='m'\nword_order='BADC'\nscale=0.001\n\
    [[point]]\nquantity='bcd'\nregister=12\ntype='bcd32'\nunit='m'\nscale=0.01\noffset=1\n\
    [[point]]\nquantity='dry'\nregister=14\ntype='bit'\nbit=3\nunit='state'\n\
    [[point]]\nquantity='ok'\nregister=14\ntype='u16'\nunit='x'\nstatus={register=14,mask=0x0008,good=0x0008}\n\
    [[point]]\nquantity='bad'\nregister=14\ntype='u16'\nunit='x'\nstatus={register=14,mask=0x0008}\n\
    [[point]]\nquantity='probe'\nregister=15\ntype='s16'\nunit='m'\ndecimals_register=16\nunit_code={register=17,factors={10=0.102,17=0.001}}\n\
    [[point]]\nquantity='pump'\nregister=2\ntype='bit'\nfunction='coil'\nunit='state'\n\
    [[point]]\nquantity='door'\nregister=9\ntype='bit'\nfunction='discrete'\nunit='state'\n\
    [[point]]\nquantity='temp'\nregister=0\ntype='s16'\nfunction='input'\nunit='C'\nscale=0.1\n";

fn every_type(asked: Asked) -> Answer {
    let f64 = 93.82_f64.to_bits();
    let swapped = |place: u32| ((f64 >> (16 * place)) as u16).swap_bytes();
    let f32 = 2.5_f32.to_bits();
    let s32 = (-1500_i32).cast_unsigned();
    match asked.function {
        1 => Answer::Bits(vec![0b100 >> asked.first.min(2)]),
        2 => Answer::Bits(vec![0]),
        4 => Answer::Words(vec![(-53_i16).cast_unsigned()]),
        _ => Answer::Words(
            [
                &[1, 0, 0, 7][..],
                &[swapped(0), swapped(1), swapped(2), swapped(3)],
                &[f32 as u16, (f32 >> 16) as u16],
                &[((s32 >> 16) as u16).swap_bytes(), (s32 as u16).swap_bytes()],
                &[0x0012, 0x3456, 0x0008],
                &[(-25_i16).cast_unsigned(), 1, 10],
            ]
            .concat()[usize::from(asked.first)..usize::from(asked.first + asked.count)]
                .to_vec(),
        ),
    }
}

fn check_every_type(got: &BTreeMap<String, f64>) {
    let near = |name: &str, value: f64| {
        let own = got[&format!("s5.{name}")];
        assert!((own - value).abs() < 1e-9, "{name} is {own}, not {value}");
    };
    near("u64", (1_u64 << 48) as f64 + 7.0);
    near("f64", 93.82);
    near("f32", 2.5);
    near("s32", -1.5);
    near("bcd", 1235.56);
    near("dry", 1.0);
    near("ok", 8.0);
    assert!(got["s5.bad"].is_nan(), "its status bit says so");
    near("probe", -2.5 * 0.102);
    near("pump", 1.0);
    near("door", 0.0);
    near("temp", -5.3);
}

#[tokio::test]
async fn every_type_and_order_comes_over_tcp_and_over_rtu_in_tcp() {
    for (transport, is_rtu) in [("tcp", false), ("rtu-over-tcp", true)] {
        let (address, connections, _) = device(is_rtu, every_type).await;
        let sensors = site(&format!("transport='{transport}'\naddress='{address}'"), EVERY_TYPE, &[5]);
        let mut run = Run::start(&sensors);
        for _ in 0..3 {
            check_every_type(&run.batch().await);
        }
        assert_eq!(connections.load(Ordering::SeqCst), 1, "{transport}: one connection is kept");
        let link = &run.poller.links()[0];
        assert!(link.units[&5].last_fault.as_ref().unwrap().contains("状态位无效"), "{link:?}");
        drop(run);
        let probed = probe(&sensors.endpoints["gate"], &sensors.devices[0]).await.unwrap().series;
        check_every_type(&probed.iter().map(|one| (one.series.to_string(), one.value)).collect());
        let bad = probed.iter().find(|one| one.series.quantity() == "bad").unwrap();
        assert!(bad.raw.as_deref() == Some("8") && bad.void.unwrap().to_string().contains("0x0008"), "{bad:?}");
    }
}

const TWO_FAR: &str = "function='holding'\n\
    [[point]]\nquantity='low'\nregister=0\ntype='u16'\nunit='m'\n\
    [[point]]\nquantity='far'\nregister=200\ntype='u16'\nunit='m'\n";

#[tokio::test]
async fn on_a_line_without_request_numbers_a_late_answer_is_never_taken_for_another() {
    // Every fifth request is answered after its time, in the same form as the answer to the other register.
    let (address, ..) =
        device(
            true,
            |asked| {
                if asked.number % 5 == 2 { Answer::Late(Duration::from_millis(130)) } else { Answer::Truth }
            },
        )
        .await;
    let endpoint = format!("transport='rtu-over-tcp'\naddress='{address}'\ntimeout_ms=60");
    let mut run = Run::start(&site(&endpoint, TWO_FAR, &[1, 2, 3]));
    let mut good = 0;
    for _ in 0..60 {
        for (series, value) in run.batch().await {
            let unit: u8 = series[1..2].parse().unwrap();
            let truth = f64::from(word(unit, if series.ends_with("far") { 200 } else { 0 }));
            assert!(value.is_nan() || value == truth, "{series} is {value}, not {truth}");
            good += usize::from(value == truth);
        }
    }
    assert!(good > 15, "only {good} values came");
    let link = &run.poller.links()[0];
    assert!(link.units.values().map(|unit| unit.timeouts).sum::<u64>() > 0 && link.restarts == 0, "{link:?}");
}

#[tokio::test]
async fn echo_noise_and_foreign_frames_before_the_answer_do_no_harm() {
    let foreign = rtu_frame(9, &[3, 2, 0x7f, 0xff]);
    let (address, connections, _) = device(true, move |asked| {
        let echo = rtu_frame(asked.unit, &[3, 0, 0, 0, 1]);
        Answer::Behind([&[0xff, 0x00][..], &echo, &foreign].concat())
    })
    .await;
    let endpoint = format!("transport='rtu-over-tcp'\naddress='{address}'");
    let mut run = Run::start(&site(&endpoint, TWO_FAR, &[4]));
    for _ in 0..3 {
        let got = run.batch().await;
        assert_eq!((got["s4.low"], got["s4.far"]), (f64::from(word(4, 0)), f64::from(word(4, 200))));
    }
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_connection_that_is_not_held_is_made_for_each_poll() {
    let (address, connections, _) = device(false, |_| Answer::Truth).await;
    let mut run = Run::start(&site(&format!("address='{address}'\nhold_connection=false"), TWO_FAR, &[1]));
    for _ in 0..3 {
        assert_eq!(run.batch().await["s1.far"], f64::from(word(1, 200)));
    }
    assert!(connections.load(Ordering::SeqCst) >= 3);
    assert!(!run.poller.links()[0].connected);
}

#[tokio::test]
async fn a_probe_prints_what_comes_and_names_what_is_refused() {
    let refuse = |code| move |asked: Asked| if asked.first == 200 { Answer::Refuse(code) } else { Answer::Truth };
    let (address, ..) = device(false, refuse(2)).await;
    let sensors = site(&format!("address='{address}'"), TWO_FAR, &[1]);
    let found = probe(&sensors.endpoints["gate"], &sensors.devices[0]).await.unwrap();
    assert_eq!(found.series[0].value, f64::from(word(1, 0)));
    assert!(found.series[1].value.is_nan() && found.series[1].void.is_some());
    assert_eq!(found.refused.len(), 1);
    let words = found.refused[0].to_string();
    assert!(words.contains("200") && words.contains("非法数据地址"), "{words}");
    // A gateway that says that it does not reach the device is no device that refuses.
    let (address, ..) = device(false, refuse(11)).await;
    let sensors = site(&format!("address='{address}'"), TWO_FAR, &[1]);
    let fault = probe(&sensors.endpoints["gate"], &sensors.devices[0]).await.unwrap_err().to_string();
    assert!(fault.contains("站号") && !fault.contains("供电"), "{fault}");
}

#[tokio::test]
async fn a_busy_device_is_asked_again_within_the_poll() {
    let (address, ..) = device(false, |asked| if asked.number < 2 { Answer::Refuse(6) } else { Answer::Truth }).await;
    let mut run = Run::start(&site(&format!("address='{address}'"), TWO_FAR, &[1]));
    assert_eq!(run.batch().await["s1.low"], f64::from(word(1, 0)), "busy twice, then the value, in one poll");
    assert_eq!(run.poller.links()[0].units[&1].failures_in_row, 0);
}

#[tokio::test]
async fn what_is_refused_together_is_asked_one_by_one() {
    const JOINED: &str = "function='holding'\nmax_gap=4\n\
        [[point]]\nquantity='a'\nregister=0\ntype='u16'\nunit='m'\n\
        [[point]]\nquantity='b'\nregister=3\ntype='u16'\nunit='m'\n";
    let (address, _, requests) =
        device(false, |asked| if asked.count > 1 { Answer::Refuse(2) } else { Answer::Truth }).await;
    let sensors = site(&format!("address='{address}'"), JOINED, &[1]);
    let mut run = Run::start(&sensors);
    for _ in 0..3 {
        let got = run.batch().await;
        assert_eq!((got["s1.a"], got["s1.b"]), (f64::from(word(1, 0)), f64::from(word(1, 3))));
    }
    assert_eq!(run.poller.links()[0].units[&1].exceptions, 1, "learnt at the first refusal");
    drop(run);
    assert!(requests.load(Ordering::SeqCst) >= 7);
    let probed = probe(&sensors.endpoints["gate"], &sensors.devices[0]).await.unwrap().series;
    assert_eq!(probed[1].value, f64::from(word(1, 3)));
}

#[tokio::test]
async fn a_register_that_is_not_there_is_given_up_and_the_others_go_on() {
    let refused = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&refused);
    let (address, connections, _) = device(false, move |asked| {
        if asked.first != 200 {
            return Answer::Truth;
        }
        counted.fetch_add(1, Ordering::SeqCst);
        Answer::Refuse(2)
    })
    .await;
    let mut run = Run::start(&site(&format!("address='{address}'"), TWO_FAR, &[1]));
    for _ in 0..6 {
        let got = run.batch().await;
        assert!(got["s1.low"] == f64::from(word(1, 0)) && got["s1.far"].is_nan(), "{got:?}");
    }
    let link = &run.poller.links()[0].units[&1];
    assert_eq!(refused.load(Ordering::SeqCst), 1, "asked once, then not again for ten minutes");
    assert!(!link.quarantined && link.failures_in_row == 0, "a unit that answers is not away: {link:?}");
    assert!(link.last_fault.as_ref().unwrap().contains("02 非法数据地址 (illegal data address)"), "{link:?}");
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_unit_that_the_gateway_cannot_reach_is_away_and_the_connection_stays() {
    let (address, connections, _) =
        device(false, |asked| if asked.unit == 2 { Answer::Refuse(11) } else { Answer::Truth }).await;
    let mut run = Run::start(&site(&format!("address='{address}'"), TWO_FAR, &[1, 2, 3]));
    let mut seen = 0;
    while !run.poller.links()[0].units[&2].quarantined {
        for (series, value) in run.batch().await {
            assert_eq!(value.is_nan(), series.starts_with("s2."), "{series} {value}");
            seen += 1;
        }
        assert!(seen < 2000, "unit 2 was never put aside");
    }
    let link = &run.poller.links()[0];
    assert!(link.units[&2].last_fault.as_ref().unwrap().contains("网关目标设备无响应"), "{link:?}");
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

fn tls_file(name: &str) -> String {
    format!("{}/tests/support/tls/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[tokio::test]
async fn tls_serves_who_trusts_the_site_and_no_one_else_is_believed() {
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    let certificate = CertificateDer::from_pem_file(tls_file("device.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(tls_file("device.key")).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    serve(stream, false, Arc::default(), Arc::new(|_| Answer::Truth)).await;
                }
            });
        }
    });
    let with =
        |rows: &str| site(&format!("transport='tls'\naddress='{address}'\ntimeout_ms=2000\n{rows}"), TWO_FAR, &[1]);
    for rows in ["", "tls_name='device.test'\n"] {
        let sensors = with(&format!("{rows}ca_file='{}'", tls_file("ca.pem")));
        assert_eq!(Run::start(&sensors).batch().await["s1.far"], f64::from(word(1, 200)), "{rows}");
    }
    for (rows, words) in [
        (format!("ca_file='{}'", tls_file("other-ca.pem")), "UnknownIssuer"),
        (format!("tls_name='other.test'\nca_file='{}'", tls_file("ca.pem")), "other.test"),
        (format!("ca_file='{}'", tls_file("absent.pem")), "absent.pem"),
        (format!("ca_file='{}'", tls_file("README.md")), "holds no certificate"),
    ] {
        let mut run = Run::start(&with(&rows));
        assert!(run.batch().await["s1.low"].is_nan(), "{rows}");
        let link = &run.poller.links()[0];
        let told = link.units[&1].last_fault.clone().unwrap_or_default();
        assert!(told.contains(words) && link.refused >= 1, "{told:?} should tell {words}");
    }
}

/// A gauge of a shipped profile before a device that holds these words.
async fn shipped(profile: &str, holds: &'static [(u16, u16)], expected: &[(&str, f64)]) {
    let (address, ..) = device(true, move |asked| {
        let word = |address: u16| holds.iter().find(|(own, _)| *own == address).map(|(_, word)| *word);
        let words: Option<Vec<u16>> = (asked.first..asked.first + asked.count).map(word).collect();
        words.map_or(Answer::Refuse(2), Answer::Words)
    })
    .await;
    let file = format!("{}/sensors/profiles/{profile}.toml", env!("CARGO_MANIFEST_DIR"));
    let mut files = SensorFiles::from([("p.toml".to_owned(), std::fs::read(file).unwrap())]);
    let datum = |name: &str| if name == "stage" { "datum='dagu'\n" } else { "" };
    let of = |name: &str| format!("[[series]]\nquantity='{name}'\n{}", datum(name));
    let series: String = expected.iter().map(|(name, _)| of(name)).collect();
    let text = format!(
        "[[endpoint]]\nid='line'\naddress='{address}'\ntransport='rtu-over-tcp'\n\
         [[station]]\nid='s'\nname_zh='x'\nname_en='x'\nlon=113\nlat=34\nsource='test'\n\
         [gauge]\nid='g'\nname_zh='x'\nstation='s'\nprofile='{profile}'\nendpoint='line'\nunit=2\npoll_every_s=1\n{series}"
    );
    files.insert("g.toml".into(), text.into());
    let sensors = Sensors::load(&files).unwrap_or_else(|fault| panic!("{fault}"));
    let probed = probe(&sensors.endpoints["line"], &sensors.devices[0]).await.unwrap().series;
    for (one, (name, value)) in probed.iter().zip(expected) {
        let same = one.value.is_nan() && value.is_nan() || (one.value - value).abs() < 1e-6;
        assert!(same, "{profile}: {name} is {one:?}, not {value}");
    }
}

#[tokio::test]
async fn the_shipped_profiles_read_their_devices() {
    shipped("level-gauge-cm", &[(0, 31)], &[("stage", 0.31)]).await;
    shipped("generic-rain-16", &[(0, 536)], &[("rain", 53.6)]).await;
    shipped("micropilot-fmr20", &[(5000, 0x40a0), (5001, 0)], &[("stage", 5.0)]).await;
    shipped("vegapuls-61", &[(100, 0), (106, 0x1999), (107, 0x42bb)], &[("stage", 93.549_995), ("sensor_fault", 0.0)])
        .await;
    shipped("vegapuls-61", &[(100, 1), (106, 0x1999), (107, 0x42bb)], &[("stage", f64::NAN), ("sensor_fault", 1.0)])
        .await;
    // The air gap counts down from the sensor; a status that is not 0 voids it.
    shipped("radar-60ghz", &[(1, 2500), (3, 900), (16, 0)], &[("stage", -2.5), ("level", 0.9), ("sensor_status", 0.0)])
        .await;
    shipped("radar-60ghz", &[(1, 2500), (16, 4)], &[("stage", f64::NAN), ("sensor_status", 4.0)]).await;
    shipped("dfrobot-sen0676", &[(1, 1200), (2, 0), (3, 800)], &[("stage", -1.2), ("level", 0.8)]).await;
    // 2.345 mH2O, 23.0 kPa, and a unit that the device knows and we do not.
    shipped("qdy30a", &[(2, 16), (3, 3), (4, 2345)], &[("stage", 2.345)]).await;
    shipped("qdy30a", &[(2, 10), (3, 1), (4, 230)], &[("stage", 2.345_346_8)]).await;
    shipped("qdy30a", &[(2, 99), (3, 1), (4, 230)], &[("stage", f64::NAN)]).await;
    shipped(
        "starflow-6527b",
        &[(0, 215), (1, 1260), (2, 1875), (3, 0xff38)],
        &[("temperature", 21.5), ("supply", 12.6), ("stage", 1.875), ("velocity", -0.2)],
    )
    .await;
    shipped("inclinometer-dual", &[(0, 0xffff), (1, 0xfc18), (2, 0), (3, 1500)], &[("tilt_x", -1.0), ("tilt_y", 1.5)])
        .await;
    shipped(
        "wt901c485",
        &[(0x3d, 0x4000), (0x3e, 0xc000), (0x3f, 0)],
        &[("tilt_x", 90.0), ("tilt_y", -90.0), ("tilt_z", 0.0)],
    )
    .await;
}
