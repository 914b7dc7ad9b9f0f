//! Leases: one holder at a time.

use std::time::Duration;

use engine::ports::Store;

use crate::desk::Desk;

crate::every_store!(
    a_lease_has_one_holder_until_it_lapses,
    a_renewal_keeps_the_epoch_and_prolongs,
    a_lease_that_was_given_back_is_free_at_once,
    two_names_are_two_leases,
    of_many_who_ask_at_once_one_gets_it,
);

const SPAN: Duration = Duration::from_secs(4);

async fn a_lease_has_one_holder_until_it_lapses<S: Store>(desk: Desk<S>) {
    let (one, other, now) = (desk.fresh(), desk.fresh(), desk.now());
    let first = desk.store.lease("router", one, now, SPAN).await.unwrap().unwrap();
    let inside = now.plus(Duration::from_millis(3_999));
    assert_eq!(desk.store.lease("router", other, inside, SPAN).await.unwrap(), None);
    let after = now.plus(Duration::from_millis(4_001));
    let second = desk.store.lease("router", other, after, SPAN).await.unwrap().unwrap();
    assert!(second.epoch > first.epoch);
    assert_eq!(desk.store.lease("router", one, after, SPAN).await.unwrap(), None);
}

async fn a_renewal_keeps_the_epoch_and_prolongs<S: Store>(desk: Desk<S>) {
    let (one, other, now) = (desk.fresh(), desk.fresh(), desk.now());
    let first = desk.store.lease("router", one, now, SPAN).await.unwrap();
    let renewed = now.plus(Duration::from_secs(3));
    assert_eq!(desk.store.lease("router", one, renewed, SPAN).await.unwrap(), first);
    let inside = now.plus(Duration::from_secs(6));
    assert_eq!(desk.store.lease("router", other, inside, SPAN).await.unwrap(), None);
}

async fn a_lease_that_was_given_back_is_free_at_once<S: Store>(desk: Desk<S>) {
    let (one, other, now) = (desk.fresh(), desk.fresh(), desk.now());
    let first = desk.store.lease("router", one, now, SPAN).await.unwrap().unwrap();
    desk.store.release("router", other).await.unwrap();
    assert_eq!(
        desk.store.lease("router", other, now, SPAN).await.unwrap(),
        None,
        "only the holder gives it back"
    );
    desk.store.release("router", one).await.unwrap();
    let second = desk.store.lease("router", other, now, SPAN).await.unwrap().unwrap();
    assert!(second.epoch > first.epoch);
}

async fn two_names_are_two_leases<S: Store>(desk: Desk<S>) {
    let (one, other, now) = (desk.fresh(), desk.fresh(), desk.now());
    assert!(desk.store.lease("router", one, now, SPAN).await.unwrap().is_some());
    assert!(desk.store.lease("sealer", other, now, SPAN).await.unwrap().is_some());
}

async fn of_many_who_ask_at_once_one_gets_it<S: Store>(desk: Desk<S>) {
    let now = desk.now();
    for name in ["a", "b", "c"] {
        let asked = (0..5).map(|_| desk.store.lease(name, desk.fresh(), now, SPAN));
        let got = futures::future::join_all(asked).await;
        assert_eq!(got.into_iter().filter(|lease| lease.as_ref().unwrap().is_some()).count(), 1);
    }
}
