//! Who a scope is about.

use std::collections::{BTreeMap, BTreeSet};

use diesel::pg::PgConnection;
use engine::ports::{Scope, VisitorRef};
use shared::{ConversationId, VisitorId};

use crate::failure::Failure;
use crate::tables::{streams, visitor};
use crate::vault::{Identity, Introduced, Vault};

/// The visitors of a scope.
pub(super) struct Found {
    /// Which id each reference turned out to be.
    pub(super) ids: BTreeMap<VisitorRef, VisitorId>,
    /// Those whom nobody has seen yet, with what their row would hold.
    pub(super) fresh: BTreeMap<VisitorId, Introduced>,
    /// Conversations that the scope names.
    pub(super) conversations: BTreeSet<ConversationId>,
}

/// Looks up without locking: what is found decides which locks are taken.
pub(super) fn find(connection: &mut PgConnection, vault: &Vault, scope: &Scope) -> Result<Found, Failure> {
    let mut found = Found {
        ids: BTreeMap::new(),
        fresh: BTreeMap::new(),
        conversations: BTreeSet::new(),
    };
    let mut unseen: BTreeMap<Identity, Vec<&VisitorRef>> = BTreeMap::new();
    for reference in &scope.visitors {
        match reference {
            VisitorRef::Id(id) => {
                found.ids.insert(reference.clone(), *id);
            }
            VisitorRef::Of(conversation) => {
                found.conversations.insert(*conversation);
            }
            VisitorRef::Identity { page, party, .. } => {
                let identity = vault.identity(page, party);
                match vault.id_of(&identity) {
                    Some(id) => {
                        found.ids.insert(reference.clone(), id);
                    }
                    None => unseen.entry(identity).or_default().push(reference),
                }
            }
        }
    }
    let mut asked = BTreeSet::new();
    for conversation in &found.conversations {
        match vault.visitor_of(*conversation) {
            Some(id) => {
                found.ids.insert(VisitorRef::Of(*conversation), id);
            }
            None => {
                asked.insert(*conversation);
            }
        }
    }
    for (conversation, id) in streams::visitors_of(connection, &asked)? {
        vault.assign(conversation, id);
        found.ids.insert(VisitorRef::Of(conversation), id);
    }
    let known = visitor::by_identity(connection, &unseen.keys().copied().collect::<Vec<_>>())?;
    for (identity, references) in unseen {
        let Some(VisitorRef::Identity { page, party, fresh }) = references.first() else {
            continue;
        };
        // The same visitor may stand several times in a batch, each time with another fresh id: the first one counts.
        let id = match known.get(&identity) {
            Some(id) => {
                vault.recognise(identity, *id);
                *id
            }
            None => {
                found.fresh.insert(*fresh, vault.introduce(*fresh, page, party));
                *fresh
            }
        };
        found.ids.extend(references.into_iter().map(|reference| (reference.clone(), id)));
    }
    Ok(found)
}

/// Looks up again under the locks: somebody may have made a visitor known in between, under an id that is not locked.
pub(super) fn look_again(connection: &mut PgConnection, found: &Found) -> Result<(), Failure> {
    let identities: Vec<Identity> = found.fresh.values().map(|new| new.identity).collect();
    if visitor::by_identity(connection, &identities)?.is_empty() {
        Ok(())
    } else {
        Err(Failure::Outdated)
    }
}
