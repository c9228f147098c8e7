//! One question for many, for a while.

use super::*;
use crate::{
    ErrorKind, Unreachable,
    testing::{Fake, Says},
};
use secrecy::ExposeSecret as _;
use std::future::Future;
use tokio::time::{advance, sleep};

const SECOND: Duration = Duration::from_secs(1);
const AWAY: Says = Says::Error(ErrorKind::Unreachable(Unreachable::Connect));

fn cached(fake: &Fake) -> Arc<Cached<Fake>> {
    Arc::new(Cached::new(fake.clone(), CacheConfig::default()))
}

/// The value of `name`, or why not.
async fn get(store: &Cached<Fake>, name: &str) -> Result<String, ErrorKind> {
    let secret = store.get(&name.parse().unwrap()).await;
    secret.map(|it| it.value.expose_secret().to_owned()).map_err(|error| error.kind().clone())
}

fn spawn(store: &Arc<Cached<Fake>>) -> tokio::task::JoinHandle<Result<String, ErrorKind>> {
    let store = Arc::clone(store);
    tokio::spawn(async move { get(&store, "a").await })
}

#[tokio::test(start_paused = true)]
async fn a_value_is_kept_for_its_time_under_both_spellings() {
    let fake = Fake::new(Says::Value("one"));
    let store = cached(&fake);
    assert_eq!(get(&store, "A_B").await.unwrap(), "one");
    fake.says(Says::Value("two"));
    advance(Duration::from_secs(3599)).await;
    assert_eq!(get(&store, "a-b").await.unwrap(), "one");
    assert_eq!(get(&store, "other").await.unwrap(), "two");
    assert_eq!(fake.asked(), 2);
    advance(SECOND).await;
    assert_eq!(get(&store, "A-b").await.unwrap(), "two");
    assert_eq!(fake.asked(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_ends_sooner_is_kept_no_longer() {
    let fake = Fake::new(Says::Ends("one", 60 * SECOND));
    let store = cached(&fake);
    get(&store, "a").await.unwrap();
    advance(59 * SECOND).await;
    get(&store, "a").await.unwrap();
    assert_eq!(fake.asked(), 1);
    // Nor is it used on after its end, whoever is away.
    fake.says(AWAY);
    advance(SECOND).await;
    assert!(get(&store, "a").await.is_err());
}

#[tokio::test(start_paused = true)]
async fn many_ask_and_one_question_is_sent() {
    for says in [Says::Value("one"), AWAY] {
        let fake = Fake::new(says).after(5 * SECOND);
        let store = cached(&fake);
        let callers: Vec<_> = (0..100).map(|_| spawn(&store)).collect();
        let mut answers = Vec::new();
        for caller in callers {
            answers.push(caller.await.unwrap());
        }
        assert_eq!(fake.asked(), 1);
        assert!(answers.iter().all(|answer| *answer == answers[0]));
    }
}

#[tokio::test(start_paused = true)]
async fn who_asks_first_and_gives_up_strands_nobody() {
    let fake = Fake::new(Says::Value("one")).after(5 * SECOND);
    let store = cached(&fake);
    let first = spawn(&store);
    sleep(SECOND).await;
    let others: Vec<_> = (0..10).map(|_| spawn(&store)).collect();
    sleep(SECOND).await;
    first.abort();
    for other in others {
        assert_eq!(other.await.unwrap().unwrap(), "one");
    }
    assert_eq!(fake.asked(), 2, "the question of the first and one more");
}

#[tokio::test(start_paused = true)]
async fn only_that_there_is_none_is_remembered() {
    for (error, remembered) in [
        (ErrorKind::NotFound, true),
        (ErrorKind::Disabled, false),
        (ErrorKind::Unauthorized, false),
        (ErrorKind::Forbidden { code: None, caller: None }, false),
        (ErrorKind::Throttled { retry_after: None }, false),
        (ErrorKind::Unreachable(Unreachable::Dns), false),
        (ErrorKind::SignIn, false),
    ] {
        let fake = Fake::new(Says::Error(error.clone()));
        let store = cached(&fake);
        assert_eq!(get(&store, "a").await.unwrap_err(), error);
        advance(29 * SECOND).await;
        assert_eq!(get(&store, "a").await.unwrap_err(), error);
        assert_eq!(fake.asked(), if remembered { 1 } else { 2 }, "{error}");
        fake.says(Says::Value("found"));
        advance(SECOND).await;
        assert_eq!(get(&store, "a").await.unwrap(), "found");
    }
}

#[tokio::test(start_paused = true)]
async fn after_refresh_or_set_no_old_value_is_given() {
    let fake = Fake::new(Says::Value("one"));
    let store = cached(&fake);
    get(&store, "a").await.unwrap();
    fake.says(Says::Value("two"));
    store.refresh();
    assert_eq!(get(&store, "a").await.unwrap(), "two");
    store.set(&"A".parse().unwrap(), "three".into()).await.unwrap();
    assert_eq!(get(&store, "a").await.unwrap(), "three");

    // Not even one that was under way.
    let fake = fake.after(5 * SECOND);
    store.refresh();
    let under_way = spawn(&store);
    sleep(SECOND).await;
    fake.says(Says::Value("four"));
    store.refresh();
    assert_eq!(get(&store, "a").await.unwrap(), "four");
    assert_eq!(under_way.await.unwrap().unwrap(), "three");
    assert_eq!(get(&store, "a").await.unwrap(), "four");
}

#[tokio::test(start_paused = true)]
async fn a_value_outlives_its_time_only_while_nobody_can_be_asked() {
    let fake = Fake::new(Says::Value("one"));
    let store = cached(&fake);
    get(&store, "a").await.unwrap();
    fake.says(AWAY);
    advance(3600 * SECOND).await;
    assert_eq!(get(&store, "a").await.unwrap(), "one");
    assert_eq!(get(&store, "a").await.unwrap(), "one");
    assert_eq!(fake.asked(), 2, "not at every question");
    advance(300 * SECOND).await;
    assert!(get(&store, "a").await.unwrap_err().is_unreachable());

    fake.says(Says::Value("one"));
    get(&store, "a").await.unwrap();
    for error in [ErrorKind::Disabled, ErrorKind::NotFound, ErrorKind::Unauthorized] {
        fake.says(Says::Value("one"));
        store.refresh();
        get(&store, "a").await.unwrap();
        fake.says(Says::Error(error.clone()));
        advance(3600 * SECOND).await;
        assert_eq!(get(&store, "a").await.unwrap_err(), error);
        fake.says(AWAY);
        advance(30 * SECOND).await;
        assert!(get(&store, "a").await.unwrap_err().is_unreachable(), "and is forgotten");
    }
}

#[tokio::test(start_paused = true)]
async fn durations_without_end_do_not_break_the_clock() {
    let forever = Duration::MAX;
    let config = CacheConfig { ttl: forever, absent_ttl: forever, stale_for: forever };
    for says in [Says::Value("one"), Says::Ends("one", forever), Says::Error(ErrorKind::NotFound)] {
        let fake = Fake::new(says);
        let store = Cached::new(fake.clone(), config.clone());
        drop(get(&store, "a").await);
        drop(get(&store, "a").await);
        assert_eq!(fake.asked(), 1);
    }
    fn is_send(_: impl Future + Send) {}
    let store = cached(&Fake::new(AWAY));
    is_send(async move { get(&store, "a").await });
}
