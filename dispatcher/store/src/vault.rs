//! Keys: what is sealed with which, and who a visitor is.
//!
//! Every visitor has a key of their own, wrapped by the service's key; destroying it erases what was sealed with it. A
//! visitor is looked up by a keyed hash, so that the table of visitors tells nobody who writes to a Page.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use diesel::pg::PgConnection;
use domain::content::Content;
use hmac::{Hmac, KeyInit as _, Mac as _};
use rand::RngCore as _;
use sha2::Sha256;
use shared::sealing::{Keyring, Nonce, SealingKey};
use shared::{ConversationId, PageId, Party, VisitorId};
use uuid::Uuid;

use crate::failure::{Failure, unreadable};
use crate::recent::Recent;
use crate::tables::visitor::{self, VisitorRow};

/// Visitors whose keys are kept in the process: a few hundred bytes each.
const MOST_VISITORS: usize = 50_000;

/// A visitor whose key is there.
pub(crate) struct Known {
    pub(crate) id: VisitorId,
    pub(crate) page: PageId,
    pub(crate) party: Party,
    key: SealingKey,
}

/// A visitor about to be made known: what the row will hold.
pub(crate) struct Introduced {
    pub(crate) known: Arc<Known>,
    pub(crate) identity: Identity,
    pub(crate) data_key: Vec<u8>,
    pub(crate) party: Vec<u8>,
}

/// The keyed hash of Page and party.
pub(crate) type Identity = [u8; 32];

/// Seals and opens.
pub(crate) struct Vault {
    keyring: Keyring,
    identities: Hmac<Sha256>,
    visitors: Recent<VisitorId, Arc<Known>>,
    ids: Recent<Identity, VisitorId>,
    conversations: Recent<ConversationId, VisitorId>,
}

impl Vault {
    pub(crate) fn new(keyring: Keyring, identity_key: &[u8]) -> Option<Self> {
        Some(Self {
            keyring,
            identities: Hmac::<Sha256>::new_from_slice(identity_key).ok()?,
            visitors: Recent::new(MOST_VISITORS),
            ids: Recent::new(MOST_VISITORS),
            conversations: Recent::new(MOST_VISITORS),
        })
    }

    pub(crate) fn identity(&self, page: &PageId, party: &Party) -> Identity {
        let mut mac = self.identities.clone();
        mac.update(page.as_str().as_bytes());
        mac.update(b"\n");
        mac.update(party.as_key().as_bytes());
        mac.finalize().into_bytes().into()
    }

    /// The id of a visitor who was seen lately. An identity never changes its id.
    pub(crate) fn id_of(&self, identity: &Identity) -> Option<VisitorId> {
        self.ids.get(identity)
    }

    /// Remembers whose identity it is, which the database has said.
    pub(crate) fn recognise(&self, identity: Identity, id: VisitorId) {
        self.ids.put(identity, id);
    }

    /// Remembers a visitor who is in the database for sure.
    pub(crate) fn remember(&self, identity: Identity, known: Arc<Known>) {
        self.ids.put(identity, known.id);
        self.visitors.put(known.id, known);
    }

    /// Whose conversation it is, if that was asked lately. A conversation never changes its visitor.
    pub(crate) fn visitor_of(&self, conversation: ConversationId) -> Option<VisitorId> {
        self.conversations.get(&conversation)
    }

    /// Remembers whose conversation it is, which the database has said.
    pub(crate) fn assign(&self, conversation: ConversationId, visitor: VisitorId) {
        self.conversations.put(conversation, visitor);
    }

    /// Draws a key for a visitor who is new.
    pub(crate) fn introduce(&self, id: VisitorId, page: &PageId, party: &Party) -> Introduced {
        let mut bytes = [0; 32];
        rand::rng().fill_bytes(&mut bytes);
        let key = SealingKey::from_bytes(bytes);
        Introduced {
            identity: self.identity(page, party),
            data_key: self.seal_for_service(&place("visitor", id.0), &bytes),
            party: key.seal(nonce(), place("party", id.0).as_bytes(), party.as_key().as_bytes()),
            known: Arc::new(Known {
                id,
                page: page.clone(),
                party: party.clone(),
                key,
            }),
        }
    }

    /// Visitors by id, from memory or from the table. One whose key was destroyed is not among them.
    pub(crate) fn visitors(
        &self,
        connection: &mut PgConnection,
        ids: impl IntoIterator<Item = VisitorId>,
    ) -> Result<BTreeMap<VisitorId, Arc<Known>>, Failure> {
        let mut found = BTreeMap::new();
        let mut missing = BTreeSet::new();
        for id in ids {
            match self.visitors.get(&id) {
                Some(known) => {
                    found.insert(id, known);
                }
                None => {
                    missing.insert(id);
                }
            }
        }
        for row in visitor::by_id(connection, &missing)? {
            let id = VisitorId(row.id);
            if let Some(known) = self.unwrap(row)? {
                self.visitors.put(id, Arc::clone(&known));
                found.insert(id, known);
            }
        }
        Ok(found)
    }

    fn unwrap(&self, row: VisitorRow) -> Result<Option<Arc<Known>>, Failure> {
        let Some(wrapped) = row.data_key else { return Ok(None) };
        let at = place("visitor", row.id);
        let bytes = self.keyring.open(at.as_bytes(), &wrapped).ok();
        let bytes: Option<[u8; 32]> = bytes.and_then(|bytes| bytes.try_into().ok());
        let key = SealingKey::from_bytes(bytes.ok_or_else(|| unreadable(&at))?);
        let party = key.open(place("party", row.id).as_bytes(), &row.party).ok();
        let party = party
            .and_then(|party| String::from_utf8(party).ok())
            .ok_or_else(|| unreadable(&at))?;
        Ok(Some(Arc::new(Known {
            id: VisitorId(row.id),
            page: PageId::parse(&row.page_id).map_err(|_not_a_page| unreadable(&at))?,
            party: Party::from_key(&party),
            key,
        })))
    }

    /// Seals with the service's key.
    pub(crate) fn seal_for_service(&self, place: &str, plain: &[u8]) -> Vec<u8> {
        self.keyring.seal(nonce(), place.as_bytes(), plain)
    }

    /// Opens what the service's key sealed.
    pub(crate) fn open_for_service(&self, place: &str, sealed: &[u8]) -> Result<Vec<u8>, Failure> {
        Ok(self.keyring.open(place.as_bytes(), sealed).map_err(|_refused| unreadable(place))?)
    }

    /// Seals the content of an event: with the visitor's key, or the service's where there is no visitor.
    pub(crate) fn seal_content(&self, visitor: Option<&Known>, place: &str, content: &Content) -> Vec<u8> {
        // Content is made of structs and maps with text keys: writing it as JSON cannot fail.
        let plain = serde_json::to_vec(content).unwrap_or_default();
        match visitor {
            Some(known) => known.seal(place, &plain),
            None => self.seal_for_service(place, &plain),
        }
    }

    /// Opens the content of an event.
    pub(crate) fn open_content(&self, visitor: Option<&Known>, place: &str, sealed: &[u8]) -> Result<Content, Failure> {
        let plain = match visitor {
            Some(known) => known.open(place, sealed)?,
            None => self.open_for_service(place, sealed)?,
        };
        Ok(serde_json::from_slice(&plain).map_err(|_unreadable| unreadable(place))?)
    }
}

impl Known {
    /// Seals with the visitor's own key.
    pub(crate) fn seal(&self, place: &str, plain: &[u8]) -> Vec<u8> {
        self.key.seal(nonce(), place.as_bytes(), plain)
    }

    /// Opens what the visitor's own key sealed.
    pub(crate) fn open(&self, place: &str, sealed: &[u8]) -> Result<Vec<u8>, Failure> {
        Ok(self.key.open(place.as_bytes(), sealed).map_err(|_refused| unreadable(place))?)
    }
}

/// What a sealed value is bound to.
pub(crate) fn place(kind: &str, id: Uuid) -> String {
    format!("{kind}:{id}")
}

fn nonce() -> Nonce {
    let mut nonce = [0; 24];
    rand::rng().fill_bytes(&mut nonce);
    nonce
}
