//! The floor that the read models give is the one that the log folds to.

use std::time::Duration;

use domain::agent::Presence;
use domain::conversation::{Command, Inbound, InboundKind, Phase};
use domain::routing::{Explanation, Floor};
use domain::texts::TextKey;
use domain::work_mode::WorkMode;
use domain::{Content, bot::TRANSFER_LABOR};
use engine::ports::{Cursor, Scope, Store, VisitorRef};
use engine::unit::settings_for;
use shared::{ConversationId, PersonId};

use crate::desk::{Connected, Desk, cause};

crate::every_store!(
    the_floor_equals_the_fold_of_the_log,
    following_the_log_from_the_floors_cursor_gives_the_later_floor,
);

/// Queues that are empty stand for nothing, and so does the queue text of a conversation that does not wait.
fn tidy(mut floor: Floor) -> Floor {
    floor.queues.retain(|_, queue| !queue.is_empty());
    for known in floor.conversations.values_mut() {
        known.noticed &= matches!(known.phase, Phase::Waiting { .. });
    }
    floor
}

async fn folded<S: Store>(desk: &Desk<S>) -> Floor {
    let mut floor = Floor::default();
    for read in desk.log().await {
        floor.observe(read.stream, &read.event);
    }
    tidy(floor)
}

/// A visitor who asks for a person.
async fn asks_for_a_person<S: Store>(desk: &Desk<S>, page: &Connected, psid: &str) -> ConversationId {
    let (visitor, id) = desk.receive(page, psid, "您好").await;
    let tap = Inbound {
        visitor,
        mid: Some(format!("tap-{psid}")),
        kind: InboundKind::Postback,
        sent_at: desk.now(),
        content: Content {
            payload: Some(TRANSFER_LABOR.to_owned()),
            ..Content::default()
        },
    };
    desk.command(id, Command::Receive(tap), Scope::default())
        .await
        .unwrap()
        .value
        .unwrap()
        .unwrap();
    id
}

async fn assign<S: Store>(desk: &Desk<S>, id: ConversationId, agent: PersonId) {
    let scope = Scope {
        visitors: vec![VisitorRef::Of(id)],
        agent: Some(agent),
        ..Scope::default()
    };
    let seed = domain::context::IdSeed::new(desk.fresh());
    desk.act(scope, move |unit| {
        let loaded = unit.loaded().agent.clone().unwrap();
        let engaged = loaded.agent.state.engage(id, 9, false, unit.now()).unwrap();
        let conversation = unit.conversation(id).unwrap();
        let (settings, visitor) = (settings_for(unit.loaded(), conversation), conversation.visitor);
        let command = Command::Offer {
            agent,
            public_name: loaded.public_name,
            explanation: Box::new(Explanation {
                at: unit.now(),
                cursor: String::new(),
                policy_version: 1,
                candidates: Vec::new(),
                more_candidates: 0,
                filtered: std::collections::BTreeMap::new(),
            }),
        };
        unit.command(id, visitor, &command, &settings, seed, &cause()).unwrap();
        unit.agent(agent, engaged, &cause());
    })
    .await
    .unwrap();
}

/// A day with something of everything that the router looks at.
async fn a_day<S: Store>(desk: &Desk<S>) {
    let (one, other) = (
        desk.connect("1001", WorkMode::BotFirst).await,
        desk.connect("1002", WorkMode::BotFirst).await,
    );
    let (zhang, li) = (desk.hire(&[one.group], 3).await, desk.hire(&[one.group, other.group], 1).await);
    desk.commands.change_presence(zhang, Presence::Ready).await.unwrap();
    desk.commands.change_presence(li, Presence::Busy).await.unwrap();
    let mut waiting = Vec::new();
    for n in 0..6 {
        waiting.push(asks_for_a_person(desk, if n % 2 == 0 { &one } else { &other }, &n.to_string()).await);
    }
    desk.receive(&one, "with the bot", "您好").await;
    for id in [waiting[0], waiting[2]] {
        assign(desk, id, zhang).await;
    }
    let notice = Command::GiveQueueNotice {
        key: TextKey::Queued,
        ahead: 1,
    };
    desk.command(waiting[1], notice, Scope::default())
        .await
        .unwrap()
        .value
        .unwrap()
        .unwrap();
    desk.commands.put_back(zhang, waiting[2], None).await.unwrap();
    desk.commands.reply(zhang, waiting[0], "您好，我是小张".into(), None).await.unwrap();
    desk.commands.close(zhang, true, waiting[3], None).await.unwrap();
    desk.commands.accept(li, waiting[5], None).await.unwrap();
    desk.commands.hand_to_bot(li, waiting[5], None).await.unwrap();
}

async fn the_floor_equals_the_fold_of_the_log<S: Store>(desk: Desk<S>) {
    assert_eq!(tidy(desk.store.floor().await.unwrap().0), Floor::default());
    a_day(&desk).await;
    let (floor, _) = desk.store.floor().await.unwrap();
    assert!(!floor.queues.is_empty() && floor.agents.len() == 2 && floor.conversations.len() == 6);
    assert_eq!(tidy(floor), folded(&desk).await);
}

async fn following_the_log_from_the_floors_cursor_gives_the_later_floor<S: Store>(desk: Desk<S>) {
    let day = a_day(&desk);
    futures::pin_mut!(day);
    let mut floors: Vec<(Floor, Cursor)> = Vec::new();
    while tokio::time::timeout(Duration::from_millis(20), &mut day).await.is_err() {
        floors.push(desk.store.floor().await.unwrap());
    }
    floors.push(desk.store.floor().await.unwrap());
    let last = folded(&desk).await;
    for (mut floor, mut cursor) in floors {
        loop {
            let read = desk.store.read_log(cursor, 10).await.unwrap();
            cursor = read.next;
            read.events.iter().for_each(|read| floor.observe(read.stream, &read.event));
            if !read.full {
                break;
            }
        }
        assert_eq!(tidy(floor), last);
    }
}
