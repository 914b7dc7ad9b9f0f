use std::collections::BTreeSet;

use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use reqwest::{Method, StatusCode};
use serde_json::json;
use shared::signature::HEADER;
use shared::{EventArray, Partition, Party, Timestamp};

use crate::facebook::{PAGE, body, entry, message, one_message, samples, sign, signature_vectors};
use crate::world::{SECRET, World};

#[tokio::test]
async fn every_captured_delivery_with_its_published_signature_is_accepted_byte_for_byte() {
    let world = World::new().await;
    for vector in signature_vectors() {
        let app = world
            .database
            .add_app(&vector.name, json!({"app_secret": vector.app_secret, "verify_token": "t"}));
        world.database.execute(&format!(
            "INSERT INTO page_alias VALUES ('{}', '{app}') ON CONFLICT DO NOTHING",
            vector.page()
        ));
    }
    let ingress = world.start_ready().await;
    for vector in signature_vectors() {
        let path = format!("/facebook/webhook/{}", vector.page());
        let request = ingress
            .request(Method::POST, &path)
            .header(HEADER, &vector.x_hub_signature_256)
            .body(vector.raw_body.clone());
        assert_eq!(request.send().await.unwrap().status(), StatusCode::OK, "{}", vector.name);
        let [event] = &world.broker.events().await[..] else {
            panic!("{}", vector.name)
        };
        assert!(
            vector.raw_body.contains(&event.body),
            "{} was rewritten: {}",
            vector.name,
            event.body
        );
        assert!(event.body.starts_with(r#"{"sender""#));
        assert_eq!(event.envelope.page_id.as_str(), vector.page());
    }
}

#[tokio::test]
async fn every_documented_sample_is_stored_exactly_as_it_came() {
    let world = World::new().await;
    // Some samples are captures of other Pages of the same app; those nobody connected are kept all the same.
    let ingress = world.start_ready().await;
    for (name, sample) in samples() {
        assert_eq!(ingress.deliver(sample.clone()).await, StatusCode::OK, "{name}");
        let events = world.broker.events().await;
        assert!(!events.is_empty(), "{name}");
        assert!(events.iter().all(|event| sample.contains(&event.body)), "{name} was rewritten");
    }
    assert!(world.broker.unparsed().await.is_empty());
}

#[tokio::test]
async fn a_message_travels_with_everything_that_is_known_about_it() {
    let world = World::new().await;
    let ingress = world.start_ready().await;
    let event = message(PAGE, "4711", "m_1");
    let whole = body(&[entry(PAGE, std::slice::from_ref(&event))]);
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let request = ingress.request(Method::POST, &format!("/messenger/webhook/{PAGE}"));
    let request = request
        .header(HEADER, sign(SECRET, whole.as_bytes()))
        .header("traceparent", trace)
        .body(whole);
    assert_eq!(request.send().await.unwrap().status(), StatusCode::OK);

    let [received] = &world.broker.events().await[..] else { panic!() };
    let envelope = &received.envelope;
    assert_eq!(received.body, event);
    assert_eq!(received.delivery_mode, Some(2));
    assert_eq!(envelope.page_id.as_str(), PAGE);
    assert_eq!(envelope.party, Party::Psid("4711".into()));
    assert_eq!(envelope.kind.as_text(), "message");
    assert_eq!(envelope.dedupe_key, format!("{PAGE}/msg:m_1"));
    assert_eq!(envelope.array, EventArray::Messaging);
    assert_eq!(envelope.entry_time, Some(Timestamp::from_millis(1_700_000_000_456)));
    assert_eq!(envelope.event_at, Some(Timestamp::from_millis(1_700_000_000_000)));
    assert_eq!(envelope.traceparent.as_deref(), Some(trace));
    assert!(envelope.received_at > Timestamp::from_millis(1_700_000_000_000));
    assert_eq!(received.partition, Partition::of(&envelope.page_id, &envelope.party));
    assert_eq!((envelope.receipt.partition, envelope.receipt.sequence), (received.partition, 1));
}

#[tokio::test]
async fn several_pages_behind_one_callback_are_told_apart_by_their_entries() {
    let world = World::new().await;
    world.database.add_channel("222", world.app);
    let ingress = world.start_ready().await;
    let whole = body(&[
        entry(PAGE, &[message(PAGE, "1", "m_1")]),
        entry("222", &[message("222", "2", "m_2")]),
    ]);
    assert_eq!(ingress.deliver(whole).await, StatusCode::OK);
    let pages: BTreeSet<_> = world
        .broker
        .events()
        .await
        .into_iter()
        .map(|event| event.envelope.page_id.to_string())
        .collect();
    assert_eq!(pages, BTreeSet::from([PAGE.to_owned(), "222".to_owned()]));
}

#[tokio::test]
async fn an_entry_of_another_apps_page_is_refused_and_counted_and_its_siblings_are_stored() {
    let world = World::new().await;
    let other = world.database.add_app("2002", json!({"app_secret": "other", "verify_token": "t"}));
    world.database.add_channel("222", other);
    let ingress = world.start_ready().await;
    let whole = body(&[
        entry("222", &[message("222", "2", "m_1"), message("222", "2", "m_2")]),
        entry(PAGE, &[message(PAGE, "1", "m_3")]),
    ]);
    assert_eq!(ingress.deliver(whole).await, StatusCode::OK);
    let stored: Vec<_> = world
        .broker
        .events()
        .await
        .into_iter()
        .map(|event| event.envelope.dedupe_key)
        .collect();
    assert_eq!(stored, [format!("{PAGE}/msg:m_3")]);
    assert_eq!(ingress.metric("ingress_foreign_events_refused_total").await, 2.0);
}

#[tokio::test]
async fn events_of_a_page_that_nobody_connected_are_kept() {
    let world = World::new().await;
    let ingress = world.start_ready().await;
    assert_eq!(
        ingress
            .deliver(body(&[entry("987654321", &[message("987654321", "1", "m_1")])]))
            .await,
        StatusCode::OK
    );
    let [event] = &world.broker.events().await[..] else { panic!() };
    assert_eq!(event.envelope.page_id.as_str(), "987654321");
}

#[tokio::test]
async fn a_signed_body_that_cannot_be_taken_apart_is_kept_whole() {
    let world = World::new().await;
    let ingress = world.start_ready().await;
    let bodies: [&[u8]; 5] = [
        b"this is not JSON",
        b"",
        b"\xff\xfe\x00",
        b"[1,2]",
        br#"{"object":"user","entry":[]}"#,
    ];
    for body in bodies {
        assert_eq!(ingress.deliver(body).await, StatusCode::OK, "{}", String::from_utf8_lossy(body));
    }
    let kept: Vec<_> = world.broker.unparsed().await.iter().map(|message| message.data.clone()).collect();
    assert_eq!(kept, bodies);
    assert_eq!(ingress.metric("ingress_unparsed_bodies_total").await, 5.0);
}

#[tokio::test]
async fn an_entry_without_a_page_is_kept_with_the_whole_body_and_its_siblings_are_stored() {
    let world = World::new().await;
    let ingress = world.start_ready().await;
    let whole = body(&[
        "17".to_owned(),
        entry("nobody", &[message("nobody", "1", "m_1")]),
        entry(PAGE, &["5".to_owned(), message(PAGE, "1", "m_2")]),
    ]);
    assert_eq!(ingress.deliver(whole.clone()).await, StatusCode::OK);
    let mut kinds: Vec<_> = world
        .broker
        .events()
        .await
        .into_iter()
        .map(|event| event.envelope.kind.as_text())
        .collect();
    kinds.sort();
    assert_eq!(kinds, ["message", "unknown:not_an_object"]);
    let kept = world.broker.unparsed().await;
    assert_eq!(
        kept.iter().map(|message| message.data.as_slice()).collect::<Vec<_>>(),
        [whole.as_bytes()]
    );
}

#[tokio::test]
async fn a_batch_of_a_thousand_events_is_stored_completely_and_in_order_per_visitor() {
    let world = World::new().await;
    let ingress = world.start_ready().await;
    let events: Vec<_> = (0..1000)
        .map(|number| message(PAGE, &format!("{}", 4711 + number % 7), &format!("m_{number:04}")))
        .collect();
    assert_eq!(ingress.deliver(body(&[entry(PAGE, &events)])).await, StatusCode::OK);

    let stored = world.broker.events().await;
    assert_eq!(stored.len(), 1000);
    for visitor in 4711..4718 {
        let party = Party::Psid(visitor.to_string());
        let keys: Vec<_> = stored
            .iter()
            .filter(|event| event.envelope.party == party)
            .map(|event| &event.envelope.dedupe_key)
            .collect();
        assert!(keys.is_sorted() && keys.len() >= 142, "{visitor}: {keys:?}");
    }
    for partition in Partition::all() {
        let sequences: Vec<_> = stored
            .iter()
            .filter(|event| event.partition == partition)
            .map(|event| event.envelope.receipt.sequence)
            .collect();
        assert!(
            sequences.iter().copied().eq(1..=u64::try_from(sequences.len()).unwrap()),
            "{partition}: {sequences:?}"
        );
    }
}

#[tokio::test]
async fn during_a_rotation_both_secrets_sign() {
    let world = World::new().await;
    world.database.set_secrets(
        world.app,
        json!({"app_secret": "new", "second_secret": SECRET, "verify_token": "t"}),
    );
    let ingress = world.start_ready().await;
    assert_eq!(
        ingress.deliver_signed("new", PAGE, one_message("m_1")).await.status(),
        StatusCode::OK
    );
    assert_eq!(
        ingress.deliver_signed(SECRET, PAGE, one_message("m_2")).await.status(),
        StatusCode::OK
    );
    assert_eq!(
        ingress.deliver_signed("third", PAGE, one_message("m_3")).await.status(),
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(world.broker.events().await.len(), 2);
}

#[tokio::test]
async fn a_body_in_chunks_is_verified_as_a_whole() {
    let world = World::new().await;
    let ingress = world.start_ready().await;
    let events: Vec<_> = (0..300).map(|number| message(PAGE, "4711", &format!("m_{number}"))).collect();
    let whole = body(&[entry(PAGE, &events)]);
    let chunks: Vec<Result<Vec<u8>, std::io::Error>> = whole.as_bytes().chunks(777).map(|chunk| Ok(chunk.to_vec())).collect();
    let request = ingress
        .request(Method::POST, &format!("/facebook/webhook/{PAGE}"))
        .header(HEADER, sign(SECRET, whole.as_bytes()));
    let response = request
        .body(reqwest::Body::wrap_stream(futures::stream::iter(chunks)))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(world.broker.events().await.len(), 300);
}

#[tokio::test]
async fn every_signed_mutation_of_a_sample_is_acknowledged_and_something_of_it_is_kept() {
    let world = World::new().await;
    let ingress = world.start_ready().await;
    let samples = samples();
    let mut random = rand::rngs::StdRng::seed_from_u64(7);
    for (name, sample) in samples.iter().cycle().take(800) {
        let mut mutated = sample.clone().into_bytes();
        for _ in 0..random.random_range(1..4) {
            let position = random.random_range(0..mutated.len());
            match random.random_range(0..3) {
                0 => mutated[position] = random.random(),
                1 => drop(mutated.drain(position..(position + 5).min(mutated.len() - 1).max(position))),
                _ => mutated.insert(position, *b"{}[]\",:\\0u".choose(&mut random).unwrap()),
            }
        }
        assert_eq!(
            ingress.deliver(mutated.clone()).await,
            StatusCode::OK,
            "{name}: {}",
            String::from_utf8_lossy(&mutated)
        );
    }
    let kept = world.broker.events().await.len() + world.broker.unparsed().await.len();
    assert!(kept >= 800, "{kept}");
}

#[tokio::test]
async fn no_text_or_name_or_secret_of_a_delivery_reaches_the_log() {
    let world = World::new().await;
    let mut environment = world.environment();
    environment.insert("RUST_LOG", "trace".to_owned());
    let ingress = crate::world::start_with(environment, &world).await;
    ingress.until_ready().await;
    let events = [r#"{"sender":{"id":"4711"},"recipient":{"id":"159955055741"},"message":{"mid":"m_1","text":"vertraulich"}}"#.to_owned()];
    assert_eq!(ingress.deliver(body(&[entry(PAGE, &events)])).await, StatusCode::OK);
    world
        .broker
        .delete_queue(
            &world
                .broker
                .topology
                .events_queue(Partition::of(&shared::PageId::parse(PAGE).unwrap(), &Party::Psid("4711".into()))),
        )
        .await;
    assert_eq!(
        ingress.deliver(body(&[entry(PAGE, &events)])).await,
        StatusCode::SERVICE_UNAVAILABLE
    );
    ingress.until_ready().await;
    let log = ingress.log();
    assert!(
        !log.contains("vertraulich") && !log.contains(SECRET) && !log.contains("foobar20"),
        "{log}"
    );
}
