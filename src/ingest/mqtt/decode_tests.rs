//! Messages as the two LoRaWAN servers publish them, JSON of other shapes, and what must hold for any bytes.

use super::*;
use proptest::prelude::*;
use serde_json::json;

/// Shape of a ChirpStack v4 uplink as its integration documentation gives it; ids and values are invented.
const CHIRPSTACK: &str = r#"{"deduplicationId":"3ac7e3c4-4401-4b8d-9386-a5c902f9202d","time":"2024-07-24T09:30:00.123+08:00",
"deviceInfo":{"tenantId":"52f14cd4","tenantName":"t","applicationId":"7","applicationName":"a","deviceProfileName":"p",
"deviceName":"madu-1","devEui":"24E124136B502217","tags":{}},"devAddr":"00189440","adr":true,"dr":1,"fCnt":4,"fPort":2,
"confirmed":false,"data":"AQID","object":{"level":10.49,"nested":{"battery":[11.02]}},"rxInfo":[],"txInfo":{}}"#;
/// Shape of an uplink of The Things Stack v3; frame counter and port 0 are left out by the server.
const THE_THINGS: &str = r#"{"end_device_ids":{"device_id":"madu-1","application_ids":{"application_id":"a"},
"dev_eui":"24E124136B502217"},"correlation_ids":[],"received_at":"2024-07-24T01:30:01.5Z","uplink_message":{
"session_key_id":"x","frm_payload":"AQID","decoded_payload":{"level":10.49},"rx_metadata":[],
"settings":{},"received_at":"2024-07-24T01:30:01Z","consumed_airtime":"0.056s"}}"#;

fn open_in(format: &Format, topic: &str, body: &[u8]) -> Result<Opened, DecodeFault> {
    open(format, &TopicPattern::of_text("a/+/up").unwrap(), topic, body)
}

fn at(text: &str) -> Option<Timestamp> {
    Some(text.parse().unwrap())
}

#[test]
fn mqtt_chirpstack_uplink() {
    let opened = open_in(&Format::ChirpStack, "a/x/up", CHIRPSTACK.as_bytes()).unwrap();
    assert_eq!((opened.device.as_str(), opened.counter), ("24e124136b502217", Some(4)));
    let sample = &opened.samples[0];
    assert_eq!(sample.at, at("2024-07-24T01:30:00.123Z"));
    assert_eq!(sample.raw.as_deref(), Some(&[1, 2, 3][..]));
    assert_eq!(sample.object.as_ref().unwrap().pointer("/nested/battery/0"), Some(&json!(11.02)));
}

#[test]
fn mqtt_the_things_uplink() {
    let opened = open_in(&Format::TheThings, "a/x/up", THE_THINGS.as_bytes()).unwrap();
    assert_eq!((opened.device.as_str(), opened.counter), ("madu-1", Some(0)));
    assert_eq!(opened.samples[0].at, at("2024-07-24T01:30:01Z"));
    assert_eq!(opened.samples[0].object, Some(json!({"level": 10.49})));
    let simulated = THE_THINGS.replacen('{', r#"{"simulated":true,"#, 1);
    assert_eq!(open_in(&Format::TheThings, "a/x/up", simulated.as_bytes()), Err(DecodeFault::Simulated));
}

#[test]
fn mqtt_lorawan_messages_that_lack_things() {
    let check = |format: Format, body: Value, fault: DecodeFault| {
        assert_eq!(open_in(&format, "a/x/up", body.to_string().as_bytes()), Err(fault), "{body}");
    };
    let info = json!({"devEui": "24e1"});
    check(Format::ChirpStack, json!({}), DecodeFault::NoDevice);
    check(Format::ChirpStack, json!({"deviceInfo": info}), DecodeFault::NoObject);
    check(Format::ChirpStack, json!({"deviceInfo": info, "object": {}, "time": "yesterday"}), DecodeFault::NoTime);
    check(Format::ChirpStack, json!({"deviceInfo": info, "data": "%%%"}), DecodeFault::NoBase64);
    check(Format::TheThings, json!({"end_device_ids": {"device_id": "a"}}), DecodeFault::NoObject);
    check(Format::TheThings, json!([1]), DecodeFault::NoDevice);
    // The network server had no time: that of the gateway is taken.
    let gateway = json!({"deviceInfo": info, "object": {}, "rxInfo": [{"nsTime": "2024-07-24T01:30:00Z"}]});
    let opened = open_in(&Format::ChirpStack, "a/x/up", gateway.to_string().as_bytes()).unwrap();
    assert_eq!(opened.samples[0].at, at("2024-07-24T01:30:00Z"));
}

#[test]
fn mqtt_json_of_any_shape() {
    let shape = |device: Option<&str>, each: Option<&str>, format: Option<TimeFormat>| {
        Format::Json(JsonShape {
            device: device.map(str::to_owned),
            each: each.map(str::to_owned),
            time: format.map(|format| ("/t".to_owned(), format)),
        })
    };
    let times = |format: Format, body: Value| -> Result<Vec<Option<Timestamp>>, DecodeFault> {
        let opened = open_in(&format, "a/madu/up", body.to_string().as_bytes())?;
        assert!(opened.device == "madu" || opened.device == "17", "{}", opened.device);
        Ok(opened.samples.into_iter().map(|sample| sample.at).collect())
    };
    let half_past = || Ok(vec![at("2024-07-24T01:30:00Z")]);
    assert_eq!(times(shape(None, None, None), json!({"v": 1})), Ok(vec![None]));
    assert_eq!(times(shape(Some("/id"), None, None), json!({"id": 17})), Ok(vec![None]));
    assert_eq!(times(shape(Some("/id"), None, None), json!({"v": 17})), Err(DecodeFault::NoDevice));
    assert_eq!(times(shape(None, None, Some(TimeFormat::UnixS)), json!({"t": 1_721_784_600})), half_past());
    assert_eq!(times(shape(None, None, Some(TimeFormat::UnixS)), json!({"t": "1721784600.0"})), half_past());
    assert_eq!(times(shape(None, None, Some(TimeFormat::UnixMs)), json!({"t": 1_721_784_600_000_u64})), half_past());
    assert_eq!(times(shape(None, None, Some(TimeFormat::Beijing)), json!({"t": "2024-07-24 09:30:00"})), half_past());
    assert_eq!(
        times(shape(None, None, Some(TimeFormat::Beijing)), json!({"t": "2024-07-24 25:30:00"})),
        Err(DecodeFault::NoTime)
    );
    assert_eq!(times(shape(None, None, Some(TimeFormat::Rfc3339)), json!({"v": 1})), Err(DecodeFault::NoTime));
    assert_eq!(times(shape(None, None, Some(TimeFormat::UnixS)), json!({"t": 1e300})), Err(DecodeFault::NoTime));
    let many = json!({"s": [{"t": 0, "v": 1}, {"t": 60, "v": 2}]});
    let both = times(shape(None, Some("/s"), Some(TimeFormat::UnixS)), many).unwrap();
    assert_eq!(both, [at("1970-01-01T00:00:00Z"), at("1970-01-01T00:01:00Z")]);
    assert_eq!(times(shape(None, Some("/s"), None), json!({"s": 1})), Err(DecodeFault::NoObject));
    let too_many = json!({"s": vec![0; SAMPLES_MAX + 1]});
    assert_eq!(times(shape(None, Some("/s"), None), too_many), Err(DecodeFault::TooLarge));
}

#[test]
fn mqtt_bodies_that_are_made_to_hurt() {
    let check = |body: &[u8], fault: DecodeFault| {
        for format in [Format::ChirpStack, Format::TheThings, Format::Json(JsonShape::default())] {
            assert_eq!(open_in(&format, "a/x/up", body), Err(fault));
        }
    };
    check("[".repeat(100_000).as_bytes(), DecodeFault::NoJson);
    check(&vec![b' '; PAYLOAD_MAX + 1], DecodeFault::TooLarge);
    check(br#"{"v": 1e999}"#, DecodeFault::NoJson);
    check(b"", DecodeFault::NoJson);
    check(b"\xff\xfe", DecodeFault::NoJson);
}

/// JSON of any depth that a message could have.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    let keys = prop_oneof![
        Just("time".to_owned()),
        Just("object".to_owned()),
        Just("data".to_owned()),
        Just("deviceInfo".to_owned()),
        Just("devEui".to_owned()),
        Just("uplink_message".to_owned()),
        Just("end_device_ids".to_owned()),
        Just("device_id".to_owned()),
        Just("received_at".to_owned()),
        Just("t".to_owned()),
        "[a-z]{1,3}",
    ];
    leaf.prop_recursive(4, 64, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::btree_map(keys.clone(), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn mqtt_no_bytes_make_a_decoder_panic(body in proptest::collection::vec(any::<u8>(), 0..300), topic in ".{0,20}") {
        let timed = JsonShape { device: Some("/t".into()), each: Some("/a".into()), time: Some(("/t".into(), TimeFormat::Beijing)) };
        for format in [Format::ChirpStack, Format::TheThings, Format::Json(JsonShape::default()), Format::Json(timed)] {
            let _ = open_in(&format, &topic, &body);
        }
    }

    #[test]
    fn mqtt_no_json_makes_a_decoder_panic_or_gives_samples_without_end(body in any_json()) {
        let body = body.to_string();
        let formats = [TimeFormat::Rfc3339, TimeFormat::UnixS, TimeFormat::UnixMs, TimeFormat::Beijing];
        let timed = |format| Format::Json(JsonShape { time: Some(("/t".into(), format)), ..JsonShape::default() });
        for format in [Format::ChirpStack, Format::TheThings].into_iter().chain(formats.map(timed)) {
            if let Ok(opened) = open_in(&format, "a/madu/up", body.as_bytes()) {
                prop_assert!(opened.samples.len() <= SAMPLES_MAX && !opened.device.is_empty());
            }
        }
    }

    #[test]
    fn mqtt_a_cut_uplink_is_refused(cut in 0..CHIRPSTACK.len()) {
        prop_assert_eq!(open_in(&Format::ChirpStack, "a/x/up", &CHIRPSTACK.as_bytes()[..cut]), Err(DecodeFault::NoJson));
    }

    #[test]
    fn mqtt_values_come_out_as_they_went_in(value in any::<f64>().prop_filter("finite", |v| v.is_finite()), seconds in 0_i64..4_000_000_000) {
        let shape = JsonShape { time: Some(("/t".into(), TimeFormat::UnixS)), ..JsonShape::default() };
        let body = json!({"t": seconds, "v": value}).to_string();
        let opened = open_in(&Format::Json(shape), "a/madu/up", body.as_bytes()).unwrap();
        prop_assert_eq!(opened.samples[0].at.unwrap().timestamp(), seconds);
        prop_assert_eq!(opened.samples[0].object.as_ref().unwrap()["v"].as_f64(), Some(value));
    }
}
