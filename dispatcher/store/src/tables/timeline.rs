//! What a visitor's timeline shows.

use std::collections::BTreeMap;

use diesel::RunQueryDsl as _;
use diesel::pg::PgConnection;
use diesel::sql_types::{Array, Bool, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use domain::content::Attachment;
use domain::projection::{MessageStatusRow, TimelineRow};
use uuid::Uuid;

use crate::failure::Failure;
use crate::instant::to_pg;
use crate::json::Json;
use crate::names::readable;
use crate::statement::statement;

/// An item that a transaction adds, with what became of it within the same transaction.
pub(crate) struct NewItem {
    row: TimelineRow,
    reason: Option<&'static str>,
}

/// What a transaction changes of timelines.
#[derive(Default)]
pub(crate) struct Changed {
    items: Vec<NewItem>,
    places: BTreeMap<Uuid, usize>,
    statuses: BTreeMap<Uuid, MessageStatusRow>,
}

impl Changed {
    pub(crate) fn add(&mut self, row: TimelineRow) {
        self.places.insert(row.id, self.items.len());
        self.items.push(NewItem { row, reason: None });
    }

    /// The newest status counts; an id of Facebook's, once known, stays.
    pub(crate) fn settle(&mut self, status: MessageStatusRow) {
        let added = self.places.get(&status.message.0).and_then(|place| self.items.get_mut(*place));
        if let Some(item) = added {
            item.row.status = Some(status.status);
            item.reason = status.reason;
            item.row.mid = status.mid.or_else(|| item.row.mid.take());
            return;
        }
        let known = self.statuses.remove(&status.message.0).and_then(|before| before.mid);
        let mid = status.mid.or(known);
        self.statuses.insert(status.message.0, MessageStatusRow { mid, ..status });
    }

    pub(crate) fn write(&self, connection: &mut PgConnection) -> Result<(), Failure> {
        insert(connection, &self.items)?;
        update(connection, &self.statuses.values().collect::<Vec<_>>())
    }
}

fn insert(connection: &mut PgConnection, items: &[NewItem]) -> Result<(), Failure> {
    if items.is_empty() {
        return Ok(());
    }
    let rows = || items.iter().map(|item| &item.row);
    let at = rows().map(|row| to_pg(row.at)).collect::<Result<Vec<_>, _>>()?;
    let attachments = rows()
        .map(|row| Json::of(&readable_attachments(&row.attachments)))
        .collect::<Result<Vec<_>, _>>()?;
    let buttons = rows().map(|row| Json::of(&row.buttons.iter().map(|title| readable(title)).collect::<Vec<_>>()));
    let buttons = buttons.collect::<Result<Vec<_>, _>>()?;
    statement::<()>(
        "INSERT INTO timeline_item
             (id, visitor, conversation, at, kind, direction, author_kind, author_id, text, attachments, buttons, status,
              status_reason, mid, event, late)
         SELECT * FROM unnest(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind::<Array<SqlUuid>, _>(rows().map(|row| row.id).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(rows().map(|row| row.visitor.0).collect::<Vec<_>>())
    .bind::<Array<Nullable<SqlUuid>>, _>(rows().map(|row| row.conversation.map(|id| id.0)).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(at)
    .bind::<Array<Text>, _>(rows().map(|row| row.kind).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(rows().map(|row| row.direction).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(rows().map(|row| row.author.as_str()).collect::<Vec<_>>())
    .bind::<Array<Nullable<SqlUuid>>, _>(rows().map(|row| row.author_id.map(|id| id.0)).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(
        rows()
            .map(|row| row.text.as_deref().map(|text| readable(text).into_owned()))
            .collect::<Vec<_>>(),
    )
    .bind::<Array<Jsonb>, _>(attachments)
    .bind::<Array<Jsonb>, _>(buttons)
    .bind::<Array<Nullable<Text>>, _>(rows().map(|row| row.status).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(items.iter().map(|item| item.reason).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(rows().map(|row| row.mid.as_deref()).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(
        rows()
            .map(|row| row.event.as_deref().map(|name| readable(name).into_owned()))
            .collect::<Vec<_>>(),
    )
    .bind::<Array<Bool>, _>(rows().map(|row| row.late).collect::<Vec<_>>())
    .execute(connection)?;
    Ok(())
}

fn readable_attachments(attachments: &[Attachment]) -> Vec<Attachment> {
    let text = |text: &Option<String>| text.as_deref().map(|text| readable(text).into_owned());
    let clean = |attachment: &Attachment| Attachment {
        kind: readable(&attachment.kind).into_owned(),
        url: text(&attachment.url),
        title: text(&attachment.title),
    };
    attachments.iter().map(clean).collect()
}

/// The write of [`update`].
pub(crate) const UPDATE: &str = "UPDATE timeline_item t SET status = u.status, status_reason = u.reason, mid = coalesce(u.mid, t.mid)
     FROM unnest(?, ?, ?, ?) AS u (id, status, reason, mid)
     WHERE t.id = u.id";

fn update(connection: &mut PgConnection, statuses: &[&MessageStatusRow]) -> Result<(), Failure> {
    if statuses.is_empty() {
        return Ok(());
    }
    statement::<()>(UPDATE)
        .bind::<Array<SqlUuid>, _>(statuses.iter().map(|row| row.message.0).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(statuses.iter().map(|row| row.status).collect::<Vec<_>>())
        .bind::<Array<Nullable<Text>>, _>(statuses.iter().map(|row| row.reason).collect::<Vec<_>>())
        .bind::<Array<Nullable<Text>>, _>(statuses.iter().map(|row| row.mid.as_deref()).collect::<Vec<_>>())
        .execute(connection)?;
    Ok(())
}
