use std::collections::{BTreeMap, BTreeSet};

use reqwest::StatusCode;
use shared::ledger::Confirmed;

use crate::facebook::{PAGE, body, entry, message};
use crate::world::{World, eventually};

/// Everything in the ledger so far: per boot and partition, the confirmed numbers.
async fn ledger(world: &World) -> BTreeMap<(String, u8), BTreeSet<u64>> {
    let mut confirmed: BTreeMap<_, BTreeSet<u64>> = BTreeMap::new();
    while let Some(message) = world.broker.get(&world.broker.topology.ledger_queue()).await {
        let page: Confirmed = serde_json::from_slice(&message.data).unwrap();
        for partition in page.partitions {
            let numbers = partition.ranges.into_iter().flat_map(|(start, end)| start..=end);
            confirmed
                .entry((page.boot.to_string(), partition.partition))
                .or_default()
                .extend(numbers);
        }
    }
    confirmed
}

#[tokio::test]
async fn a_stop_leaves_a_ledger_of_exactly_what_was_stored() {
    let world = World::new().await;
    let mut ingress = world.start_ready().await;
    for round in 0..10 {
        let events: Vec<_> = (0..20)
            .map(|number| message(PAGE, &number.to_string(), &format!("m_{round}_{number}")))
            .collect();
        assert_eq!(ingress.deliver(body(&[entry(PAGE, &events)])).await, StatusCode::OK);
    }
    ingress.signal("-TERM");
    assert!(ingress.ended().await.success());

    let mut stored: BTreeMap<_, BTreeSet<u64>> = BTreeMap::new();
    for event in world.broker.events().await {
        let receipt = event.envelope.receipt;
        assert!(
            stored
                .entry((receipt.boot.to_string(), receipt.partition.number()))
                .or_default()
                .insert(receipt.sequence)
        );
    }
    assert_eq!(stored.values().map(BTreeSet::len).sum::<usize>(), 200);
    assert_eq!(ledger(&world).await, stored);
}

#[tokio::test]
async fn the_ledger_is_told_while_the_service_runs() {
    let world = World::new().await;
    let ingress = world.start_ready().await;
    assert_eq!(ingress.deliver(crate::facebook::one_message("m_1")).await, StatusCode::OK);
    let told = eventually("the ledger is told", async || {
        Some(ledger(&world).await).filter(|ledger| !ledger.is_empty())
    })
    .await;
    assert_eq!(told.into_values().collect::<Vec<_>>(), [BTreeSet::from([1])]);
}
