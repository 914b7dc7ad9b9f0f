use super::*;
use crate::webhook::split;

/// The one event of a sample, with its placeholders made ids.
fn sample(text: &str) -> (EventKind, Event) {
    let body = super::super::samples::with_ids(text);
    let split = split(body.as_bytes()).unwrap();
    assert_eq!((split.events.len(), split.unreadable.len()), (1, 0));
    let kind = split.events[0].kind.clone();
    let event = parse_event(&kind, split.events[0].json.as_bytes()).unwrap();
    (kind, event)
}

macro_rules! sample {
    ($name:literal) => {
        sample(include_str!(concat!(
            "../../../../tests/fixtures/messenger/metadoc-",
            $name,
            ".json"
        )))
    };
}

fn message(event: Event) -> Message {
    match event.content {
        Content::Message(message) => *message,
        other => panic!("{other:?}"),
    }
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn a_tapped_quick_reply_has_its_payload_and_its_title() {
    let (kind, event) = sample!("quick-reply-tapped");
    assert_eq!(kind, EventKind::Message);
    assert_eq!(event.sender, Some(Party::Psid("1254459154682919".into())));
    assert_eq!(event.timestamp, Some(Timestamp::from_millis(1_502_905_976_377)));
    let message = message(event);
    assert_eq!(message.text, some("Green"));
    assert_eq!(message.quick_reply, some("DEVELOPER_DEFINED_PAYLOAD_FOR_PICKING_GREEN"));
    assert!(message.mid.unwrap().starts_with("m_AG5Hz2Uq7tuw"));
}

#[test]
fn an_echo_names_its_app_and_our_metadata() {
    let (kind, event) = sample!("echo-text-metadata");
    assert_eq!(kind, EventKind::Echo);
    let message = message(event);
    assert_eq!(
        (message.is_echo, message.app_id, message.text),
        (true, some("1517776481860111"), some("hello, world!"))
    );
    assert_eq!(message.metadata, some("<DEVELOPER_DEFINED_METADATA_STRING>"));
}

#[test]
fn a_fallback_with_a_null_payload_keeps_its_link() {
    let message = message(sample!("echo-fallback-null-payload").1);
    let [attachment] = &message.attachments[..] else {
        panic!("{message:?}")
    };
    assert_eq!(attachment.kind, "fallback");
    assert_eq!(
        (attachment.url.as_deref(), attachment.title.as_deref()),
        (Some("https://www.messenger.com/"), Some("Legacy Attachment"))
    );
}

#[test]
fn a_sticker_that_comes_twice_is_one_attachment() {
    for order in [["image", "sticker"], ["sticker", "image"]] {
        let attachments = order
            .map(|kind| format!(r#"{{"type":"{kind}","payload":{{"url":"https://x/s.png","sticker_id":369239263222822}}}}"#))
            .join(",");
        let event = format!(r#"{{"message":{{"mid":"m_1","attachments":[{attachments}]}}}}"#);
        let message = message(parse_event(&EventKind::Message, event.as_bytes()).unwrap());
        let kinds: Vec<_> = message.attachments.iter().map(|attachment| attachment.kind.as_str()).collect();
        assert_eq!(kinds, ["sticker"]);
        assert_eq!(message.attachments[0].sticker_id, some("369239263222822"));
    }
}

#[test]
fn three_images_are_three_attachments() {
    let image = r#"{"type":"image","payload":{"url":"https://x/a.png"}}"#;
    let event = format!(r#"{{"message":{{"mid":"m_1","attachments":[{image},{image},{image},5]}}}}"#);
    assert_eq!(
        message(parse_event(&EventKind::Message, event.as_bytes()).unwrap())
            .attachments
            .len(),
        3
    );
}

#[test]
fn a_postback_from_a_link_has_its_referral() {
    let (_, event) = sample!("postback-mme-referral");
    let Content::Postback(postback) = event.content else { panic!() };
    assert_eq!(postback.payload, some("POSTBACK-PAYLOAD-YOU-CONFIGURED"));
    assert_eq!(postback.referral.unwrap().reference, some("REF-PARAMETER-INFORMATION"));
}

#[test]
fn a_postback_inside_a_change_is_read_through_it() {
    let (kind, event) = sample!("postback-change-value-user-ref");
    assert_eq!(kind, EventKind::Postback);
    assert_eq!(event.sender, Some(Party::UserRef("USER-REF-ID".into())));
    let Content::Postback(postback) = event.content else { panic!() };
    assert_eq!((postback.mid, postback.title), (some("m_MESSAGE-ID"), some("TITLE-FOR-THE-CTA")));
}

#[test]
fn a_delivery_names_mids_and_watermark_and_a_read_its_watermark() {
    let Content::Delivery { mids, watermark } = sample!("delivery").1.content else {
        panic!()
    };
    assert_eq!(mids, ["mid.1458668856218:ed81099e15d3f4f233"]);
    assert_eq!(watermark, Some(Timestamp::from_millis(1_458_668_856_253)));
    assert_eq!(sample!("read").1.content, Content::Read { watermark });
    let text = parse_event(&EventKind::Read, br#"{"read":{"watermark":"1458668856253"}}"#).unwrap();
    assert_eq!(text.content, Content::Read { watermark });
}

#[test]
fn the_rest_of_the_samples_reads_as_what_it_is() {
    let Content::Reaction(reaction) = sample!("reaction").1.content else {
        panic!()
    };
    assert_eq!(
        (reaction.action, reaction.emoji, reaction.name),
        (some("react"), some("❤️"), some("other"))
    );
    let Content::Edit { number, mid, text } = sample!("message-edit").1.content else {
        panic!()
    };
    assert_eq!((number, mid, text), (None, some("<MESSAGE_ID>"), some("<TEXT>")));
    let edit = parse_event(
        &EventKind::MessageEdit,
        br#"{"message_edit":{"mid":"m_1","text":"b","num_edit":"2"}}"#,
    )
    .unwrap();
    assert_eq!(
        edit.content,
        Content::Edit {
            mid: some("m_1"),
            text: some("b"),
            number: Some(2)
        }
    );
    let Content::ThreadControl(control) = sample!("pass-thread-control").1.content else {
        panic!()
    };
    assert_eq!((control.new_owner, control.previous_owner), (some("123456789"), None));
    let Content::ThreadControl(control) = sample!("take-thread-control").1.content else {
        panic!()
    };
    assert_eq!(control.new_owner, some("987654321"));
    let Content::ThreadControl(control) = sample!("request-thread-control").1.content else {
        panic!()
    };
    assert_eq!(control.requested_owner, some("123456789"));
    let Content::Lead { referral, answers } = sample!("lead-complete-referral").1.content else {
        panic!()
    };
    assert_eq!((referral.unwrap().kind, answers.len()), (some("LEAD_COMPLETE"), 2));
    let Content::Optin(optin) = sample!("optin-notification-messages").1.content else {
        panic!()
    };
    assert_eq!((optin.token, optin.token_expires_at), (some("NOTIFICATION-MESSAGES-TOKEN"), None));
    let Content::AppRoles(roles) = sample!("app-roles").1.content else {
        panic!()
    };
    assert_eq!(roles, [("123456789".to_owned(), vec!["primary_receiver".to_owned()])]);
    let Content::PolicyEnforcement { action, .. } = sample!("policy-enforcement-block").1.content else {
        panic!()
    };
    assert_eq!(action, some("block"));
    let Content::Coupon { code, .. } = sample!("coupon-template-click").1.content else {
        panic!()
    };
    assert_eq!(code, some("COUPON-CODE"));
    let Content::AccountLinking { status, .. } = sample!("account-linking-linked").1.content else {
        panic!()
    };
    assert_eq!(status, some("linked"));
    let Content::ResponseFeedback { feedback, .. } = sample!("response-feedback").1.content else {
        panic!()
    };
    assert_eq!(feedback, some("Good response"));
    let Content::Referral(referral) = sample!("referral-mme").1.content else {
        panic!()
    };
    assert_eq!(referral.source, some("SHORTLINK"));
    assert!(message(sample!("message-reply").1).reply_to.is_some());
    assert_eq!(
        sample!("inbox-labels-change"),
        (EventKind::Change("inbox_labels".into()), Event::opaque())
    );
    assert_eq!(sample!("send-cart-order").1.content, Content::Other);
}

#[test]
fn a_text_with_a_lone_surrogate_or_nul_is_kept_with_a_replacement() {
    let event = br#"{"message":{"mid":"m_1","text":"\u4f60\ud83d\u0000!"}}"#;
    assert_eq!(
        message(parse_event(&EventKind::Message, event).unwrap()).text,
        some("你\u{FFFD}\u{FFFD}!")
    );
}

#[test]
fn a_stripped_standby_postback_and_an_empty_message_are_read_as_such() {
    assert_eq!(
        parse_event(&EventKind::Postback, br#"{"postback":{}}"#).unwrap().content,
        Content::Postback(Postback::default())
    );
    assert_eq!(
        message(parse_event(&EventKind::Message, br#"{"message":{}}"#).unwrap()),
        Message::default()
    );
}

#[test]
fn only_what_is_no_object_is_refused_and_only_under_a_named_kind() {
    for bytes in [&b""[..], b"5", b"{", b"\xff"] {
        assert_eq!(parse_event(&EventKind::Message, bytes), Err(EventError::NotAnObject));
    }
    assert_eq!(
        parse_event(&EventKind::Unknown("not_an_object".into()), b"5").unwrap().content,
        Content::Other
    );
}
