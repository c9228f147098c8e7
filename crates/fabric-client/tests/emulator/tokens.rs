//! Tokens that end, are refused, or cannot be had.

use super::*;
use futures_util::future::join_all;
use selvedge_resilience::Outcome;

#[tokio::test(start_paused = true)]
async fn pitfall_19_an_expired_token_costs_one_refresh_and_a_second_refusal_is_final() {
    let (emulator, clients) = in_process(Config::default(), PLAIN);
    clients.fabric.list_all(workspaces::list()).await.unwrap();
    emulator.inject("POST */workspaces=401,times=1".parse().unwrap());
    workspace(&clients.fabric, "Sales").await;
    assert_eq!(arrivals(&emulator, "POST", "/token"), 2);
    assert_eq!(arrivals(&emulator, "POST", "/workspaces"), 2);

    // For ever: one refresh, and the second 401 is the answer.
    emulator.inject("GET */workspaces=401".parse().unwrap());
    let error = clients.fabric.list_all(workspaces::list()).await.unwrap_err();
    assert_eq!(error.code(), Some(&ErrorCode::TOKEN_EXPIRED));
    assert_eq!(error.outcome(), Outcome::Permanent);
    assert_eq!(arrivals(&emulator, "POST", "/token"), 3);
    assert_eq!(arrivals(&emulator, "GET", "/workspaces"), 3);
}

#[tokio::test(start_paused = true)]
async fn pitfall_19_many_requests_with_an_expired_token_ask_for_one_new_token() {
    for layers in [PLAIN, RESILIENT] {
        let (emulator, clients) = in_process(Config::default(), layers);
        clients.fabric.list_all(workspaces::list()).await.unwrap();
        // The token that all bring is refused from now on, whoever brings it, and the service takes its time to say so.
        emulator.inject("GET */workspaces=token-expired,times=1".parse().unwrap());
        let lists = join_all((0..8).map(|_| clients.fabric.list_all(workspaces::list()))).await;
        assert!(lists.iter().all(Result::is_ok), "{lists:?}");
        assert_eq!(arrivals(&emulator, "POST", "/token"), 2, "one at first, one for all");
        let refused = emulator.requests().iter().filter(|request| request.status == Some(401)).count();
        assert!((1..=8).contains(&refused), "{refused}");
        assert_eq!(arrivals(&emulator, "GET", "/workspaces"), 1 + 8 + refused, "each once more at the most");
    }
}

/// A day's work for tokens of an hour: they are replaced in time, and where the service has another opinion, on its word.
#[tokio::test(start_paused = true)]
async fn pitfall_19_a_long_operation_outlives_its_tokens() {
    for (fault, refused) in [(None, 0), (Some("GET */operations/*=token-expired,skip=7,times=1"), 1)] {
        let hours = |n: u64| Duration::from_secs(n * 60 * 60);
        let config = Config { operation_duration: hours(3), ..Config::default() };
        let (emulator, clients) = in_process(config, RESILIENT);
        let polling = PollConfig { deadline: hours(4), ..PollConfig::default() };
        let fabric = clients.fabric.with_polling(polling);
        let workspace = workspace(&fabric, "Sales").await;
        emulator.clear_requests();
        fault.iter().for_each(|fault| emulator.inject(fault.parse().unwrap()));
        let started = Instant::now();
        let item = fabric.run(items::create(workspace, &notebook("Load", None))).await.unwrap();
        assert_eq!(item.display_name, "Load");
        assert!(started.elapsed() >= hours(3), "{:?}", started.elapsed());
        let log = emulator.requests();
        let statuses = log.iter().filter(|request| request.status == Some(401)).count();
        assert_eq!(statuses, refused, "{fault:?}");
        // Five minutes before its end, each hour.
        let tokens = arrivals(&emulator, "POST", "/token");
        assert_eq!(tokens, 3 + refused, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_wrong_secret_is_an_error_before_anything_is_sent_to_fabric() {
    let config = Config { client_secret: "another".into(), ..Config::default() };
    let (emulator, clients) = in_process(config, RESILIENT);
    let error = clients.fabric.list_all(workspaces::list()).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Auth(_)), "{error:?}");
    assert!(!error.may_have_been_sent());
    assert_eq!(arrivals(&emulator, "POST", "/token"), 1);
    assert_eq!(emulator.requests().len(), 1);
    let shown = format!("{error:?}");
    assert!(shown.contains("7000215") && !shown.contains(demo::CLIENT_SECRET), "{shown}");
}
