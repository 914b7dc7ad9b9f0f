//! The router: gives waiting conversations to agents.
//!
//! One router is active, by a lease; it follows the log in memory, proposes by a pure function, and every proposal is
//! decided again on fresh state under the visitor's and the agent's lock. Safety comes from the two streams, the lease only
//! saves work.

use std::sync::Arc;
use std::time::Duration;

use domain::agent::Presence;
use domain::context::IdSeed;
use domain::conversation::Command;
use domain::event::Actor;
use domain::rejection::Rejection;
use domain::routing::{Explanation, Floor, Proposal};
use domain::texts::TextKey;
use shared::{ConversationId, PersonId};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::ports::{Changes, Cursor, Environment, Live, Loaded, LoadedAgent, Scope, Seen, Store, StoreError, Topic, VisitorRef};
use crate::relay_handle::RelayHandle;
use crate::unit::{Cause, Unit, settings_for};

/// The name of the lease.
const LEASE: &str = "router";
/// How long the lease lasts; another router takes over that long after the active one died.
const SPAN: Duration = Duration::from_secs(4);
/// How often it is renewed.
const RENEWAL: Duration = Duration::from_secs(1);
/// Most proposals carried out before the log is read again.
const ROUND: usize = 64;
/// Events read at a time.
const PAGE: usize = 1_000;

/// The router loop of a process.
pub struct Router<S, E, L> {
    /// Where decisions go.
    pub store: Arc<S>,
    /// Time and ids.
    pub environment: Arc<E>,
    /// Wakes it.
    pub live: Arc<L>,
    /// Takes the effects.
    pub relay: RelayHandle,
    /// Holder of the lease.
    pub holder: Uuid,
}

/// What an active router knows.
struct Watch {
    floor: Floor,
    cursor: Cursor,
    /// Proposals wait until the log was read up to here: before that they would be made twice.
    not_before: Cursor,
}

impl<S: Store, E: Environment, L: Live> Router<S, E, L> {
    /// Routes whenever this process holds the lease, until it is told to stop.
    pub async fn run(&self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            if self.has_lease().await
                && let Err(error) = self.route(&stop).await
            {
                tracing::warn!(error = error.as_error(), "routing waits for the store");
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => {}
                () = tokio::time::sleep(RENEWAL) => {}
            }
        }
        // A lease that is not given back lapses by itself.
        let _released = self.store.release(LEASE, self.holder).await;
    }

    async fn has_lease(&self) -> bool {
        matches!(
            self.store.lease(LEASE, self.holder, self.environment.now(), SPAN).await,
            Ok(Some(_))
        )
    }

    async fn route(&self, stop: &CancellationToken) -> Result<(), StoreError> {
        let (floor, cursor) = self.store.floor().await?;
        let mut watch = Watch {
            floor,
            cursor,
            not_before: cursor,
        };
        let mut renewed = self.environment.now();
        let mut seen = Seen::default();
        loop {
            self.follow(&mut watch).await?;
            if watch.cursor >= watch.not_before {
                self.carry_out_round(&mut watch).await?;
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => return Ok(()),
                () = self.live.wait(Topic::Log, &mut seen) => {}
            }
            let now = self.environment.now();
            if now.since(renewed) >= RENEWAL {
                if !self.has_lease().await {
                    return Ok(());
                }
                renewed = now;
            }
        }
    }

    async fn follow(&self, watch: &mut Watch) -> Result<(), StoreError> {
        loop {
            let page = self.store.read_log(watch.cursor, PAGE).await?;
            for read in &page.events {
                watch.floor.observe(read.stream, &read.event);
            }
            watch.cursor = page.next;
            if !page.full {
                return Ok(());
            }
        }
    }

    async fn carry_out_round(&self, watch: &mut Watch) -> Result<(), StoreError> {
        let proposals = watch.floor.proposals(self.environment.now(), &watch.cursor.to_string(), ROUND);
        for proposal in proposals {
            if let Proposal::Notice { conversation, .. } = &proposal
                && let Some(known) = watch.floor.conversations.get_mut(conversation)
            {
                // A blank text leaves no trace in the log: it must not be proposed for ever.
                known.noticed = true;
            }
            match self.carry_out(&proposal).await {
                Ok(Some(cursor)) => watch.not_before = watch.not_before.max(cursor),
                Ok(None) | Err(StoreError::Conflict { .. } | StoreError::LockTimeout) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn carry_out(&self, proposal: &Proposal) -> Result<Option<Cursor>, StoreError> {
        let (conversation, agent) = match proposal {
            Proposal::Assign { conversation, agent, .. } | Proposal::Release { conversation, agent } => (*conversation, Some(*agent)),
            Proposal::Notice { conversation, .. } => (*conversation, None),
        };
        let scope = Scope {
            visitors: vec![VisitorRef::Of(conversation)],
            agent,
            claim: self.relay.room(),
            ..Scope::default()
        };
        let proposal = proposal.clone();
        let now = self.environment.now();
        let seed = IdSeed::new(self.environment.fresh_id());
        let step = move |loaded: &Loaded| {
            let mut unit = Unit::new(loaded, now);
            let rejected = decide_again(&mut unit, &proposal, seed).err();
            // Whatever a rejected decision had begun is not written.
            let changes = if rejected.is_some() { Changes::default() } else { unit.finish() };
            (changes, rejected)
        };
        let committed = self.store.transact(scope, Box::new(step)).await?;
        if let Some(Some(rejection)) = &committed.value {
            tracing::debug!(conversation.id = %conversation, %rejection, "a stale proposal was skipped");
        }
        self.relay.take(committed.claimed);
        if committed.cursor.is_some() {
            self.live.wake(Topic::Log);
        }
        if committed.more_effects {
            self.live.wake(Topic::Outbox);
        }
        Ok(committed.cursor)
    }
}

fn decide_again(unit: &mut Unit<'_>, proposal: &Proposal, seed: IdSeed) -> Result<(), Rejection> {
    match proposal {
        Proposal::Assign {
            conversation,
            agent,
            explanation,
        } => assign(unit, *conversation, *agent, explanation, seed),
        Proposal::Notice { conversation, key, ahead } => notice(unit, *conversation, *key, *ahead, seed),
        Proposal::Release { conversation, agent } => release(unit, *conversation, *agent, seed),
    }
}

fn assign(unit: &mut Unit<'_>, id: ConversationId, agent: PersonId, explanation: &Explanation, seed: IdSeed) -> Result<(), Rejection> {
    let loaded = unit.loaded();
    let conversation = unit.conversation(id).ok_or(Rejection::ConversationOver)?;
    let on_floor = loaded.agent.as_ref().ok_or(Rejection::AgentNotReady)?;
    let capacity = capacity_for(on_floor, conversation.skill_group)?;
    let engaged = on_floor.agent.state.engage(id, capacity, false, unit.now())?;
    let (settings, visitor) = (settings_for(loaded, conversation), conversation.visitor);
    let command = Command::Offer {
        agent,
        public_name: on_floor.public_name.clone(),
        explanation: Box::new(explanation.clone()),
    };
    let cause = cause(id);
    unit.command(id, visitor, &command, &settings, seed, &cause)?;
    unit.agent(agent, engaged, &cause);
    Ok(())
}

fn notice(unit: &mut Unit<'_>, id: ConversationId, key: TextKey, ahead: usize, seed: IdSeed) -> Result<(), Rejection> {
    let conversation = unit.conversation(id).ok_or(Rejection::ConversationOver)?;
    let (settings, visitor) = (settings_for(unit.loaded(), conversation), conversation.visitor);
    unit.command(id, visitor, &Command::GiveQueueNotice { key, ahead }, &settings, seed, &cause(id))
        .map(|_| ())
}

fn release(unit: &mut Unit<'_>, id: ConversationId, agent: PersonId, seed: IdSeed) -> Result<(), Rejection> {
    let loaded = unit.loaded();
    let on_floor = loaded.agent.as_ref().ok_or(Rejection::AgentNotReady)?;
    let disabled = on_floor.person.state.as_ref().is_none_or(|person| !person.enabled);
    if on_floor.agent.state.presence != Presence::Offline && !disabled {
        return Err(Rejection::Stale);
    }
    let cause = cause(id);
    if let Some(conversation) = unit.conversation(id).filter(|conversation| !conversation.is_closed()) {
        let (settings, visitor) = (settings_for(loaded, conversation), conversation.visitor);
        unit.command(id, visitor, &Command::AgentLeft { agent }, &settings, seed, &cause)?;
    }
    let released = on_floor.agent.state.release(id, unit.now());
    unit.agent(agent, released, &cause);
    Ok(())
}

/// The capacity of an agent for a group, if they serve it.
pub(crate) fn capacity_for(agent: &LoadedAgent, group: shared::SkillGroupId) -> Result<u32, Rejection> {
    let person = agent
        .person
        .state
        .as_ref()
        .filter(|person| person.enabled)
        .ok_or(Rejection::AgentNotReady)?;
    if person.skill_groups.contains(&group) {
        Ok(person.capacity)
    } else {
        Err(Rejection::NotInSkillGroup)
    }
}

const fn cause(id: ConversationId) -> Cause {
    Cause {
        actor: Actor::System,
        correlation: id.0,
        traceparent: None,
    }
}
