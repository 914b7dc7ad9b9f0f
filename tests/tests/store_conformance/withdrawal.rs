//! Taking back what has not begun.

use domain::conversation::{Command, Inbound, InboundKind};
use domain::event::Event;
use domain::work_mode::WorkMode;
use domain::{Content, bot::TRANSFER_LABOR};
use engine::ports::{Scope, Settled, Settlement, Store, StoreError, VisitorRef, Withdrawal};
use shared::{ConversationId, MessageId, VisitorId};

use crate::desk::{Connected, Desk, reference, text_of};
use crate::streams::of;

crate::every_store!(
    what_has_not_begun_is_listed_and_can_be_withdrawn,
    a_claimed_message_can_still_be_withdrawn_and_is_then_not_started,
    a_started_message_cannot_be_withdrawn_and_the_whole_transaction_fails,
    what_this_very_transaction_puts_off_can_be_withdrawn_in_it,
    withdrawing_the_head_frees_the_next,
    a_hand_over_withdraws_what_the_bot_has_not_begun_to_say,
);

async fn unattempted<S: Store>(desk: &Desk<S>, visitor: VisitorId) -> Vec<MessageId> {
    let scope = Scope {
        visitors: vec![VisitorRef::Id(visitor)],
        ..Scope::default()
    };
    desk.look(scope).await.visitors[&visitor].unattempted.iter().copied().collect()
}

async fn withdraw<S: Store>(desk: &Desk<S>, visitor: VisitorId, messages: &[MessageId]) -> Result<bool, StoreError> {
    let scope = Scope {
        visitors: vec![VisitorRef::Id(visitor)],
        ..Scope::default()
    };
    let messages = messages.to_vec();
    let committed = desk.act(scope, move |unit| {
        let withdrawals = messages.iter().map(|message| Withdrawal {
            visitor,
            message: *message,
        });
        unit.changes().withdrawn.extend(withdrawals);
    });
    committed.await.map(|committed| committed.more_effects)
}

async fn stage<S: Store>(desk: &Desk<S>, texts: &[&str]) -> (Connected, VisitorId, ConversationId) {
    let page = desk.connect("1001", WorkMode::BotFirst).await;
    let (visitor, id) = desk.answered(&page, "1", texts).await;
    (page, visitor, id)
}

async fn what_has_not_begun_is_listed_and_can_be_withdrawn<S: Store>(desk: Desk<S>) {
    let (_, visitor, _) = stage(&desk, &["一", "二"]).await;
    let listed = unattempted(&desk, visitor).await;
    assert_eq!(listed.len(), 2);
    assert!(withdraw(&desk, visitor, &listed).await.is_ok());
    assert_eq!(unattempted(&desk, visitor).await, []);
    assert_eq!(desk.claim(desk.relay(), desk.now()).await, []);
    assert_eq!(desk.store.next_due().await.unwrap(), None);
}

async fn a_claimed_message_can_still_be_withdrawn_and_is_then_not_started<S: Store>(desk: Desk<S>) {
    let (_, visitor, _) = stage(&desk, &["一"]).await;
    let relay = desk.relay();
    let claimed = desk.claim(relay, desk.now()).await.remove(0);
    let message = claimed.effect.message().unwrap();
    assert_eq!(unattempted(&desk, visitor).await, [message]);
    assert!(withdraw(&desk, visitor, &[message]).await.is_ok());
    let begun = desk.store.start_attempts(relay, vec![reference(&claimed)]).await.unwrap();
    assert!(begun.is_empty());
}

async fn a_started_message_cannot_be_withdrawn_and_the_whole_transaction_fails<S: Store>(desk: Desk<S>) {
    let (_, visitor, _) = stage(&desk, &["一", "二"]).await;
    let (relay, both) = (desk.relay(), unattempted(&desk, visitor).await);
    let claimed = desk.claim(relay, desk.now()).await.remove(0);
    desk.store.start_attempts(relay, vec![reference(&claimed)]).await.unwrap();
    let left: Vec<MessageId> = both.iter().copied().filter(|id| Some(*id) != claimed.effect.message()).collect();
    assert_eq!(unattempted(&desk, visitor).await, left);
    let refused = withdraw(&desk, visitor, &both).await;
    assert!(matches!(refused, Err(StoreError::Conflict { .. })), "{refused:?}");
    assert_eq!(unattempted(&desk, visitor).await, left, "nothing of it was written");
}

async fn what_this_very_transaction_puts_off_can_be_withdrawn_in_it<S: Store>(desk: Desk<S>) {
    let (_, visitor, _) = stage(&desk, &["一", "二"]).await;
    let relay = desk.relay();
    let claimed = desk.claim(relay, desk.now()).await.remove(0);
    desk.store.start_attempts(relay, vec![reference(&claimed)]).await.unwrap();
    let scope = Scope {
        visitors: vec![VisitorRef::Id(visitor)],
        effects: vec![reference(&claimed)],
        claim: Some((relay, 5)),
        ..Scope::default()
    };
    let (effect, message, not_before) = (claimed.id, claimed.effect.message().unwrap(), desk.now());
    let committed = desk.act(scope, move |unit| {
        unit.changes().settled.push(Settled {
            effect,
            settlement: Settlement::Again { not_before },
        });
        unit.changes().withdrawn.push(Withdrawal { visitor, message });
    });
    assert_eq!(committed.await.unwrap().claimed.iter().map(text_of).collect::<Vec<_>>(), ["二"]);
    assert!(
        unattempted(&desk, visitor).await.is_empty(),
        "the second one has begun, the first one is gone"
    );
}

async fn withdrawing_the_head_frees_the_next<S: Store>(desk: Desk<S>) {
    let (_, visitor, _) = stage(&desk, &["一", "二"]).await;
    let claimed = desk.claim(desk.relay(), desk.now()).await.remove(0);
    let more = withdraw(&desk, visitor, &[claimed.effect.message().unwrap()]).await.unwrap();
    assert!(more, "the second one is free now and nobody took it");
    let next = desk.claim(desk.relay(), desk.now()).await;
    assert_eq!(next.iter().map(text_of).collect::<Vec<_>>(), ["二"]);
}

async fn a_hand_over_withdraws_what_the_bot_has_not_begun_to_say<S: Store>(desk: Desk<S>) {
    let (_, visitor, id) = stage(&desk, &["一", "二"]).await;
    let relay = desk.relay();
    let begun = desk.claim(relay, desk.now()).await.remove(0);
    desk.store.start_attempts(relay, vec![reference(&begun)]).await.unwrap();
    let tap = Inbound {
        visitor,
        mid: Some("m_tap".into()),
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
    let withdrawn = |event: &Event| {
        matches!(
            event,
            Event::Conversation(domain::conversation::ConversationEvent::MessageWithdrawn { .. })
        )
    };
    assert_eq!(desk.log().await.iter().filter(|read| withdrawn(&read.event)).count(), 1);
    let conversation = desk.look(of(id)).await.visitors[&visitor].conversations[&id].state.clone();
    assert_eq!(
        conversation.under_way.keys().copied().collect::<Vec<_>>(),
        [begun.effect.message().unwrap()]
    );
    assert_eq!(unattempted(&desk, visitor).await, []);
}
