//! An agent at the console: gets ready, answers, closes, goes for lunch.

use std::sync::Arc;
use std::time::Duration;

use domain::agent::Presence;
use domain::conversation::Phase;
use engine::ports::Idempotency;
use engine::{Answer, CommandError};
use futures::future::BoxFuture;
use shared::{ConversationId, PersonId, SkillGroupId};

use super::chance::Chance;
use super::process::Door;
use super::tape::Entry;
use super::world::World;

/// Tries until an agent gives a command up.
const PATIENCE: u32 = 40;

/// How an agent is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Diligence {
    /// Stays ready all day, picks nothing by hand.
    Steady,
    /// Comes and goes, and picks conversations.
    Restless,
}

/// An agent.
pub struct SimulatedAgent {
    /// Who.
    pub id: PersonId,
    /// Whose conversations.
    pub groups: Vec<SkillGroupId>,
    /// How.
    pub diligence: Diligence,
    /// Luck.
    pub chance: Chance,
    /// Commands so far; every one has a key of its own.
    pub given: u32,
}

/// What an agent knows about a command in the end: `None` where they gave up.
type Known = Option<bool>;

impl SimulatedAgent {
    /// Works until the day is over.
    pub async fn work(mut self, world: Arc<World>) {
        if self.diligence == Diligence::Restless {
            self.pause(0..20_000).await;
        }
        self.be(&world, Presence::Ready).await;
        while !world.day_is_over() {
            self.pause(300..5_000).await;
            self.act(&world).await;
        }
        if self.diligence == Diligence::Restless {
            let last = if self.chance.per_mille(600) {
                Presence::Ready
            } else {
                Presence::Offline
            };
            self.be(&world, last).await;
        }
    }

    async fn pause(&mut self, span: std::ops::Range<u64>) {
        let span = self.chance.within(&span);
        tokio::time::sleep(Duration::from_millis(span)).await;
    }

    async fn act(&mut self, world: &Arc<World>) {
        match (self.chance.below(100), self.diligence) {
            (0..50, _) => self.reply(world).await,
            (50..68, _) => self.leave(world, Leave::Close).await,
            (68..73, _) => self.leave(world, Leave::PutBack).await,
            (73..80, _) => self.leave(world, Leave::HandToBot).await,
            (80..87, Diligence::Restless) => self.pick(world).await,
            (87..93, Diligence::Restless) => self.be(world, Presence::Busy).await,
            (93..95, Diligence::Restless) => self.be(world, Presence::Offline).await,
            _ => self.be(world, Presence::Ready).await,
        }
    }

    fn mine(&self, world: &World) -> Vec<ConversationId> {
        let floor = world.store.standing_floor();
        let mine = floor
            .conversations
            .into_iter()
            .filter(|(_, known)| known.phase.agent() == Some(self.id));
        mine.map(|(id, _)| id).collect()
    }

    fn waiting(&self, world: &World) -> Vec<ConversationId> {
        let floor = world.store.standing_floor();
        let mine = floor
            .conversations
            .into_iter()
            .filter(|(_, known)| self.groups.contains(&known.skill_group));
        let waiting = mine.filter(|(_, known)| matches!(known.phase, Phase::Waiting { .. }));
        waiting.map(|(id, _)| id).collect()
    }

    async fn reply(&mut self, world: &Arc<World>) {
        let Some(id) = self.chance.one_of(&self.mine(world)).copied() else {
            return;
        };
        let (agent, key) = (self.id, self.key("reply"));
        let text = format!("答 {agent} {}", self.given);
        let words = text.clone();
        let carried_out = self
            .insist(world, move |door| {
                let (text, key) = (words.clone(), key.clone());
                Box::pin(async move { door.reply(agent, id, text, Some(key)).await })
            })
            .await;
        world.tape.record(Entry::Replied { text, carried_out });
    }

    async fn leave(&mut self, world: &Arc<World>, how: Leave) {
        let Some(id) = self.chance.one_of(&self.mine(world)).copied() else {
            return;
        };
        let (agent, key) = (self.id, self.key("leave"));
        self.insist(world, move |door| {
            let key = Some(key.clone());
            Box::pin(async move {
                match how {
                    Leave::Close => door.close(agent, false, id, key).await,
                    Leave::PutBack => door.put_back(agent, id, key).await,
                    Leave::HandToBot => door.hand_to_bot(agent, id, key).await,
                }
            })
        })
        .await;
    }

    async fn pick(&mut self, world: &Arc<World>) {
        let Some(id) = self.chance.one_of(&self.waiting(world)).copied() else {
            return;
        };
        let (agent, key) = (self.id, self.key("accept"));
        self.insist(world, move |door| {
            let key = Some(key.clone());
            Box::pin(async move { door.accept(agent, id, key).await })
        })
        .await;
    }

    async fn be(&mut self, world: &Arc<World>, presence: Presence) {
        let agent = self.id;
        self.insist(world, move |door| {
            Box::pin(async move { door.change_presence(agent, presence).await })
        })
        .await;
    }

    fn key(&mut self, fingerprint: &str) -> Idempotency {
        self.given += 1;
        Idempotency {
            person: self.id,
            key: format!("key {}", self.given),
            fingerprint: format!("{fingerprint} {}", self.given),
        }
    }

    /// Gives the same command again until somebody answers.
    async fn insist<F>(&mut self, world: &Arc<World>, give: F) -> Known
    where
        F: Fn(Arc<Door>) -> BoxFuture<'static, Result<Answer, CommandError>>,
    {
        for _ in 0..PATIENCE {
            if let Some(reception) = world.reception(&mut self.chance) {
                let answer = tokio::select! {
                    biased;
                    () = reception.gone.cancelled() => None,
                    answer = give(Arc::clone(&reception.door)) => Some(answer),
                };
                match answer {
                    Some(Ok(_)) => return Some(true),
                    Some(Err(CommandError::Rejected(_))) => return Some(false),
                    Some(Err(CommandError::KeyReused)) => {
                        world.tape.record(Entry::KeyReused);
                        return Some(false);
                    }
                    Some(Err(CommandError::Store(_))) | None => {}
                }
            }
            self.pause(50..600).await;
        }
        None
    }
}

#[derive(Debug, Clone, Copy)]
enum Leave {
    Close,
    PutBack,
    HandToBot,
}
