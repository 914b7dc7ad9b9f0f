use super::*;

const PAGE: &str = "159955055741";

fn body(entries: &str) -> String {
    format!(r#"{{"object":"page","entry":[{entries}]}}"#)
}

fn entry(messaging: &str) -> String {
    format!(r#"{{"id":"{PAGE}","time":1458692752478,"messaging":[{messaging}]}}"#)
}

fn message(mid: &str) -> String {
    format!(
        r#"{{"sender":{{"id":"4711"}},"recipient":{{"id":"{PAGE}"}},"timestamp":1458692752000,"message":{{"mid":"{mid}","text":"\u4f60\u597d"}}}}"#
    )
}

fn split_one(event: &str) -> SplitEventOwned {
    let body = body(&entry(event));
    let split = split(body.as_bytes()).unwrap();
    assert_eq!((split.events.len(), split.unreadable.len()), (1, 0), "{event}");
    SplitEventOwned::from(&split.events[0])
}

/// A split event without its slice.
#[derive(Debug, PartialEq)]
struct SplitEventOwned {
    party: Party,
    kind: EventKind,
    dedupe_key: String,
    event_at: Option<Timestamp>,
}

impl From<&SplitEvent<'_>> for SplitEventOwned {
    fn from(event: &SplitEvent<'_>) -> Self {
        Self {
            party: event.party.clone(),
            kind: event.kind.clone(),
            dedupe_key: event.dedupe_key.clone(),
            event_at: event.event_at,
        }
    }
}

fn psid(id: &str) -> Party {
    Party::Psid(id.into())
}

#[test]
fn a_message_comes_out_byte_for_byte_with_its_visitor() {
    let event = message("m_1");
    let body = body(&entry(&format!("  {event}\n")));
    let split = split(body.as_bytes()).unwrap();
    let [found] = &split.events[..] else { panic!("{split:?}") };
    assert_eq!(found.json, event);
    assert_eq!(found.page_id.as_str(), PAGE);
    assert_eq!(found.party, psid("4711"));
    assert_eq!(found.kind, EventKind::Message);
    assert_eq!(found.dedupe_key, format!("{PAGE}/msg:m_1"));
    assert_eq!(found.array, EventArray::Messaging);
    assert_eq!(found.event_at, Some(Timestamp::from_millis(1_458_692_752_000)));
    assert_eq!(found.entry_time, Some(Timestamp::from_millis(1_458_692_752_478)));
}

#[test]
fn an_entry_may_hold_all_three_arrays_and_a_body_several_pages() {
    let standby = message("m_2");
    let change = r#"{"field":"feed","value":{"item":"comment"}}"#;
    let all = format!(
        r#"{{"id":{PAGE},"changes":[{change}],"messaging":[{}],"standby":[{standby}]}}"#,
        message("m_1")
    );
    let other = r#"{"id":"222","messaging":[{"sender":{"id":"1"},"recipient":{"id":"222"},"read":{"watermark":5}}]}"#;
    let body = body(&format!("{all},{other}"));
    let split = split(body.as_bytes()).unwrap();
    let found: Vec<_> = split
        .events
        .iter()
        .map(|event| (event.page_id.as_str(), event.array, event.kind.as_text()))
        .collect();
    let expected = [
        (PAGE, EventArray::Changes, "change:feed".into()),
        (PAGE, EventArray::Messaging, "message".into()),
        (PAGE, EventArray::Standby, "message".into()),
        ("222", EventArray::Messaging, "read".into()),
    ];
    assert_eq!(found, expected);
}

#[test]
fn echoes_belong_to_the_visitor_who_received_them() {
    let echo = format!(r#"{{"sender":{{"id":"{PAGE}"}},"recipient":{{"id":"4711"}},"message":{{"mid":"m_1","is_echo":true}}}}"#);
    let event = split_one(&echo);
    assert_eq!((event.party, event.kind), (psid("4711"), EventKind::Echo));
}

#[test]
fn an_unsent_message_is_not_a_duplicate_of_the_message() {
    let unsend = r#"{"sender":{"id":"4711"},"recipient":{"id":"159955055741"},"message":{"mid":"m_1","is_deleted":true}}"#;
    let event = split_one(unsend);
    assert_eq!(event.kind, EventKind::Unsend);
    assert_ne!(event.dedupe_key, split_one(&message("m_1")).dedupe_key);
}

#[test]
fn a_plugin_reference_stands_in_for_a_missing_visitor_and_the_page_for_page_events() {
    let postback = r#"{"sender":{"user_ref":"r-1"},"recipient":{"id":"159955055741"},"postback":{"mid":"m_1"}}"#;
    assert_eq!(split_one(postback).party, Party::UserRef("r-1".into()));
    let optin = r#"{"recipient":{"id":"159955055741"},"timestamp":1,"optin":{"ref":"x","user_ref":"r-2"}}"#;
    assert_eq!(split_one(optin).party, Party::UserRef("r-2".into()));
    let policy = r#"{"recipient":{"id":"159955055741"},"timestamp":1,"policy_enforcement":{"action":"block"}}"#;
    assert_eq!(split_one(policy).party, Party::Page);
}

#[test]
fn a_messaging_event_inside_a_change_is_read_like_any_other() {
    let change = r#"{"field":"messages","value":{"sender":{"id":"4711"},"recipient":{"id":"159955055741"},"timestamp":"1527459824","message":{"mid":"m_1"}}}"#;
    let body = body(&format!(r#"{{"id":"{PAGE}","time":1527459824,"changes":[{change}]}}"#));
    let split = split(body.as_bytes()).unwrap();
    let event = &split.events[0];
    assert_eq!(
        (event.json, &event.party, &event.kind, event.array),
        (change, &psid("4711"), &EventKind::Message, EventArray::Changes)
    );
    assert_eq!(event.event_at, Some(Timestamp::from_millis(1_527_459_824_000)));
}

#[test]
fn an_event_that_cannot_be_read_is_unknown_and_its_siblings_are_not_touched() {
    let broken = [
        r#""text""#,
        "17",
        "null",
        "[]",
        "{}",
        r#"{"message":5}"#,
        r#"{"game_play":{}}"#,
        r#"{"sender":[],"message":{"mid":7}}"#,
    ];
    let body = body(&entry(&format!("{},{},{}", message("m_1"), broken.join(","), message("m_2"))));
    let split = split(body.as_bytes()).unwrap();
    assert_eq!(split.events.len(), broken.len() + 2);
    let middle: Vec<_> = split.events[1..=broken.len()]
        .iter()
        .map(|event| (event.json, event.kind.as_text()))
        .collect();
    let kinds = [
        "unknown:not_an_object",
        "unknown:not_an_object",
        "unknown:not_an_object",
        "unknown:not_an_object",
        "unknown:empty",
        "unknown:message",
        "unknown:game_play",
        "message",
    ];
    assert_eq!(middle, broken.into_iter().zip(kinds.map(Into::into)).collect::<Vec<_>>());
}

#[test]
fn an_entry_that_cannot_be_read_is_reported_and_its_siblings_are_not_touched() {
    let body = body(&format!(
        r#"5,{{"id":"<PAGE_ID>","messaging":[{}]}},{}"#,
        message("m_1"),
        entry(&message("m_2"))
    ));
    let split = split(body.as_bytes()).unwrap();
    assert_eq!(
        split.events.iter().map(|event| event.dedupe_key.as_str()).collect::<Vec<_>>(),
        [format!("{PAGE}/msg:m_2")]
    );
    assert_eq!(
        split.unreadable.iter().map(|part| part.json).collect::<Vec<_>>(),
        ["5", &message("m_1")]
    );
}

#[test]
fn a_known_page_keeps_an_entry_whose_arrays_are_not_arrays_or_have_new_names() {
    let body = body(&format!(
        r#"{{"id":"{PAGE}","messaging":"oops"}},{{"id":"{PAGE}","time":1}},{{"id":"{PAGE}","messaging":[],"messaging_v2":[{{"a":1}}]}}"#
    ));
    let split = split(body.as_bytes()).unwrap();
    let found: Vec<_> = split
        .events
        .iter()
        .map(|event| (event.json, event.kind.as_text(), event.array))
        .collect();
    let second = format!(r#"{{"id":"{PAGE}","time":1}}"#);
    let expected = [
        (r#""oops""#, "unknown:messaging".into(), EventArray::Entry),
        (second.as_str(), "unknown:entry".into(), EventArray::Entry),
        (r#"[{"a":1}]"#, "unknown:messaging_v2".into(), EventArray::Entry),
    ];
    assert_eq!(found, expected);
}

#[test]
fn repeated_arrays_of_one_entry_lose_nothing() {
    let body = body(&format!(
        r#"{{"id":"{PAGE}","messaging":[{}],"messaging":[{}]}}"#,
        message("m_1"),
        message("m_2")
    ));
    assert_eq!(split(body.as_bytes()).unwrap().events.len(), 2);
}

#[test]
fn customer_feedback_without_a_page_in_its_entry_finds_it_in_the_recipient() {
    let body = body(
        r#"{"time":1600000000000,"messaging":[{"sender":{"id":"4711"},"recipient":{"id":"159955055741"},"messaging_feedback":{"feedback_screens":[]}}]}"#,
    );
    let split = split(body.as_bytes()).unwrap();
    assert_eq!(split.events[0].page_id.as_str(), PAGE);
    assert_eq!(split.events[0].event_at, Some(Timestamp::from_millis(1_600_000_000_000)));
}

#[test]
fn a_sender_that_nobody_can_be_makes_the_event_unknown() {
    let long = "9".repeat(129);
    for id in [long.as_str(), "page", "user_ref:x"] {
        let event = split_one(&format!(
            r#"{{"sender":{{"id":"{id}"}},"recipient":{{"id":"{PAGE}"}},"message":{{"mid":"m_1"}}}}"#
        ));
        assert_eq!(
            (event.party, event.kind),
            (Party::Page, EventKind::Unknown("message".into())),
            "{id}"
        );
    }
}

#[test]
fn lone_surrogates_and_escaped_nul_do_not_stop_a_split() {
    let event = r#"{"sender":{"id":"4711"},"recipient":{"id":"159955055741"},"message":{"mid":"m_1","text":"\ud83d\u0000"}}"#;
    let found = split_one(event);
    assert_eq!((found.kind, found.dedupe_key), (EventKind::Message, format!("{PAGE}/msg:m_1")));
}

#[test]
fn a_body_that_is_no_webhook_about_pages_is_refused_as_a_whole() {
    let refused: [(&[u8], SplitError); 8] = [
        (b"", SplitError::NotJson),
        (b"{", SplitError::NotJson),
        (b"\xff\xfe", SplitError::NotJson),
        (b"{} trailing", SplitError::NotJson),
        (b"[]", SplitError::NoEntries),
        (b"{}", SplitError::NoEntries),
        (br#"{"object":"page","entry":{}}"#, SplitError::NoEntries),
        (br#"{"object":"instagram","entry":[]}"#, SplitError::NotAPage),
    ];
    for (body, error) in refused {
        assert_eq!(split(body), Err(error), "{}", String::from_utf8_lossy(body));
    }
}

#[test]
fn a_batch_of_a_thousand_updates_keeps_its_order() {
    let events: Vec<_> = (0..1000).map(|number| message(&format!("m_{number}"))).collect();
    let body = body(&entry(&events.join(",")));
    let split = split(body.as_bytes()).unwrap();
    assert!(split.events.iter().map(|event| event.json).eq(events.iter().map(String::as_str)));
}
