//! Who waits for whom: a pace too fast holds back what shares its quota, one busy thing holds back nobody.

use super::*;
use selvedge_resilience::Outcome;

#[tokio::test(start_paused = true)]
async fn pitfall_12_a_wait_is_never_undercut_wherever_it_is_said() {
    for said in [
        "429,retry-after=42",
        "429,retry-after=date+42s",
        "429,retry-after-ms=42000",
        "429,x-ms-retry-after-ms=42000",
        // In the message alone.
        "429,until=42s",
        "503,retry-after=42",
    ] {
        let (emulator, clients) = in_process(Config::default(), RESILIENT);
        clients.fabric.list_all(workspaces::list()).await.unwrap();
        emulator.inject(format!("GET */workspaces={said},times=1").parse().unwrap());
        let started = Instant::now();
        clients.fabric.list_all(workspaces::list()).await.unwrap();
        // And not much later: the pause is the server's, and what is added at random.
        let took = started.elapsed().as_secs_f32();
        assert!((42.0..43.0).contains(&took), "{said}: {took}");
    }
}

/// What a list takes, in whole seconds.
async fn seconds_to_list(fabric: &Client) -> u64 {
    let started = Instant::now();
    fabric.list_all(workspaces::list()).await.unwrap();
    started.elapsed().as_secs()
}

#[tokio::test(start_paused = true)]
async fn pitfall_18_each_quota_has_a_gate_of_its_own() {
    for (fault, lists, polls) in
        [("GET */operations/*=throttle:60s,times=1", 0, 60), ("GET */workspaces=throttle:60s,times=1", 60, 3)]
    {
        let config = Config { operation_duration: Duration::from_secs(3), ..Config::default() };
        let (emulator, clients) = in_process(config, RESILIENT);
        let fabric = &clients.fabric;
        let workspace = workspace(fabric, "Sales").await;
        emulator.inject(fault.parse().unwrap());
        let create = async {
            let started = Instant::now();
            fabric.run(items::create(workspace, &notebook("Load", None))).await.unwrap();
            started.elapsed().as_secs()
        };
        let list = async {
            // After the first poll, which is after half a second.
            tokio::time::sleep(Duration::from_secs(1)).await;
            seconds_to_list(fabric).await
        };
        let (took, listed) = tokio::join!(create, list);
        assert!((lists..=lists + 1).contains(&listed), "{fault}: {listed}");
        assert!((polls..=polls + 3).contains(&took), "{fault}: {took}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_reserved_holds_nobody_back() {
    let config = Config { name_reservation: Duration::from_secs(600), ..Config::default() };
    let (_emulator, clients) = in_process(config, RESILIENT);
    let fabric = &clients.fabric;
    let workspace = workspace(fabric, "Sales").await;
    let new = items::New::named(items::ItemType::LAKEHOUSE, "Raw");
    let item = fabric.run(items::create(workspace, &new)).await.unwrap();
    fabric.send(items::delete(workspace, item.id, true)).await.unwrap();
    let error = fabric.run(items::create(workspace, &new)).await.unwrap_err();
    assert_eq!(error.code(), Some(&ErrorCode::ITEM_DISPLAY_NAME_NOT_AVAILABLE_YET));
    assert!(matches!(error.outcome(), Outcome::Busy { .. }), "{error:?}");
    assert_eq!(seconds_to_list(fabric).await, 0);
}

#[tokio::test(start_paused = true)]
async fn pitfall_17_many_do_not_each_discover_the_limit() {
    let (emulator, clients) = in_process(Config::default(), RESILIENT);
    clients.fabric.list_all(workspaces::list()).await.unwrap();
    emulator.inject("GET */workspaces=throttle:30s,times=1".parse().unwrap());
    // One finds out, and sixteen more come a moment later.
    let first = seconds_to_list(&clients.fabric);
    let others = futures_util::future::join_all((0..16).map(|_| async {
        tokio::time::sleep(Duration::from_millis(10)).await;
        seconds_to_list(&clients.fabric).await
    }));
    let (first, others) = tokio::join!(first, others);
    assert!(first >= 30 && others.iter().all(|took| *took >= 29), "{first} {others:?}");
    let throttled = emulator.requests().iter().filter(|request| request.status == Some(429)).count();
    assert_eq!(throttled, 1);
}
