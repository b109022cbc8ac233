//! What must hold for any bytes and any message: round trips, cuts anywhere, garbage around, flipped bits, no panic.

use super::*;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

fn address() -> impl Strategy<Value = StationAddress> {
    any::<[u8; 5]>().prop_map(StationAddress)
}

fn end() -> impl Strategy<Value = End> {
    prop_oneof![
        Just(End::Etx),
        Just(End::Etb),
        Just(End::Enq),
        Just(End::Eot),
        Just(End::Ack),
        Just(End::Nak),
        Just(End::Esc)
    ]
}

fn frame() -> impl Strategy<Value = Frame> {
    let coding = prop_oneof![Just(Coding::Hex), Just(Coding::Ascii)];
    let direction = prop_oneof![Just(Direction::Up), Just(Direction::Down)];
    let packet = option::of((0_u16..4096, 0_u16..4096).prop_map(|(total, sequence)| Packet { total, sequence }));
    // Bodies full of start characters are the hard ones.
    let byte = prop_oneof![4 => any::<u8>(), 1 => Just(0x7e), 1 => Just(0x01)];
    let body = prop_oneof![4 => vec(byte, 0..200), 1 => vec(any::<u8>(), 4080..4090)];
    let head = (coding, direction, any::<u8>(), address(), any::<u16>(), any::<u8>());
    (head, packet, body, end()).prop_map(
        |((coding, direction, centre, station, password, function), packet, body, end)| Frame {
            coding,
            direction,
            centre,
            station,
            password,
            function,
            packet,
            body,
            end,
        },
    )
}

fn number() -> impl Strategy<Value = Content> {
    (0_i64..9_000_000, any::<bool>(), 0_u8..4, 5_u8..8).prop_map(|(digits, below, decimals, bytes)| {
        Content::Number(Number { digits: if below && digits > 0 { -digits } else { digits }, decimals, bytes })
    })
}

fn element() -> impl Strategy<Value = Element> {
    let numbered = (prop_oneof![0x05_u8..0x45, 0x76_u8..0xf0].prop_map(ElementId::Standard), number());
    let own = ((0_u8..0xff).prop_map(ElementId::User), number());
    let rain = vec(option::of(0_u8..255), 12).prop_map(|cells| (ElementId::Standard(0xf4), Content::Rain(cells)));
    let stages = (0xf5_u8..0xfd, vec(option::of(0_u16..0xffff), 12))
        .prop_map(|(id, cells)| (ElementId::Standard(id), Content::Stages(cells)));
    let status = any::<u32>().prop_map(|bits| (ElementId::Standard(0x45), Content::Status(bits)));
    let step = (0_u8..9).prop_map(|minutes| (ElementId::Standard(0x04), Content::Step([0, 0, minutes])));
    prop_oneof![4 => numbered, 1 => own, 1 => rain, 1 => stages, 1 => status, 1 => step]
        .prop_map(|(id, content)| Element { id, content })
}

fn moment() -> impl Strategy<Value = Moment> {
    (0_i64..4_000_000_000).prop_map(|s| Moment::of(chrono::DateTime::from_timestamp(s, 0).unwrap()))
}

fn group() -> impl Strategy<Value = Group> {
    let class = prop::sample::select(vec![b'P', b'H', b'K', b'Z']).prop_map(Some);
    let observed = moment().prop_map(|moment| Moment::of_minute(moment.minute()));
    ((address(), class), observed, vec(element(), 1..6)).prop_map(|(station, observed, elements)| Group {
        station: Some(station),
        observed: Some(observed),
        elements,
    })
}

fn report() -> impl Strategy<Value = Report> {
    let tail = prop_oneof![
        2 => Just(None),
        1 => vec(any::<u8>(), 0..80).prop_map(|text| Some((0xf2_u8, Content::Text(text)))),
        1 => vec(any::<u8>(), 0..80).prop_map(|picture| Some((0xf3_u8, Content::Picture(picture)))),
    ];
    (any::<u16>(), moment(), vec(group(), 1..4), tail).prop_map(|(serial, sent, mut groups, tail)| {
        if let (Some((id, content)), Some(last)) = (tail, groups.last_mut()) {
            last.elements.push(Element { id: ElementId::Standard(id), content });
        }
        Report { serial, sent, groups, faults: Vec::new() }
    })
}

/// As after a trip through ASCII, which has no data bytes and knows only elements with a mnemonic.
fn in_ascii(mut report: Report) -> Report {
    for group in &mut report.groups {
        group.elements.retain(|element| element.id.known().is_some());
        for element in &mut group.elements {
            if let Content::Number(number) = &mut element.content {
                number.bytes = 0;
            }
        }
    }
    report
}

fn frames_of(framer: &mut Framer, bytes: &[u8], cuts: &[usize]) -> Vec<Frame> {
    let mut found = Vec::new();
    let mut rest = bytes;
    let mut take = |part: &[u8]| {
        framer.push(part);
        while let Some(received) = framer.next_frame() {
            found.push(received.frame);
        }
    };
    for cut in cuts {
        let (part, after) = rest.split_at((*cut).min(rest.len()));
        take(part);
        rest = after;
    }
    take(rest);
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sl651_any_frame_comes_back(frame in frame()) {
        let bytes = frame.encode().unwrap();
        let received = Frame::decode(&bytes).unwrap();
        prop_assert_eq!(received.length, bytes.len());
        prop_assert_eq!(received.frame, frame);
    }

    #[test]
    fn sl651_any_report_comes_back(report in report()) {
        let body = report.encode(Coding::Hex);
        prop_assert_eq!(Report::decode(Coding::Hex, &body).unwrap(), report.clone());
        let ascii = in_ascii(report);
        let body = ascii.encode(Coding::Ascii);
        let again = Report::decode(Coding::Ascii, &body).unwrap();
        prop_assert_eq!(&again.faults, &[]);
        prop_assert_eq!(again.elements().collect::<Vec<_>>(), ascii.elements().collect::<Vec<_>>());
    }

    #[test]
    fn sl651_a_changed_byte_is_refused(frame in frame(), at in any::<prop::sample::Index>(), flip in 1_u8..=255) {
        let mut bytes = frame.encode().unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        let same_text = frame.coding == Coding::Ascii && bytes[at].eq_ignore_ascii_case(&(bytes[at] ^ flip));
        // The four characters of an ASCII checksum mean the same in small letters; everything else must be refused.
        if !same_text || at < bytes.len() - 4 {
            prop_assert!(Frame::decode(&bytes).is_err());
        }
    }

    #[test]
    fn sl651_streams_may_be_cut_anywhere(frames in vec(frame(), 1..6), cuts in vec(0_usize..300, 0..12)) {
        let bytes: Vec<u8> = frames.iter().flat_map(|frame| frame.encode().unwrap()).collect();
        let mut framer = Framer::default();
        prop_assert_eq!(frames_of(&mut framer, &bytes, &cuts), frames);
        prop_assert_eq!((framer.skipped(), framer.waiting()), (0, 0));
    }

    #[test]
    fn sl651_garbage_between_frames_is_passed_over(
        frames in vec(frame(), 1..5),
        garbage in vec(vec(prop_oneof![4 => 2_u8..0x7e, 1 => 0x7f_u8..=255], 0..60), 6),
        cuts in vec(0_usize..300, 0..12),
    ) {
        let mut bytes = Vec::new();
        for (frame, noise) in frames.iter().zip(&garbage) {
            bytes.extend_from_slice(noise);
            bytes.extend(frame.encode().unwrap());
        }
        bytes.extend_from_slice(&garbage[5]);
        prop_assert_eq!(frames_of(&mut Framer::default(), &bytes, &cuts), frames);
    }

    #[test]
    fn sl651_a_spoilt_frame_costs_no_other(
        frames in vec(frame(), 2..5), at in any::<prop::sample::Index>(), flip in 1_u8..=255,
    ) {
        let mut bytes = frames[0].encode().unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        let spoilt = Frame::decode(&bytes).is_err();
        bytes.extend(frames[1..].iter().flat_map(|frame| frame.encode().unwrap()));
        let mut framer = Framer::default();
        let mut found = frames_of(&mut framer, &bytes, &[]);
        // A length that grew makes the framer wait; the time limit of the line ends that.
        while framer.waiting() > 0 {
            framer.give_up();
            found.extend(frames_of(&mut framer, &[], &[]));
        }
        if spoilt {
            prop_assert!(found.ends_with(&frames[1..]));
        }
    }

    #[test]
    fn sl651_no_bytes_make_the_decoder_fail_or_grow(
        noise in vec(prop_oneof![3 => any::<u8>(), 2 => Just(0x7e), 1 => Just(0x01), 1 => Just(0x02), 1 => Just(0)], 0..6000),
    ) {
        let mut framer = Framer::default();
        for part in noise.chunks(700) {
            framer.push(part);
            while framer.next_frame().is_some() {}
            prop_assert!(framer.waiting() < FRAME_MAX);
        }
        for coding in [Coding::Hex, Coding::Ascii] {
            if let Ok(report) = Report::decode(coding, &noise) {
                let now = chrono::DateTime::UNIX_EPOCH;
                // Every value costs at least one byte of the body.
                prop_assert!(report.measured(StationAddress([0; 5]), now).len() <= noise.len());
                let _ = Report::decode(coding, &report.encode(coding));
            }
        }
    }

    #[test]
    fn sl651_no_body_of_elements_makes_the_decoder_fail(
        body in vec(prop_oneof![any::<u8>(), Just(0xf1), Just(0xf0), Just(0xff), Just(0x39), 0_u8..40], 0..400),
    ) {
        let now = chrono::DateTime::UNIX_EPOCH;
        if let Ok(report) = Report::decode(Coding::Hex, &body) {
            let _ = report.measured(StationAddress([0; 5]), now);
        }
        let down = Frame { end: End::Enq, ..Line { coding: Coding::Hex, centre: 1, station: StationAddress([0; 5]), password: 0 }
            .acknowledge(0x38, 0, None, End::Enq, now) };
        for function in [0x38, 0x3a] {
            let _ = Query::decode(&Frame { function, body: body.clone(), ..down.clone() }, now);
        }
    }
}

#[test]
fn sl651_bodies_of_no_and_of_most_bytes() {
    for length in [0, BODY_MAX] {
        let line = Line { coding: Coding::Hex, centre: 1, station: StationAddress([0; 5]), password: 0 };
        let mut frame = line.acknowledge(0x32, 1, None, End::Eot, chrono::DateTime::UNIX_EPOCH);
        frame.body = vec![0x7e; length];
        for coding in [Coding::Hex, Coding::Ascii] {
            frame.coding = coding;
            let bytes = frame.encode().unwrap();
            assert!(bytes.len() <= FRAME_MAX);
            assert_eq!(Frame::decode(&bytes).unwrap().frame, frame);
            assert_eq!(frames_of(&mut Framer::default(), &bytes, &[1, 1, 1]), [frame.clone()]);
        }
    }
}

#[test]
fn sl651_a_body_too_long_is_refused() {
    let line = Line { coding: Coding::Ascii, centre: 1, station: StationAddress([0; 5]), password: 0 };
    let mut frame = line.acknowledge(0x32, 1, Some(2), End::Eot, chrono::DateTime::UNIX_EPOCH);
    frame.body = vec![0; BODY_MAX - 5];
    assert_eq!(frame.encode(), Err(BodyTooLong { bytes: BODY_MAX + 1, max: BODY_MAX }));
}
