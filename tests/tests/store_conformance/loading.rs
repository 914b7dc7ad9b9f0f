//! What a scope loads.

use domain::agent::Presence;
use domain::conversation::Command;
use domain::directory::{Bot, BotEvent, Channel, Person, SkillGroup};
use domain::event::{Event, StreamId};
use domain::texts::TextKey;
use domain::work_mode::WorkMode;
use engine::DirectoryThing;
use engine::ports::{PageSettings, Scope, Store, VisitorRef};
use shared::{ConversationId, PageId, Party, PersonId, VisitorId};

use crate::desk::{Connected, Desk, reference};
use crate::streams::of;

crate::every_store!(
    an_unknown_visitor_is_seen_by_the_fresh_id_and_known_only_after_an_append,
    two_names_of_one_new_visitor_are_one_visitor,
    a_known_visitor_keeps_the_id_whatever_fresh_one_is_offered,
    the_same_person_on_two_pages_is_two_visitors,
    a_visitor_is_found_by_identity_by_id_and_by_conversation,
    what_does_not_exist_is_not_found,
    a_conversation_that_is_named_is_loaded_even_when_it_is_closed,
    the_conversation_of_an_effect_that_is_settled_is_loaded_even_when_it_is_closed,
    the_settings_of_a_page_are_those_of_its_channel_group_and_bot,
    a_bot_that_is_off_is_no_bot,
    people_are_ready_when_somebody_of_the_group_is,
    a_page_without_a_channel_has_no_settings,
    an_agent_is_loaded_with_account_and_public_name,
    somebody_unknown_is_loaded_as_nobody,
    a_directory_stream_is_loaded_with_its_newest_event,
);

async fn look_at<S: Store>(desk: &Desk<S>, references: &[VisitorRef]) -> engine::ports::Loaded {
    let scope = Scope {
        visitors: references.to_vec(),
        ..Scope::default()
    };
    desk.look(scope).await
}

async fn an_unknown_visitor_is_seen_by_the_fresh_id_and_known_only_after_an_append<S: Store>(desk: Desk<S>) {
    let page = desk.connect("1001", WorkMode::BotFirst).await;
    let reference = desk.identity(&page, "1");
    let VisitorRef::Identity { fresh, .. } = reference else {
        panic!("an identity")
    };
    let loaded = look_at(&desk, std::slice::from_ref(&reference)).await;
    assert_eq!(loaded.found[&reference], fresh);
    let visitor = &loaded.visitors[&fresh];
    assert_eq!(
        (visitor.stream.version, visitor.conversations.len(), visitor.unattempted.len()),
        (0, 0, 0)
    );
    assert_eq!((&visitor.page, &visitor.party), (&page.page, &Party::Psid("1".into())));
    assert!(loaded.pages.contains_key(&page.page));
    let nobody = look_at(&desk, &[VisitorRef::Id(fresh)]).await;
    assert!(nobody.found.is_empty() && nobody.visitors.is_empty(), "looking makes nobody known");
    let (known, _) = desk.receive(&page, "1", "您好").await;
    assert_ne!(known, fresh);
    assert_eq!(look_at(&desk, &[VisitorRef::Id(known)]).await.visitors.len(), 1);
}

async fn two_names_of_one_new_visitor_are_one_visitor<S: Store>(desk: Desk<S>) {
    let page = desk.connect("1001", WorkMode::BotFirst).await;
    let (one, other) = (desk.identity(&page, "1"), desk.identity(&page, "1"));
    let loaded = look_at(&desk, &[one.clone(), other.clone()]).await;
    assert_eq!(loaded.visitors.len(), 1);
    assert_eq!(loaded.found[&one], loaded.found[&other]);
}

async fn a_known_visitor_keeps_the_id_whatever_fresh_one_is_offered<S: Store>(desk: Desk<S>) {
    let page = desk.connect("1001", WorkMode::BotFirst).await;
    let (known, _) = desk.receive(&page, "1", "您好").await;
    let reference = desk.identity(&page, "1");
    assert_eq!(look_at(&desk, std::slice::from_ref(&reference)).await.found[&reference], known);
    // Two who write for the first time at the same moment are one as well.
    let (one, other) = futures::join!(desk.receive(&page, "2", "您好"), desk.receive(&page, "2", "在吗"));
    assert_eq!(one, other);
}

async fn the_same_person_on_two_pages_is_two_visitors<S: Store>(desk: Desk<S>) {
    let (one, other) = (
        desk.connect("1001", WorkMode::BotFirst).await,
        desk.connect("1002", WorkMode::BotFirst).await,
    );
    assert_ne!(desk.receive(&one, "1", "您好").await.0, desk.receive(&other, "1", "您好").await.0);
}

async fn a_visitor_is_found_by_identity_by_id_and_by_conversation<S: Store>(desk: Desk<S>) {
    let page = desk.connect("1001", WorkMode::BotFirst).await;
    let (visitor, id) = desk.receive(&page, "1", "您好").await;
    let references = [desk.identity(&page, "1"), VisitorRef::Id(visitor), VisitorRef::Of(id)];
    let loaded = look_at(&desk, &references).await;
    assert!(references.iter().all(|reference| loaded.found[reference] == visitor));
    assert_eq!(loaded.visitors.len(), 1);
    assert!(loaded.visitors[&visitor].conversations[&id].version > 0);
}

async fn what_does_not_exist_is_not_found<S: Store>(desk: Desk<S>) {
    let references = [
        VisitorRef::Id(VisitorId(desk.fresh())),
        VisitorRef::Of(ConversationId(desk.fresh())),
    ];
    let loaded = look_at(&desk, &references).await;
    assert!(loaded.found.is_empty() && loaded.visitors.is_empty());
}

async fn closed<S: Store>(desk: &Desk<S>, page: &Connected) -> (VisitorId, ConversationId) {
    let (visitor, id) = desk.receive(page, "1", "您好").await;
    let close = Command::Close {
        person: PersonId(desk.fresh()),
        any: true,
    };
    desk.command(id, close, Scope::default()).await.unwrap().value.unwrap().unwrap();
    (visitor, id)
}

async fn a_conversation_that_is_named_is_loaded_even_when_it_is_closed<S: Store>(desk: Desk<S>) {
    let page = desk.connect("1001", WorkMode::BotFirst).await;
    let (visitor, id) = closed(&desk, &page).await;
    let loaded = desk.look(of(id)).await;
    assert!(loaded.visitors[&visitor].conversations[&id].state.is_closed());
    assert!(
        look_at(&desk, &[VisitorRef::Id(visitor)]).await.visitors[&visitor]
            .conversations
            .is_empty()
    );
    let (_, second) = desk.receive(&page, "1", "又来了").await;
    let both = desk.look(of(id)).await.visitors[&visitor]
        .conversations
        .keys()
        .copied()
        .collect::<Vec<_>>();
    assert_eq!(both.len(), 2);
    assert!(both.contains(&second) && both.contains(&id));
}

async fn the_conversation_of_an_effect_that_is_settled_is_loaded_even_when_it_is_closed<S: Store>(desk: Desk<S>) {
    let page = desk.connect("1001", WorkMode::BotFirst).await;
    let (visitor, id) = closed(&desk, &page).await;
    let claimed = desk.claim(desk.relay(), desk.now()).await;
    let scope = Scope {
        visitors: vec![VisitorRef::Id(visitor)],
        effects: claimed.iter().map(reference).collect(),
        ..Scope::default()
    };
    let loaded = desk.look(scope).await;
    assert!(loaded.visitors[&visitor].conversations.contains_key(&id));
    assert_eq!(loaded.ours.len(), claimed.len());
    assert!(!claimed.is_empty());
}

async fn settings<S: Store>(desk: &Desk<S>, page: &PageId) -> Option<PageSettings> {
    let scope = Scope {
        pages: [page.clone()].into(),
        ..Scope::default()
    };
    desk.look(scope).await.pages.remove(page)
}

async fn change<S: Store, T: DirectoryThing>(desk: &Desk<S>, id: T::Id, edit: impl Fn(&mut T) + Clone + Send + 'static) {
    let edit = move |state: &mut T, _: &mut domain::Content| {
        edit(state);
        Ok(())
    };
    desk.commands.change::<T, _>(None, id, None, edit).await.unwrap();
}

async fn the_settings_of_a_page_are_those_of_its_channel_group_and_bot<S: Store>(desk: Desk<S>) {
    let page = desk.connect("1001", WorkMode::HumanFirst).await;
    let first = settings(&desk, &page.page).await.unwrap();
    assert_eq!(
        (first.channel, &first.page, first.skill_group),
        (page.channel, &page.page, page.group)
    );
    assert_eq!((first.mode, first.bot, first.enabled), (WorkMode::HumanFirst, Some(page.bot), true));
    assert_eq!(
        (first.accept, first.wrap_up, first.humans_ready),
        (domain::directory::AcceptMode::Automatic, false, false)
    );
    assert_eq!(first.texts.get(TextKey::Ended), Some("再见"));
    assert_eq!(
        first.texts.get(TextKey::Queued),
        Some(TextKey::Queued.default_text(first.texts.language))
    );
    change::<S, SkillGroup>(&desk, page.group, |group| {
        group.accept = domain::directory::AcceptMode::Manual;
        group.wrap_up = true;
    })
    .await;
    change::<S, Channel>(&desk, page.channel, |channel| {
        channel.enabled = false;
        channel.work_mode = WorkMode::BotOnly;
        channel.language = domain::texts::Language::En;
    })
    .await;
    let second = settings(&desk, &page.page).await.unwrap();
    assert_eq!((second.accept, second.wrap_up), (domain::directory::AcceptMode::Manual, true));
    assert_eq!(
        (second.mode, second.enabled, second.texts.language),
        (WorkMode::BotOnly, false, domain::texts::Language::En)
    );
}

async fn a_bot_that_is_off_is_no_bot<S: Store>(desk: Desk<S>) {
    let page = desk.connect("1001", WorkMode::BotFirst).await;
    change::<S, Bot>(&desk, page.bot, |bot| bot.enabled = false).await;
    assert_eq!(settings(&desk, &page.page).await.unwrap().bot, None);
    change::<S, Bot>(&desk, page.bot, |bot| bot.enabled = true).await;
    change::<S, Channel>(&desk, page.channel, |channel| channel.bot = None).await;
    assert_eq!(settings(&desk, &page.page).await.unwrap().bot, None);
}

async fn people_are_ready_when_somebody_of_the_group_is<S: Store>(desk: Desk<S>) {
    let (page, other) = (
        desk.connect("1001", WorkMode::HumanFirst).await,
        desk.connect("1002", WorkMode::HumanFirst).await,
    );
    let agent = desk.hire(&[page.group], 3).await;
    let mut seen = Vec::new();
    for presence in [Presence::Busy, Presence::Ready] {
        desk.commands.change_presence(agent, presence).await.unwrap();
        seen.push(settings(&desk, &page.page).await.unwrap().humans_ready);
    }
    assert_eq!(seen, [false, true]);
    assert!(!settings(&desk, &other.page).await.unwrap().humans_ready);
    change::<S, Person>(&desk, agent, |person| person.enabled = false).await;
    assert!(!settings(&desk, &page.page).await.unwrap().humans_ready);
}

async fn a_page_without_a_channel_has_no_settings<S: Store>(desk: Desk<S>) {
    desk.connect("1001", WorkMode::BotFirst).await;
    assert_eq!(settings(&desk, &PageId::parse("1002").unwrap()).await, None);
}

async fn load_agent<S: Store>(desk: &Desk<S>, agent: PersonId) -> engine::ports::LoadedAgent {
    let scope = Scope {
        agent: Some(agent),
        ..Scope::default()
    };
    desk.look(scope).await.agent.unwrap()
}

async fn an_agent_is_loaded_with_account_and_public_name<S: Store>(desk: Desk<S>) {
    let page = desk.connect("1001", WorkMode::HumanFirst).await;
    let agent = desk.hire(&[page.group], 4).await;
    let new = load_agent(&desk, agent).await;
    assert_eq!((new.agent.version, new.person.version), (0, 1));
    assert_eq!((new.person.state.unwrap().capacity, new.public_name.as_str()), (4, "小张"));
    desk.commands.change_presence(agent, Presence::Ready).await.unwrap();
    let ready = load_agent(&desk, agent).await;
    assert_eq!((ready.agent.version, ready.agent.state.presence), (1, Presence::Ready));
    let edit = |_: &mut Person, content: &mut domain::Content| {
        content.fields.remove(domain::directory::field::PUBLIC_NAME);
        Ok(())
    };
    desk.commands.change::<Person, _>(None, agent, None, edit).await.unwrap();
    assert_eq!(
        load_agent(&desk, agent).await.public_name,
        "",
        "the real name never stands in for it"
    );
}

async fn somebody_unknown_is_loaded_as_nobody<S: Store>(desk: Desk<S>) {
    let nobody = load_agent(&desk, PersonId(desk.fresh())).await;
    assert_eq!((nobody.agent.version, nobody.agent.state), (0, domain::agent::Agent::default()));
    assert_eq!((nobody.person.version, nobody.person.state), (0, None));
}

async fn a_directory_stream_is_loaded_with_its_newest_event<S: Store>(desk: Desk<S>) {
    let page = desk.connect("1001", WorkMode::BotFirst).await;
    change::<S, Bot>(&desk, page.bot, |bot| bot.deadline_ms = 5).await;
    let directory = |stream: StreamId| Scope {
        directory: Some(stream),
        ..Scope::default()
    };
    let (version, event) = desk.look(directory(page.bot.into())).await.directory.unwrap();
    let Some(Event::Bot(BotEvent::BotSaved { bot, content })) = event else {
        panic!("{event:?}")
    };
    assert_eq!((version, bot.deadline_ms), (2, 5));
    assert_eq!(
        content.fields[domain::directory::field::SECRET],
        "s",
        "what is sealed comes back opened"
    );
    let unknown = desk.look(directory(shared::BotId(desk.fresh()).into())).await.directory;
    assert_eq!(unknown, Some((0, None)));
    assert_eq!(desk.look(Scope::default()).await.directory, None);
}
