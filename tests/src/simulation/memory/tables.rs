//! Everything that is committed, and how one transaction changes it: wholly or not at all.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use domain::conversation::Conversation;
use domain::effect::LaneClass;
use domain::event::StreamId;
use domain::visitor::Visitor;
use engine::ports::{
    Arrived, Changes, ClaimedEffect, Cursor, EffectRef, Idempotency, InboxKey, Loaded, LoadedVisitor, NewEffect, Quarantined, RelayId,
    Scope, Settled, Settlement, StoreError, StreamState, VisitorRef, Withdrawal,
};
use shared::{ConversationId, EffectId, PageId, Party, PersonId, Timestamp, VisitorId};
use uuid::Uuid;

use super::faults::refused;
use super::leases::Leases;
use super::locks::Key;
use super::outbox::{Hold, LaneKey, Outbox, Standing, lane_of};
use super::read_models::ReadModels;
use super::streams::Streams;

/// How long a relay has what it takes within a transaction.
const LEASE: Duration = Duration::from_secs(15);

/// A command's kept answer.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) fingerprint: String,
    pub(super) response: serde_json::Value,
}

/// What a commit tells.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) cursor: Option<Cursor>,
    pub(super) claimed: Vec<ClaimedEffect>,
    pub(super) more_effects: bool,
}

/// Everything that is committed.
#[derive(Debug, Default)]
pub(super) struct Tables {
    pub(super) streams: Streams,
    pub(super) outbox: Outbox,
    pub(super) read_models: ReadModels,
    pub(super) leases: Leases,
    pub(super) quarantine: Vec<Quarantined>,
    pub(super) receipts: BTreeSet<String>,
    visitors: BTreeMap<VisitorId, (PageId, Party)>,
    identities: BTreeMap<(PageId, Party), VisitorId>,
    inbox: BTreeSet<InboxKey>,
    kept: BTreeMap<(PersonId, String), Kept>,
}

impl Tables {
    /// The visitor that a reference means, as Facebook calls them.
    fn identity(&self, reference: &VisitorRef) -> Option<(PageId, Party)> {
        match reference {
            VisitorRef::Identity { page, party, .. } => Some((page.clone(), party.clone())),
            VisitorRef::Id(id) => self.visitors.get(id).cloned(),
            VisitorRef::Of(conversation) => {
                let visitor = self.streams.visitor_of(*conversation)?;
                self.visitors.get(&visitor).cloned()
            }
        }
    }

    /// The visitors of a scope as Facebook calls them: what is locked, and no other one is loaded afterwards.
    pub(super) fn look_up(&self, scope: &Scope) -> BTreeMap<VisitorRef, (PageId, Party)> {
        let references = scope.visitors.iter();
        references
            .filter_map(|reference| self.identity(reference).map(|identity| (reference.clone(), identity)))
            .collect()
    }

    pub(super) fn answer_to(&self, idempotency: &Idempotency) -> Option<Kept> {
        self.kept.get(&(idempotency.person, idempotency.key.clone())).cloned()
    }

    /// What the step gets to see.
    pub(super) fn load(&self, scope: &Scope, identities: &BTreeMap<VisitorRef, (PageId, Party)>) -> Result<Loaded, StoreError> {
        let mut loaded = Loaded {
            known: scope.inbox.iter().filter(|key| self.inbox.contains(*key)).cloned().collect(),
            ours: self.ours(&scope.effects),
            agent: scope.agent.map(|agent| self.streams.loaded_agent(agent)).transpose()?,
            directory: scope.directory.map(|stream| self.streams.newest(stream)).transpose()?,
            ..Loaded::default()
        };
        let mut fresh: BTreeMap<&(PageId, Party), VisitorId> = BTreeMap::new();
        // In the scope's order: of two names of one new visitor the first one gives the id.
        for reference in &scope.visitors {
            let Some(identity) = identities.get(reference) else { continue };
            let id = match (self.identities.get(identity), reference) {
                (Some(known), _) => *known,
                (None, VisitorRef::Identity { fresh: id, .. }) => *fresh.entry(identity).or_insert(*id),
                (None, VisitorRef::Id(_) | VisitorRef::Of(_)) => continue,
            };
            loaded.found.insert(reference.clone(), id);
            if let std::collections::btree_map::Entry::Vacant(place) = loaded.visitors.entry(id) {
                place.insert(self.load_visitor(id, identity)?);
            }
        }
        self.load_named_conversations(scope, &mut loaded)?;
        let pages: BTreeSet<PageId> = loaded.visitors.values().map(|visitor| visitor.page.clone()).collect();
        for page in pages.union(&scope.pages) {
            if let Some(settings) = self.streams.settings_of(page)? {
                loaded.pages.insert(page.clone(), settings);
            }
        }
        Ok(loaded)
    }

    fn load_visitor(&self, id: VisitorId, (page, party): &(PageId, Party)) -> Result<LoadedVisitor, StoreError> {
        let unborn = || StreamState {
            version: 0,
            state: Visitor::default(),
        };
        let mut visitor = LoadedVisitor {
            id,
            page: page.clone(),
            party: party.clone(),
            stream: self.streams.load(id.into())?.unwrap_or_else(unborn),
            conversations: BTreeMap::new(),
            unattempted: self.outbox.unattempted(id),
        };
        if let Some(open) = self.streams.live_conversation(id) {
            self.load_conversation(open, &mut visitor)?;
        }
        Ok(visitor)
    }

    /// Conversations that the scope names, and those whose effects it settles.
    fn load_named_conversations(&self, scope: &Scope, loaded: &mut Loaded) -> Result<(), StoreError> {
        let named = scope.visitors.iter().filter_map(|reference| match reference {
            VisitorRef::Of(conversation) => Some(*conversation),
            VisitorRef::Identity { .. } | VisitorRef::Id(_) => None,
        });
        let settled = scope.effects.iter().filter_map(|effect| self.outbox.entry(effect.effect));
        for id in named.chain(settled.map(|entry| entry.effect.conversation())) {
            let owner = self.streams.visitor_of(id).and_then(|owner| loaded.visitors.get_mut(&owner));
            if let Some(visitor) = owner {
                self.load_conversation(id, visitor)?;
            }
        }
        Ok(())
    }

    fn load_conversation(&self, id: ConversationId, visitor: &mut LoadedVisitor) -> Result<(), StoreError> {
        if let Some(state) = self.streams.load::<Conversation>(id.into())? {
            visitor.conversations.insert(id, state);
        }
        Ok(())
    }

    fn ours(&self, effects: &[EffectRef]) -> BTreeSet<EffectId> {
        let ours = effects.iter().filter(|effect| self.outbox.is_ours(**effect));
        ours.map(|effect| effect.effect).collect()
    }

    /// Writes what the step says: first every check, then every write.
    pub(super) fn commit(
        &mut self,
        transaction: i64,
        scope: &Scope,
        loaded: &Loaded,
        changes: Changes,
        now: Timestamp,
    ) -> Result<Outcome, StoreError> {
        let newcomers = newcomers(loaded, &self.visitors, &changes);
        self.check_references(&newcomers, &changes)?;
        self.read_models.check(&changes.rows)?;
        self.must_be_kept(&changes.redriven)?;
        let ours = self.ours(&scope.effects);
        let withdrawn = self.withdrawable(&changes.withdrawn, &put_off(&ours, &changes.settled))?;
        let prepared = self.streams.prepare(changes.appends)?;

        let lanes = self.lanes_touched(&changes.effects, &withdrawn, &ours);
        let before: Vec<Option<EffectId>> = lanes.iter().map(|lane| self.outbox.claimable(lane, now)).collect();
        for (id, identity) in newcomers {
            self.identities.insert(identity.clone(), id);
            self.visitors.insert(id, identity);
        }
        self.write_inbox(changes.arrived);
        let cursor = self.streams.write(transaction, prepared);
        changes.rows.into_iter().for_each(|row| self.read_models.run(row));
        for settled in changes.settled.iter().filter(|settled| ours.contains(&settled.effect)) {
            self.outbox.settle(settled.effect, &settled.settlement);
        }
        withdrawn.into_iter().for_each(|id| self.outbox.remove(id));
        changes.effects.iter().for_each(|effect| self.outbox.add(effect));
        self.quarantine.retain(|kept| !changes.redriven.contains(&kept.id));
        self.quarantine.extend(changes.quarantined);
        self.keep_answer(scope.idempotency.as_ref(), changes.response);
        // What this transaction settles is no longer in its hand when it has ended.
        self.outbox.let_go(&scope.effects);
        let freed: Vec<EffectId> = lanes
            .iter()
            .zip(before)
            .filter_map(|(lane, before)| self.outbox.claimable(lane, now).filter(|head| Some(*head) != before))
            .collect();
        self.outbox.keep_in_hand(&scope.effects);
        let (claimed, more_effects) = self.take_freed(freed, scope.claim, now);
        Ok(Outcome {
            cursor,
            claimed,
            more_effects,
        })
    }

    fn check_references(&self, newcomers: &BTreeMap<VisitorId, (PageId, Party)>, changes: &Changes) -> Result<(), StoreError> {
        let owners = changes.appends.iter().filter_map(|append| append.visitor);
        let known = |id: &VisitorId| self.visitors.contains_key(id) || newcomers.contains_key(id);
        if !owners
            .chain(changes.effects.iter().map(|effect| effect.visitor))
            .all(|id| known(&id))
        {
            return Err(refused("a visitor is not known"));
        }
        let mut ids = BTreeSet::new();
        if changes
            .effects
            .iter()
            .all(|effect| ids.insert(effect.id) && self.outbox.entry(effect.id).is_none())
        {
            Ok(())
        } else {
            Err(refused("an effect with this id exists"))
        }
    }

    fn withdrawable(&self, withdrawn: &[Withdrawal], put_off: &BTreeSet<EffectId>) -> Result<Vec<EffectId>, StoreError> {
        let found = withdrawn.iter().map(|Withdrawal { visitor, message }| {
            let stream = StreamId::from(*visitor);
            let expected = self.streams.version(stream);
            self.outbox
                .withdrawable(*visitor, *message, put_off)
                .ok_or(StoreError::Conflict { stream, expected })
        });
        found.collect()
    }

    /// What was kept aside and is processed now must not have been processed by somebody else.
    fn must_be_kept(&self, redriven: &[Uuid]) -> Result<(), StoreError> {
        let kept = |id: &Uuid| self.quarantine.iter().any(|kept| kept.id == *id);
        match redriven.iter().find(|id| !kept(id)) {
            // A kept event has no stream: its own id stands for the visitor's that it would go to.
            Some(id) => Err(StoreError::Conflict {
                stream: StreamId::from(VisitorId(*id)),
                expected: 0,
            }),
            None => Ok(()),
        }
    }

    fn lanes_touched(&self, added: &[NewEffect], withdrawn: &[EffectId], settled: &BTreeSet<EffectId>) -> BTreeSet<LaneKey> {
        let gone = withdrawn.iter().chain(settled).filter_map(|id| self.outbox.entry(*id)).map(lane_of);
        let new = added.iter().map(|effect| (effect.visitor, effect.effect.class()));
        gone.chain(new).collect::<BTreeSet<(VisitorId, LaneClass)>>()
    }

    fn write_inbox(&mut self, arrived: Vec<Arrived>) {
        for Arrived { key, receipt } in arrived {
            self.inbox.insert(key);
            self.receipts.extend(receipt);
        }
    }

    fn keep_answer(&mut self, idempotency: Option<&Idempotency>, response: Option<serde_json::Value>) {
        if let (Some(command), Some(response)) = (idempotency, response) {
            let kept = Kept {
                fingerprint: command.fingerprint.clone(),
                response,
            };
            self.kept.insert((command.person, command.key.clone()), kept);
        }
    }

    /// All that became free, or nothing of it.
    fn take_freed(&mut self, freed: Vec<EffectId>, claim: Option<(RelayId, usize)>, now: Timestamp) -> (Vec<ClaimedEffect>, bool) {
        let Some((relay, _)) = claim.filter(|(_, most)| freed.len() <= *most) else {
            return (Vec::new(), !freed.is_empty());
        };
        (self.claim(&freed, relay, now, LEASE, true), false)
    }

    /// Gives effects to a relay. Those that go once are on record as started where the caller wants it.
    pub(super) fn claim(&mut self, ids: &[EffectId], relay: RelayId, now: Timestamp, lease: Duration, start: bool) -> Vec<ClaimedEffect> {
        let until = now.plus(lease);
        for id in ids {
            let once = self.outbox.entry(*id).is_some_and(|entry| entry.effect.is_once());
            self.outbox.claim(*id, Hold { relay, until }, start && once);
        }
        ids.iter().filter_map(|id| self.claimed(*id)).collect()
    }

    pub(super) fn claimed(&self, id: EffectId) -> Option<ClaimedEffect> {
        let entry = self.outbox.entry(id)?;
        let (page, party) = self.visitors.get(&entry.visitor)?;
        let (started, hold) = match entry.standing {
            Standing::Free => return None,
            Standing::Claimed(hold) => (false, hold),
            Standing::Started(hold) => (true, hold),
        };
        Some(ClaimedEffect {
            id,
            visitor: entry.visitor,
            page: page.clone(),
            party: party.clone(),
            effect: entry.effect.clone(),
            attempt: entry.attempt,
            started,
            leased_until: hold.until,
        })
    }
}

/// Effects of ours that are tried again: their attempts are over.
fn put_off(ours: &BTreeSet<EffectId>, settled: &[Settled]) -> BTreeSet<EffectId> {
    let again = |settled: &&Settled| matches!(settled.settlement, Settlement::Again { .. });
    let effects = settled.iter().filter(again).map(|settled| settled.effect);
    effects.filter(|effect| ours.contains(effect)).collect()
}

/// Visitors who become known because something is appended for them.
fn newcomers(loaded: &Loaded, known: &BTreeMap<VisitorId, (PageId, Party)>, changes: &Changes) -> BTreeMap<VisitorId, (PageId, Party)> {
    let appended: BTreeSet<VisitorId> = changes.appends.iter().filter_map(|append| append.visitor).collect();
    let unknown = loaded.visitors.values().filter(|visitor| !known.contains_key(&visitor.id));
    unknown
        .filter(|visitor| appended.contains(&visitor.id))
        .map(|visitor| (visitor.id, (visitor.page.clone(), visitor.party.clone())))
        .collect()
}

/// What a scope locks.
pub(super) fn locks_of(scope: &Scope, identities: &BTreeMap<VisitorRef, (PageId, Party)>) -> BTreeSet<Key> {
    let visitors = identities.values().map(|(page, party)| Key::Visitor(page.clone(), party.clone()));
    let agent = scope.agent.map(Key::Agent);
    let directory = scope.directory.map(|stream| Key::Directory(stream.to_string()));
    let inbox = scope.inbox.iter().map(|key| Key::Inbox(key.0.clone()));
    let command = scope
        .idempotency
        .iter()
        .map(|command| Key::Command(command.person, command.key.clone()));
    visitors.chain(agent).chain(directory).chain(inbox).chain(command).collect()
}
