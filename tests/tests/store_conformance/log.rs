//! The log: in order, without gaps, opened.

use std::collections::BTreeMap;

use domain::conversation::ConversationEvent;
use domain::event::{Actor, Event, StreamId};
use domain::work_mode::WorkMode;
use engine::ports::{Cursor, Store};

use crate::desk::Desk;

crate::every_store!(
    what_was_appended_is_read_back_whole_and_opened,
    pages_follow_each_other_without_gap_or_repetition,
    a_reader_beside_many_writers_misses_nothing,
    the_head_is_where_news_begins,
    a_commit_tells_where_its_newest_event_stands,
);

async fn what_was_appended_is_read_back_whole_and_opened<S: Store>(desk: Desk<S>) {
    let page = desk.connect("1001", WorkMode::BotFirst).await;
    let before = desk.now();
    let text = "秘密 \u{0} 😀 \"';";
    let (visitor, id) = desk.receive(&page, "1", text).await;
    let log = desk.log().await;
    let ours: Vec<_> = log.iter().filter(|read| read.stream == id.into()).collect();
    assert_eq!(ours.iter().map(|read| read.version).collect::<Vec<_>>(), [1, 2, 3]);
    let Event::Conversation(ConversationEvent::MessageReceived { content, sent_at, .. }) = &ours[1].event else {
        panic!("{:?}", ours[1])
    };
    assert_eq!(content.text.as_deref(), Some(text));
    assert_eq!(
        (ours[1].visitor, ours[1].actor, ours[1].occurred_at),
        (Some(visitor), Actor::System, *sent_at)
    );
    assert!(ours[1].occurred_at >= before);
    assert!(ours[1].audience.contains(&domain::permission::audience::of_group(page.group)));
    assert!(matches!(&ours[0].event, Event::Conversation(ConversationEvent::Opened { channel, .. }) if *channel == page.channel));
}

async fn pages_follow_each_other_without_gap_or_repetition<S: Store>(desk: Desk<S>) {
    let page = desk.connect("1001", WorkMode::BotFirst).await;
    desk.receive(&page, "1", "您好").await;
    let marker = desk.settle().await;
    let whole = desk.store.read_log(Cursor::default(), 1_000).await.unwrap();
    assert!(!whole.full && whole.events.len() > 6);
    assert!(whole.events.iter().any(|read| read.stream == marker));
    assert!(whole.events.is_sorted_by_key(|read| read.cursor));
    assert_eq!(whole.next, whole.events.last().unwrap().cursor);
    let all_but_one = desk.store.read_log(Cursor::default(), whole.events.len() - 1).await.unwrap();
    assert!(all_but_one.full);
    let rest = desk.store.read_log(all_but_one.next, 5).await.unwrap();
    assert_eq!(
        (rest.events.as_slice(), rest.full),
        (&whole.events[whole.events.len() - 1..], false)
    );
    let nothing = desk.store.read_log(rest.next, 5).await.unwrap();
    assert_eq!((nothing.events.len(), nothing.next, nothing.full), (0, rest.next, false));
}

/// The two traps: a transaction that began earlier commits later, and one that began later appends first.
async fn a_reader_beside_many_writers_misses_nothing<S: Store>(desk: Desk<S>) {
    let page = desk.connect("1001", WorkMode::BotOnly).await;
    let writers = async {
        let each = (0..8).map(|writer| {
            let (desk, page) = (&desk, &page);
            async move {
                for n in 0..12 {
                    // Half of the visitors are everybody's: their streams are written by several transactions at once.
                    let psid = if n % 2 == 0 { writer } else { n % 3 };
                    desk.receive(page, &psid.to_string(), "您好").await;
                }
            }
        });
        futures::future::join_all(each).await;
    };
    let (mut followed, mut cursor, mut writing) = (Vec::new(), Cursor::default(), true);
    futures::pin_mut!(writers);
    while writing {
        let pause = tokio::time::timeout(std::time::Duration::from_millis(3), &mut writers);
        writing = pause.await.is_err();
        let read = desk.store.read_log(cursor, 7).await.unwrap();
        cursor = read.next;
        followed.extend(read.events);
    }
    let marker = desk.settle().await;
    loop {
        let read = desk.store.read_log(cursor, 7).await.unwrap();
        cursor = read.next;
        followed.extend(read.events);
        if !read.full {
            break;
        }
    }
    followed.retain(|read| read.stream != marker);
    assert_eq!(followed, desk.log().await);
    let received = |read: &&engine::ports::ReadEvent| matches!(read.event, Event::Conversation(ConversationEvent::MessageReceived { .. }));
    assert_eq!(followed.iter().filter(received).count(), 96);
    let mut heads: BTreeMap<StreamId, i64> = BTreeMap::new();
    for read in &followed {
        let head = heads.entry(read.stream).or_default();
        assert_eq!(read.version, *head + 1, "{} is read in order", read.stream);
        *head += 1;
    }
}

async fn the_head_is_where_news_begins<S: Store>(desk: Desk<S>) {
    assert_eq!(desk.store.read_log(desk.store.head().await.unwrap(), 5).await.unwrap().events, []);
    let page = desk.connect("1001", WorkMode::BotFirst).await;
    desk.settle().await;
    let head = desk.store.head().await.unwrap();
    assert_eq!(desk.store.read_log(head, 5).await.unwrap().events, []);
    let (_, id) = desk.receive(&page, "1", "您好").await;
    let marker = desk.settle().await;
    let mut news = desk.store.read_log(head, 50).await.unwrap().events;
    news.retain(|read| read.stream != marker);
    assert!(news.len() == 3 && news.iter().all(|read| read.stream == id.into()), "{news:?}");
}

async fn a_commit_tells_where_its_newest_event_stands<S: Store>(desk: Desk<S>) {
    let page = desk.connect("1001", WorkMode::BotFirst).await;
    let received = desk.receive_for(&page, "1", "您好", None).await;
    assert_eq!(received.cursor, desk.log().await.last().map(|read| read.cursor));
    let text = received.cursor.unwrap().to_string();
    assert_eq!(text.parse(), Ok(received.cursor.unwrap()));
}
