//! What a transaction does to the outbox: computed on the lanes as they were locked, then written.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use diesel::pg::PgConnection;
use domain::effect::{Effect, LaneClass};
use engine::ports::{ClaimedEffect, EffectRef, NewEffect, RelayId, Scope, Settled, Settlement, Withdrawal};
use shared::{ConversationId, EffectId, MessageId, Timestamp, VisitorId};
use uuid::Uuid;

use crate::failure::{Failure, data};
use crate::instant::to_pg;
use crate::tables::lane::{self, Lane, LaneKey, Standing};
use crate::tables::outbox::{self, Change, Held, Kind, NewRow, State};
use crate::tables::settings;
use crate::vault::{Known, place};

/// How long a relay has what a transaction gives it: engine's relay renews long before.
const LEASE: Duration = Duration::from_secs(15);

/// What was due when the step ran is due, even where the process's clock is a little ahead of the database's.
const SKEW: Duration = Duration::from_millis(100);

/// What the outbox holds of the visitors of a transaction, with their lanes locked.
pub(super) struct Lanes {
    pub(super) visitors: BTreeMap<VisitorId, Arc<Known>>,
    pub(super) held: Vec<Held>,
    rows: BTreeMap<LaneKey, Lane>,
}

/// What became of the outbox.
#[derive(Default)]
pub(super) struct Written {
    pub(super) claimed: Vec<ClaimedEffect>,
    pub(super) more_effects: bool,
}

/// An effect that this transaction adds.
struct New {
    row: NewRow,
    effect: Effect,
}

/// One effect of a lane in the making.
enum Item {
    Old(Held),
    New(Box<New>),
}

impl Item {
    /// Its id, where it was there before this transaction.
    const fn old(&self) -> Option<EffectId> {
        match self {
            Self::Old(held) => Some(held.id),
            Self::New(..) => None,
        }
    }

    const fn due(&self) -> Timestamp {
        match self {
            Self::Old(held) => held.due,
            Self::New(new) => new.row.due,
        }
    }

    fn is_taken(&self) -> bool {
        match self {
            Self::Old(held) => held.state != State::Ready,
            Self::New(new) => new.row.state != State::Ready,
        }
    }
}

/// A lane in the making.
struct Draft {
    page: String,
    quiet_until: Option<Timestamp>,
    items: Vec<Item>,
    exists: bool,
    touched: bool,
    /// The first effect that anybody could have taken before this transaction.
    waiting: Option<EffectId>,
}

impl Draft {
    /// The first effect, where somebody may take it now.
    fn free_head(&self, now: Timestamp) -> Option<&Item> {
        let is_quiet = self.quiet_until.is_some_and(|until| until > now);
        self.items
            .first()
            .filter(|head| !is_quiet && !head.is_taken() && head.due() <= now.plus(SKEW))
    }
}

impl Lanes {
    /// Locks the lanes first: an effect read before would be older than the lock.
    pub(super) fn lock(connection: &mut PgConnection, visitors: &[Uuid]) -> Result<Self, Failure> {
        let rows = lane::lock(connection, visitors)?;
        let busy: BTreeSet<Uuid> = rows.keys().map(|(visitor, _)| visitor.0).collect();
        Ok(Self {
            visitors: BTreeMap::new(),
            held: outbox::held(connection, &busy.into_iter().collect::<Vec<_>>())?,
            rows,
        })
    }

    /// Which of these effects still stand at the attempt that was made.
    pub(super) fn ours(&self, effects: &[EffectRef]) -> BTreeSet<EffectId> {
        let taken = self.held.iter().filter(|held| held.state != State::Ready);
        let attempts: BTreeMap<EffectId, i32> = taken.map(|held| (held.id, held.attempt)).collect();
        let stands = |effect: &&EffectRef| {
            let attempt = attempts.get(&effect.effect);
            attempt.is_some_and(|attempt| u32::try_from(*attempt) == Ok(effect.attempt))
        };
        effects.iter().filter(stands).map(|effect| effect.effect).collect()
    }

    /// The conversations of these effects.
    pub(super) fn conversations_of(&self, effects: &BTreeSet<EffectId>) -> Vec<ConversationId> {
        let named = self.held.iter().filter(|held| effects.contains(&held.id));
        named.map(|held| held.conversation).collect()
    }

    /// Messages whose attempt has not begun, by visitor.
    pub(super) fn unattempted(&self) -> BTreeMap<VisitorId, BTreeSet<MessageId>> {
        let mut unattempted: BTreeMap<VisitorId, BTreeSet<MessageId>> = BTreeMap::new();
        for held in self.held.iter().filter(|held| held.state != State::Started) {
            unattempted.entry(held.visitor).or_default().extend(held.message);
        }
        unattempted
    }

    /// Writes what the step said about effects.
    pub(super) fn write(
        self,
        connection: &mut PgConnection,
        scope: &Scope,
        effects: Vec<NewEffect>,
        withdrawn: &[Withdrawal],
        settled: &[Settled],
        now: Timestamp,
    ) -> Result<Written, Failure> {
        if effects.is_empty() && withdrawn.is_empty() && settled.is_empty() {
            return Ok(Written::default());
        }
        let ours = self.ours(&scope.effects);
        let visitors = self.visitors.clone();
        let mut plan = Plan::begin(self, scope.claim, now);
        plan.settle(&ours, settled);
        plan.withdraw(withdrawn)?;
        plan.add(&visitors, effects)?;
        plan.carry_out(connection, &visitors)
    }
}

struct Plan {
    drafts: BTreeMap<LaneKey, Draft>,
    removed: Vec<(EffectId, Option<i32>)>,
    changed: Vec<Change>,
    taker: Option<(RelayId, usize)>,
    now: Timestamp,
}

impl Plan {
    fn begin(lanes: Lanes, taker: Option<(RelayId, usize)>, now: Timestamp) -> Self {
        let mut drafts: BTreeMap<LaneKey, Draft> = lanes
            .rows
            .into_iter()
            .map(|(key, lane)| {
                let draft = Draft {
                    page: lane.page,
                    quiet_until: lane.quiet_until,
                    items: Vec::new(),
                    exists: true,
                    touched: false,
                    waiting: None,
                };
                (key, draft)
            })
            .collect();
        for held in lanes.held {
            if let Some(draft) = drafts.get_mut(&(held.visitor, held.class)) {
                draft.items.push(Item::Old(held));
            }
        }
        for draft in drafts.values_mut() {
            draft.waiting = draft.free_head(now).and_then(Item::old);
        }
        Self {
            drafts,
            removed: Vec::new(),
            changed: Vec::new(),
            taker,
            now,
        }
    }

    /// Effects that ended; one that is no longer ours is passed over.
    fn settle(&mut self, ours: &BTreeSet<EffectId>, settled: &[Settled]) {
        let ends: BTreeMap<EffectId, &Settlement> = settled
            .iter()
            .filter(|settled| ours.contains(&settled.effect))
            .map(|settled| (settled.effect, &settled.settlement))
            .collect();
        for draft in self.drafts.values_mut() {
            for item in std::mem::take(&mut draft.items) {
                match item {
                    Item::Old(mut held) if ends.contains_key(&held.id) => {
                        draft.touched = true;
                        match ends.get(&held.id) {
                            Some(Settlement::Again { not_before }) => {
                                held.state = State::Ready;
                                held.due = *not_before;
                                self.changed.push(Change {
                                    id: held.id,
                                    expected: held.attempt,
                                    state: State::Ready,
                                    attempt: held.attempt,
                                    due: *not_before,
                                });
                                draft.items.push(Item::Old(held));
                            }
                            Some(Settlement::Unknown { quiet_until }) => {
                                draft.quiet_until = draft.quiet_until.max(Some(*quiet_until));
                                self.removed.push((held.id, Some(held.attempt)));
                            }
                            Some(Settlement::Done) | None => self.removed.push((held.id, Some(held.attempt))),
                        }
                    }
                    other => draft.items.push(other),
                }
            }
        }
    }

    /// Takes back what has not begun.
    fn withdraw(&mut self, withdrawn: &[Withdrawal]) -> Result<(), Failure> {
        for withdrawal in withdrawn {
            let mut found = None;
            let drafts = self.drafts.iter_mut().filter(|((visitor, _), _)| *visitor == withdrawal.visitor);
            for (_, draft) in drafts {
                draft.items.retain(|item| match item {
                    Item::Old(held) if held.message == Some(withdrawal.message) && held.state != State::Started => {
                        found = Some(held.id);
                        draft.touched = true;
                        false
                    }
                    _ => true,
                });
            }
            // It has begun, or ended, since the step's picture was taken.
            let id = found.ok_or(Failure::Collided)?;
            // One that this very transaction puts off is still on record as begun.
            let put_off = self.changed.iter().position(|change| change.id == id);
            let attempt = put_off.map(|place| self.changed.swap_remove(place).expected);
            self.removed.push((id, attempt));
        }
        Ok(())
    }

    fn add(&mut self, visitors: &BTreeMap<VisitorId, Arc<Known>>, effects: Vec<NewEffect>) -> Result<(), Failure> {
        for NewEffect { id, visitor, effect, due } in effects {
            let known = visitors
                .get(&visitor)
                .ok_or_else(|| data("an effect of a visitor outside the scope"))?;
            // An effect is made of structs and maps with text keys: writing it as JSON cannot fail.
            let body = known.seal(&place("effect", id.0), &serde_json::to_vec(&effect).unwrap_or_default());
            let row = NewRow {
                id,
                visitor,
                class: effect.class(),
                page: effect.page().as_str().to_owned(),
                kind: Kind::of(effect.is_once()),
                message: effect.message(),
                conversation: effect.conversation(),
                body,
                state: State::Ready,
                attempt: 0,
                due,
            };
            let draft = self.drafts.entry((visitor, row.class)).or_insert_with(|| Draft {
                page: row.page.clone(),
                quiet_until: None,
                items: Vec::new(),
                exists: false,
                touched: true,
                waiting: None,
            });
            draft.touched = true;
            draft.items.push(Item::New(Box::new(New { row, effect })));
        }
        Ok(())
    }

    /// Gives what became free to the relay that asked for it, all of it or nothing; whether something is left over.
    fn take_heads(&mut self, closed: &BTreeSet<String>) -> bool {
        let now = self.now;
        let is_open = |class: LaneClass, draft: &Draft| class != LaneClass::Message || !closed.contains(&draft.page);
        let freed: Vec<LaneKey> = self
            .drafts
            .iter()
            .filter(|((_, class), draft)| draft.touched && is_open(*class, draft))
            .filter(|(_, draft)| {
                draft
                    .free_head(now)
                    .is_some_and(|head| head.old().is_none() || head.old() != draft.waiting)
            })
            .map(|(key, _)| *key)
            .collect();
        if self.taker.is_none_or(|(_, most)| freed.len() > most) {
            return !freed.is_empty();
        }
        for key in freed {
            if let Some(head) = self.drafts.get_mut(&key).and_then(|draft| draft.items.first_mut()) {
                take(head, &mut self.changed);
            }
        }
        false
    }

    fn standings(&self) -> (Vec<Standing>, Vec<LaneKey>) {
        let mut standing = Vec::new();
        let mut gone = Vec::new();
        for (key, draft) in self.drafts.iter().filter(|(_, draft)| draft.touched) {
            let quiet_until = draft.quiet_until.filter(|until| *until > self.now);
            if draft.items.is_empty() && quiet_until.is_none() {
                if draft.exists {
                    gone.push(*key);
                }
                continue;
            }
            let head = draft.items.first();
            standing.push(Standing {
                key: *key,
                page: draft.page.clone(),
                head_due: head.map(|head| quiet_until.map_or(head.due(), |until| until.max(head.due()))),
                busy: head.is_some_and(Item::is_taken),
                quiet_until,
            });
        }
        (standing, gone)
    }

    fn carry_out(mut self, connection: &mut PgConnection, visitors: &BTreeMap<VisitorId, Arc<Known>>) -> Result<Written, Failure> {
        let closed = if self.taker.is_some() {
            let is_asked = |class: LaneClass, draft: &Draft| class == LaneClass::Message && draft.touched && !draft.items.is_empty();
            let asked = self.drafts.iter().filter(|((_, class), draft)| is_asked(*class, draft));
            settings::closed(connection, &asked.map(|(_, draft)| draft.page.as_str()).collect())?
        } else {
            BTreeSet::new()
        };
        let more_effects = self.take_heads(&closed);
        let until = self.now.plus(LEASE);
        let taken = match self.taker {
            Some((relay, _)) => Some((relay, to_pg(until)?)),
            None => None,
        };
        if outbox::remove(connection, &self.removed)? != self.removed.len() {
            return Err(Failure::Collided);
        }
        let changed = outbox::change(connection, &self.changed, taken)?;
        if changed.len() != self.changed.len() {
            return Err(Failure::Collided);
        }
        let (standing, gone) = self.standings();
        let (rows, effects) = fresh(self.drafts);
        outbox::insert(connection, &rows, taken)?;
        lane::put(connection, &standing)?;
        lane::delete(connection, &gone)?;

        let mut claimed = Vec::new();
        for row in changed.into_iter().filter(|row| row.leased_until.is_some()) {
            claimed.extend(crate::postgres::claimed(visitors, row));
        }
        for (row, effect) in rows.iter().zip(effects).filter(|(row, _)| row.state != State::Ready) {
            claimed.extend(visitors.get(&row.visitor).map(|known| ClaimedEffect {
                id: row.id,
                visitor: row.visitor,
                page: known.page.clone(),
                party: known.party.clone(),
                effect,
                attempt: 1,
                started: row.state == State::Started,
                leased_until: until,
            }));
        }
        Ok(Written { claimed, more_effects })
    }
}

/// Makes an effect the relay's. One that goes once is on record from now on.
fn take(head: &mut Item, changed: &mut Vec<Change>) {
    match head {
        Item::New(new) => {
            new.row.state = taken(new.row.kind);
            new.row.attempt = 1;
        }
        Item::Old(held) => {
            let before = held.attempt;
            held.state = taken(held.kind);
            held.attempt = before.saturating_add(1);
            // One that is due again at once replaces its change.
            changed.retain(|change| change.id != held.id);
            changed.push(Change {
                id: held.id,
                expected: before,
                state: held.state,
                attempt: held.attempt,
                due: held.due,
            });
        }
    }
}

const fn taken(kind: Kind) -> State {
    match kind {
        Kind::Once => State::Started,
        Kind::Repeatable => State::Claimed,
    }
}

/// The new effects of all lanes, each lane's in its order.
fn fresh(drafts: BTreeMap<LaneKey, Draft>) -> (Vec<NewRow>, Vec<Effect>) {
    let items = drafts.into_values().flat_map(|draft| draft.items);
    items
        .filter_map(|item| match item {
            Item::New(new) => Some((new.row, new.effect)),
            Item::Old(_) => None,
        })
        .unzip()
}
