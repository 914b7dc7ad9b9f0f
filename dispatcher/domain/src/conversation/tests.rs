//! What an operator would say about conversations, as tests.

use std::collections::{BTreeMap, BTreeSet};

use shared::{BotId, ChannelId, MessageId, PageId, PersonId, SkillGroupId, Timestamp, VisitorId};
use uuid::Uuid;

use super::*;
use crate::bot::{Answer, BotFailure, BotOutcome, TRANSFER_LABOR};
use crate::content::Content;
use crate::context::{Context, IdSeed};
use crate::directory::AcceptMode;
use crate::outbound::{Outcome, Sender};
use crate::rejection::Rejection;
use crate::routing::Explanation;
use crate::texts::{TextKey, Texts};
use crate::work_mode::{Responder, WorkMode};

const AGENT: PersonId = PersonId(Uuid::from_u128(0xa));
const OTHER: PersonId = PersonId(Uuid::from_u128(0xb));

/// A conversation and what has happened to it, step by step.
struct Story {
    settings: Settings,
    state: Option<Conversation>,
    events: Vec<ConversationEvent>,
    now: i64,
    unattempted: BTreeSet<MessageId>,
}

fn given(mode: WorkMode) -> Story {
    let settings = Settings {
        channel: ChannelId(Uuid::from_u128(1)),
        page: PageId::parse("159955055741").unwrap(),
        skill_group: SkillGroupId(Uuid::from_u128(2)),
        mode,
        bot: Some(BotId(Uuid::from_u128(3))),
        enabled: true,
        texts: Texts::default(),
        accept: AcceptMode::Automatic,
        wrap_up: false,
        humans_ready: true,
    };
    Story {
        settings,
        state: None,
        events: Vec::new(),
        now: 1_000,
        unattempted: BTreeSet::new(),
    }
}

impl Story {
    fn try_when(&mut self, command: Command) -> Result<Vec<ConversationEvent>, Rejection> {
        self.now += 1_000;
        let ids = IdSeed::new(Uuid::from_u128(u128::from(self.now.unsigned_abs()) << 32));
        let context = Context {
            now: Timestamp::from_millis(self.now),
            ids,
            unattempted: &self.unattempted,
        };
        let events = decide(self.state.as_ref(), &command, &self.settings, &context)?;
        for event in &events {
            self.state = Conversation::evolve(self.state.take(), event);
            if let ConversationEvent::MessageIntended { message, .. } = event {
                self.unattempted.insert(*message);
            }
        }
        self.events.extend(events.clone());
        Ok(events)
    }

    fn when(mut self, command: Command) -> Self {
        self.try_when(command).unwrap();
        self
    }

    fn writes(self, text: &str) -> Self {
        let sent_at = self.now + 1_000;
        self.when(receive(InboundKind::Message, Content::of_text(text), sent_at))
    }

    fn taps(self, payload: &str) -> Self {
        let sent_at = self.now + 1_000;
        self.when(receive(
            InboundKind::Postback,
            Content {
                text: Some("按钮".into()),
                payload: Some(payload.into()),
                ..Content::default()
            },
            sent_at,
        ))
    }

    fn state(&self) -> &Conversation {
        self.state.as_ref().unwrap()
    }

    fn phase(&self) -> Phase {
        self.state().phase
    }

    fn said(&self) -> Vec<String> {
        let text = |event: &ConversationEvent| match event {
            ConversationEvent::MessageIntended { content, .. } => content.text.clone(),
            _ => None,
        };
        self.events.iter().filter_map(text).collect()
    }

    fn open_turn(&self) -> (shared::TurnId, Epoch) {
        self.events
            .iter()
            .rev()
            .find_map(|event| match event {
                ConversationEvent::BotAsked { turn, epoch, .. } => Some((*turn, *epoch)),
                _ => None,
            })
            .unwrap()
    }

    fn bot_ends(self, outcome: BotOutcome) -> Self {
        let (turn, epoch) = self.open_turn();
        self.when(Command::RecordBotOutcome { turn, epoch, outcome })
    }

    fn assigned_to(self, agent: PersonId) -> Self {
        self.when(Command::Offer {
            agent,
            public_name: "张三".into(),
            explanation: Box::new(explanation()),
        })
    }
}

fn receive(kind: InboundKind, content: Content, sent_at: i64) -> Command {
    Command::Receive(Inbound {
        visitor: VisitorId(Uuid::from_u128(9)),
        mid: None,
        kind,
        sent_at: Timestamp::from_millis(sent_at),
        content,
    })
}

fn answered(text: &str, is_fallback: bool) -> BotOutcome {
    BotOutcome::Answered(Answer {
        text: Some(text.into()),
        is_fallback,
        provider: "faq".into(),
    })
}

fn explanation() -> Explanation {
    Explanation {
        at: Timestamp::from_millis(0),
        cursor: "0-0-0".into(),
        policy_version: 1,
        candidates: vec![],
        more_candidates: 0,
        filtered: BTreeMap::new(),
    }
}

#[test]
fn with_the_bot_first_a_message_is_put_to_the_bot() {
    let story = given(WorkMode::BotFirst).writes("你好");
    assert_eq!(story.phase(), Phase::WithBot);
    assert!(matches!(story.events.last(), Some(ConversationEvent::BotAsked { content, .. }) if content.text.as_deref() == Some("你好")));
}

#[test]
fn with_people_first_a_message_waits_for_an_agent() {
    let story = given(WorkMode::HumanFirst).writes("你好");
    assert!(matches!(story.phase(), Phase::Waiting { .. }));
}

#[test]
fn with_people_first_the_bot_stands_in_when_nobody_is_ready() {
    let mut story = given(WorkMode::HumanFirst);
    story.settings.humans_ready = false;
    assert_eq!(story.writes("你好").phase(), Phase::WithBot);
}

#[test]
fn the_bots_answer_goes_to_the_visitor() {
    let story = given(WorkMode::BotFirst).writes("运费").bot_ends(answered("满99包邮", false));
    assert_eq!(story.said(), ["满99包邮"]);
    assert!(!story.state().unanswered);
}

#[test]
fn a_tap_on_the_transfer_button_queues_the_conversation() {
    let story = given(WorkMode::BotFirst)
        .writes("你好")
        .bot_ends(answered("您好", false))
        .taps(TRANSFER_LABOR);
    assert!(matches!(story.phase(), Phase::Waiting { .. }));
    assert_eq!(story.state().epoch, Epoch(1));
}

#[test]
fn a_second_tap_on_the_transfer_button_changes_nothing() {
    let story = given(WorkMode::BotFirst).writes("你好").taps(TRANSFER_LABOR);
    let before = story.phase();
    assert_eq!(story.taps(TRANSFER_LABOR).phase(), before);
}

#[test]
fn a_bot_only_channel_refuses_the_hand_over_in_words() {
    let story = given(WorkMode::BotOnly).writes("你好").taps(TRANSFER_LABOR);
    assert_eq!(story.phase(), Phase::WithBot);
    assert_eq!(story.said(), ["抱歉，此处仅提供机器人客服。"]);
}

#[test]
fn a_late_bot_answer_after_a_hand_over_is_refused() {
    let story = given(WorkMode::BotFirst).writes("你好");
    let (turn, epoch) = story.open_turn();
    let story = story.taps(TRANSFER_LABOR).when(Command::RecordBotOutcome {
        turn,
        epoch,
        outcome: answered("您好", false),
    });
    assert!(story.said().is_empty());
    assert!(matches!(story.events.last(), Some(ConversationEvent::BotAnswerRefused { .. })));
}

#[test]
fn a_bot_answer_that_was_not_attempted_is_withdrawn_by_a_hand_over() {
    let story = given(WorkMode::BotFirst)
        .writes("你好")
        .bot_ends(answered("您好", false))
        .taps(TRANSFER_LABOR);
    assert!(
        story
            .events
            .iter()
            .any(|event| matches!(event, ConversationEvent::MessageWithdrawn { .. }))
    );
    assert!(story.state().under_way.is_empty());
}

#[test]
fn a_bot_answer_that_is_on_its_way_is_not_withdrawn() {
    let mut story = given(WorkMode::BotFirst).writes("你好").bot_ends(answered("您好", false));
    story.unattempted.clear();
    let story = story.taps(TRANSFER_LABOR);
    assert!(
        !story
            .events
            .iter()
            .any(|event| matches!(event, ConversationEvent::MessageWithdrawn { .. }))
    );
    assert_eq!(story.state().under_way.len(), 1);
}

#[test]
fn a_bot_answer_that_facebook_put_off_is_not_sent_after_a_hand_over() {
    let mut story = given(WorkMode::BotFirst).writes("你好").bot_ends(answered("您好", false));
    story.unattempted.clear();
    let mut story = story.taps(TRANSFER_LABOR);
    let message = *story.state().under_way.keys().next().unwrap();
    let not_before = Timestamp::from_millis(99_000);
    let events = story.try_when(Command::RecordSend {
        message,
        attempt: 1,
        outcome: Outcome::Later { not_before },
    });
    assert_eq!(events, Ok(vec![ConversationEvent::MessageWithdrawn { message }]));
}

#[test]
fn an_agents_message_that_facebook_put_off_is_tried_again() {
    let mut story = given(WorkMode::HumanFirst).writes("你好").assigned_to(AGENT).when(Command::Reply {
        agent: AGENT,
        text: "您好".into(),
    });
    let message = *story.state().under_way.keys().last().unwrap();
    let not_before = Timestamp::from_millis(99_000);
    let events = story.try_when(Command::RecordSend {
        message,
        attempt: 1,
        outcome: Outcome::Later { not_before },
    });
    assert!(
        matches!(events.as_deref(), Ok([ConversationEvent::MessageDeferred { .. }])),
        "{events:?}"
    );
}

#[test]
fn a_failing_bot_says_so_and_hands_over() {
    let story = given(WorkMode::BotFirst)
        .writes("你好")
        .bot_ends(BotOutcome::Failed { reason: BotFailure::Late });
    assert_eq!(story.said(), ["抱歉，机器人客服暂时无法回答。"]);
    assert!(matches!(story.phase(), Phase::Waiting { .. }));
}

#[test]
fn a_failing_bot_on_a_bot_only_channel_says_so_and_stays() {
    let story = given(WorkMode::BotOnly).writes("你好").bot_ends(BotOutcome::Muted);
    assert_eq!(story.said(), ["抱歉，我没有找到合适的答案。"]);
    assert_eq!(story.phase(), Phase::WithBot);
}

#[test]
fn a_bot_only_channel_without_a_bot_tells_the_visitor() {
    let mut story = given(WorkMode::BotOnly);
    story.settings.bot = None;
    let story = story.writes("你好");
    assert_eq!(story.said(), ["抱歉，机器人客服暂时无法回答。"]);
}

#[test]
fn a_late_message_never_asks_the_bot_again() {
    let story = given(WorkMode::BotFirst).writes("第二");
    let story = story.when(receive(InboundKind::Message, Content::of_text("第一"), 5));
    let asked = story
        .events
        .iter()
        .filter(|event| matches!(event, ConversationEvent::BotAsked { .. }))
        .count();
    assert_eq!(asked, 1);
    assert!(matches!(
        story.events.last(),
        Some(ConversationEvent::MessageReceived { late: true, .. })
    ));
}

#[test]
fn a_flood_of_messages_asks_the_bot_only_so_often() {
    let mut story = given(WorkMode::BotFirst);
    story.now = 1_000_000;
    for n in 0..25 {
        story.now -= 990;
        let sent_at = story.now + n;
        story = story.when(receive(InboundKind::Message, Content::of_text("啊"), sent_at));
    }
    let asked = story
        .events
        .iter()
        .filter(|event| matches!(event, ConversationEvent::BotAsked { .. }))
        .count();
    assert_eq!(asked, 20);
}

#[test]
fn a_picture_gets_words_instead_of_silence() {
    let story = given(WorkMode::BotFirst).when(receive(InboundKind::Message, Content::default(), 5_000));
    assert_eq!(story.said(), ["抱歉，我没有找到合适的答案。"]);
}

#[test]
fn an_offer_is_accepted_at_once_where_the_group_wants_it_so() {
    let story = given(WorkMode::HumanFirst).writes("你好").assigned_to(AGENT);
    assert!(matches!(story.phase(), Phase::WithAgent { agent, .. } if agent == AGENT));
    assert_eq!(story.said(), ["坐席分配成功，张三为您服务。"]);
}

#[test]
fn an_offer_waits_for_the_agent_where_the_group_wants_it_so() {
    let mut story = given(WorkMode::HumanFirst);
    story.settings.accept = AcceptMode::Manual;
    let mut story = story.writes("你好").assigned_to(AGENT);
    assert!(matches!(story.phase(), Phase::Offered { agent, .. } if agent == AGENT));
    assert_eq!(
        story.try_when(Command::Accept {
            agent: OTHER,
            public_name: "李四".into()
        }),
        Err(Rejection::NotWaiting)
    );
    let story = story.when(Command::Accept {
        agent: AGENT,
        public_name: "张三".into(),
    });
    assert!(matches!(story.phase(), Phase::WithAgent { .. }));
}

#[test]
fn only_the_agent_who_has_it_may_answer() {
    let mut story = given(WorkMode::HumanFirst).writes("你好").assigned_to(AGENT);
    assert_eq!(
        story.try_when(Command::Reply {
            agent: OTHER,
            text: "您好".into()
        }),
        Err(Rejection::NotYourConversation)
    );
    assert!(
        story
            .try_when(Command::Reply {
                agent: AGENT,
                text: "您好".into()
            })
            .is_ok()
    );
    assert_eq!(
        story.try_when(Command::Reply {
            agent: AGENT,
            text: "  ".into()
        }),
        Err(Rejection::TextEmpty)
    );
}

#[test]
fn a_long_reply_leaves_as_parts_in_order() {
    let mut story = given(WorkMode::HumanFirst).writes("你好").assigned_to(AGENT);
    let events = story
        .try_when(Command::Reply {
            agent: AGENT,
            text: "长".repeat(4_000),
        })
        .unwrap();
    assert_eq!(events.len(), 3);
    assert!(events.iter().all(|event| matches!(
        event,
        ConversationEvent::MessageIntended {
            sender: Sender::Agent { .. },
            ..
        }
    )));
}

#[test]
fn the_first_arrival_is_kept_over_every_return() {
    let story = given(WorkMode::HumanFirst).writes("你好");
    let since = story.phase().since();
    let story = story.assigned_to(AGENT).when(Command::PutBack { agent: AGENT });
    assert_eq!(story.phase().since(), since);
    assert!(matches!(story.phase(), Phase::Waiting { .. }));
}

#[test]
fn when_an_agent_leaves_only_what_is_owed_goes_back() {
    let owed = given(WorkMode::HumanFirst)
        .writes("你好")
        .assigned_to(AGENT)
        .when(Command::AgentLeft { agent: AGENT });
    assert!(matches!(owed.phase(), Phase::Waiting { .. }));
    let paid = given(WorkMode::HumanFirst)
        .writes("你好")
        .assigned_to(AGENT)
        .when(Command::Reply {
            agent: AGENT,
            text: "您好".into(),
        })
        .when(Command::AgentLeft { agent: AGENT });
    assert!(matches!(paid.phase(), Phase::WithAgent { parked: true, .. }));
    let back = paid.writes("还在吗");
    assert!(matches!(back.phase(), Phase::Waiting { .. }));
}

#[test]
fn the_queue_notice_is_given_once() {
    let notice = || Command::GiveQueueNotice {
        key: TextKey::Queued,
        ahead: 2,
    };
    let story = given(WorkMode::HumanFirst).writes("你好").when(notice()).when(notice());
    assert_eq!(story.said(), ["坐席全忙，已进入等待队列，在您之前，还有 2 位等待用户。"]);
}

#[test]
fn a_conversation_handed_to_the_bot_is_answered_by_the_bot() {
    let story = given(WorkMode::HumanFirst)
        .writes("你好")
        .assigned_to(AGENT)
        .when(Command::HandToBot { agent: AGENT })
        .writes("运费");
    assert_eq!(story.phase(), Phase::WithBot);
    assert!(matches!(story.events.last(), Some(ConversationEvent::BotAsked { epoch, .. }) if *epoch == Epoch(1)));
}

#[test]
fn a_closed_conversation_takes_no_more_commands_and_the_next_message_opens_another() {
    let mut story = given(WorkMode::HumanFirst)
        .writes("你好")
        .assigned_to(AGENT)
        .when(Command::Close { person: AGENT, any: false });
    assert!(story.state().is_closed());
    assert_eq!(
        story.try_when(Command::Reply {
            agent: AGENT,
            text: "喂".into()
        }),
        Err(Rejection::ConversationOver)
    );
    let again = receive(InboundKind::Message, Content::of_text("又来了"), 90_000);
    let events = story.try_when(again).unwrap();
    assert!(matches!(events.first(), Some(ConversationEvent::Opened { .. })));
}

#[test]
fn nobody_closes_somebody_elses_conversation_but_an_administrator() {
    let mut story = given(WorkMode::HumanFirst).writes("你好").assigned_to(AGENT);
    assert_eq!(
        story.try_when(Command::Close { person: OTHER, any: false }),
        Err(Rejection::NotYourConversation)
    );
    assert!(story.try_when(Command::Close { person: OTHER, any: true }).is_ok());
}

#[test]
fn wrap_up_follows_where_the_group_wants_it_and_a_message_resumes() {
    let mut story = given(WorkMode::HumanFirst);
    story.settings.wrap_up = true;
    let story = story
        .writes("你好")
        .assigned_to(AGENT)
        .when(Command::Close { person: AGENT, any: false });
    assert!(matches!(story.phase(), Phase::WrapUp { .. }));
    let resumed = story.writes("还有一个问题");
    assert!(matches!(resumed.phase(), Phase::WithAgent { parked: false, .. }));
    let closed = resumed
        .when(Command::Close { person: AGENT, any: false })
        .when(Command::Close { person: AGENT, any: false });
    assert!(closed.state().is_closed());
}

#[test]
fn the_fate_of_a_message_is_recorded_even_after_the_close() {
    let story = given(WorkMode::HumanFirst)
        .writes("你好")
        .assigned_to(AGENT)
        .when(Command::Close { person: AGENT, any: false });
    let message = *story.state().under_way.keys().next().unwrap();
    let mut story = story.when(Command::RecordSend {
        message,
        attempt: 1,
        outcome: Outcome::Sent { mid: "m_1".into() },
    });
    assert_eq!(
        story.try_when(Command::RecordSend {
            message,
            attempt: 1,
            outcome: Outcome::Unknown
        }),
        Err(Rejection::NotUnderWay),
        "an end is recorded once"
    );
}

#[test]
fn the_opening_names_who_answers_first() {
    let story = given(WorkMode::BotFirst).writes("你好");
    assert!(matches!(
        story.events.first(),
        Some(ConversationEvent::Opened {
            responder: Responder::Bot,
            ..
        })
    ));
}
